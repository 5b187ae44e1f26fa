// A recurrent network is a deep feed-forward one whose layers share their weights.
#include <cmath>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

int main() {
  Sequential model{InputLayer({.shape = {unknown, 2}}), LSTM(8, {.name = "memory"}), Dense(1)};
  model.compile({.loss = "mse", .seed = 1});

  double worst = 0;
  for (const Index steps : {3, 10, 40}) {  // any number of them
    const Tensor x = adding_problem(16, steps, 1).x;
    Model flat = unroll_in_time(model, steps);
    const Tensor looped = model.predict(x)[0], straight = flat.predict(x)[0];
    for (Index i = 0; i < looped.elements(); ++i) {
      const auto difference = static_cast<double>(looped.floats()[i] - straight.floats()[i]);
      worst = std::max(worst, std::abs(difference));
    }
    std::cout << steps << " steps: " << flat.layers().size() << " layers, " << flat.count_params()
              << " weights\n";
    if (flat.count_params() != model.count_params()) return 1;
  }
  plot_model(unroll_in_time(model, 4), "unrolled.dot", {.show_shapes = true, .rankdir = "LR"});
  std::cout << "different by at most " << worst << "\n";
  return worst <= 1e-6 ? 0 : 1;
}
