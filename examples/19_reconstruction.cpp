// A restricted Boltzmann machine: through the hidden units, and back through the same weights.
//
// Images of bars; two pixels of each are flipped, and the machine puts them right. Then its weights
// begin a Dense layer.
#include <algorithm>
#include <iostream>
#include <random>

#include "unroll/unroll.h"

using namespace unroll;

namespace {
constexpr Index side = 8, rows = 1500;

double error(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (Index i = 0; i < a.elements(); ++i) {
    const auto d = static_cast<double>(a.floats()[i] - b.floats()[i]);
    sum += d * d;
  }
  return sum / static_cast<double>(a.elements());
}
}  // namespace

int main() {
  Tensor bars({rows, side * side});
  std::mt19937 random(1);
  for (Index bar = 0; bar < rows * side; ++bar) {
    std::fill_n(bars.floats() + bar * side, side, random() % 2 == 0 ? 0.0F : 1.0F);
  }
  const Tensor seen = bars.rows(0, 1200), unseen = bars.rows(1200, rows);
  RBM machine({.visible = side * side, .hidden = 32, .seed = 1});
  const double before = error(unseen, machine.reconstruct(unseen));
  machine.fit(seen, {.epochs = 20, .learning_rate = 0.1});
  const double after = error(unseen, machine.reconstruct(unseen));

  Tensor flipped = unseen.clone();
  for (Index row = 0; row < flipped.shape()[0]; ++row) {
    for (Index i = 0; i < 2; ++i) {
      float& pixel = flipped.floats()[row * side * side + i];
      pixel = 1 - pixel;
    }
  }
  const double damaged = error(unseen, flipped),
               mended = error(unseen, machine.reconstruct(flipped));
  std::cout << "error before " << before << ", after " << after
            << "; two pixels flipped: " << damaged << ", reconstructed " << mended << "\n";

  Sequential classifier{machine.dense("first"), Dense(1)};
  classifier.compile({.loss = "mse", .seed = 1});
  classifier.predict(unseen);
  const bool same = classifier.get_layer("first").get_weights()[0].floats()[0] ==
                    machine.get_weights()[0].floats()[0];
  return after < before / 10 && mended < damaged / 2 && same ? 0 : 1;
}
