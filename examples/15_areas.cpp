// Areas with lateral and feedback connections, read after every pass; and drawn in space.
//
// Lines of two slopes cross a picture of 8 x 8, half of it hidden. The first pass is feed-forward;
// further ones let each area hear itself and the one above, through the same weights.
#include <iostream>
#include <random>

#include "unroll/unroll.h"

using namespace unroll;

namespace {
constexpr Index rows = 1200, side = 8, passes = 4;
}  // namespace

int main() {
  Tensor x({rows, side, side, 1}), y({rows}, DType::int32);
  std::mt19937 random(1);
  const auto number = [&](Index count) { return static_cast<Index>(random()) % count; };
  for (Index row = 0; row < rows; ++row) {
    const bool rises = number(2) == 1;
    const Index shift = number(side), hidden = number(2) * side / 2;
    y.values<std::int32_t>()[static_cast<std::size_t>(row)] = rises ? 1 : 0;
    for (Index column = 0; column < side; ++column) {
      if (column >= hidden && column < hidden + side / 2) continue;
      const Index line = ((rises ? side - 1 - column : column) + shift) % side;
      x.floats()[(row * side + line) * side + column] = 1;
    }
  }

  const Areas areas({.input = {side, side, 1},
                     .areas = {{"V1", 4, "relu", 2}, {"V2", 8, "relu", 2}},
                     .outputs = 2});
  Model model = areas.model_of_every_pass(passes);
  model.compile({.optimizer = Adam{.learning_rate = 1e-2},
                 .loss = "sparse_categorical_crossentropy",
                 .metrics = {"accuracy"},
                 .seed = 1});
  model.fit(x.rows(0, 1000), Tensors(passes, y.rows(0, 1000)), {.epochs = 10});
  double last = 0;
  for (const auto& [name, value] :
       model.evaluate(x.rows(1000, rows), Tensors(passes, y.rows(1000, rows)))) {
    if (name.ends_with("accuracy")) std::cout << name << " " << (last = value) << "\n";
  }

  // Unrolled in space: what is drawn often, and shares its weights.
  Index drawn = 0;
  for (const AreasConnection& one : areas.connections(passes)) drawn += one.drawn;
  std::cout << areas.connections(passes).size() << " sets of weights, " << drawn << " arrows\n";
  save_dot(areas.to_dot(passes), "areas.dot");  // or .svg, .png, where Graphviz is
  return last > 0.95 && drawn == 2 * passes + 3 * (passes - 1) ? 0 : 1;
}
