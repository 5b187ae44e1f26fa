// Backpropagation through time, derived by hand for two units, beside what unroll computes.
//
//   forward    h_t = tanh(x_t W + h_{t-1} R)                    loss = (h_T v - y)^2
//   backward   d loss / d h_T     = 2 (h_T v - y) v
//              d loss / d h_{t-1} = (d loss / d h_t * (1 - h_t^2)) R'      by the chain rule: h_t
//                                   hears h_{t-1} through R, and tanh' = 1 - tanh^2
#include <array>
#include <cmath>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

int main() {
  constexpr std::size_t steps = 5;
  Sequential model{InputLayer({.shape = {steps, 1}}), SimpleRNN(2, {.use_bias = false}),
                   Dense(1, {.use_bias = false})};
  model.compile({.loss = "mse", .seed = 1});
  model.set_dtype(DType::float64);

  const std::array<double, steps> numbers{0.5, -1, 0.25, 2, -0.75};
  const Tensor x = Tensor::of<double>({1, steps, 1}, numbers), y({1, 1}, DType::float64);
  const double said = model.predict(x)[0].at({0, 0});  // y is 0
  const std::vector<Tensor> weights = model.get_weights();
  const Tensor W = weights[0], R = weights[1], v = weights[2];

  std::array<std::array<double, 2>, steps + 1> h{};
  for (std::size_t t = 0; t < steps; ++t) {
    for (Index j = 0; j < 2; ++j) {
      h[t + 1][static_cast<std::size_t>(j)] =
          std::tanh(numbers[t] * W.at({0, j}) + h[t][0] * R.at({0, j}) + h[t][1] * R.at({1, j}));
    }
  }

  const std::vector<Tensor> found = gradients_by_step(model, x, y)[0].gradients;
  std::array<double, 2> dh{2 * said * v.at({0, 0}), 2 * said * v.at({1, 0})};
  double worst = 0;
  for (std::size_t t = steps; t-- > 0;) {
    std::array<double, 2> dz{}, before{};
    for (std::size_t j = 0; j < 2; ++j) {
      const double unroll_says = found[t].at({0, static_cast<Index>(j)});
      std::cout << "d loss / d h_" << t + 1 << "[" << j << "]: " << dh[j] << ", " << unroll_says
                << "\n";
      worst = std::max(worst, std::abs(dh[j] - unroll_says));
      dz[j] = dh[j] * (1 - h[t + 1][j] * h[t + 1][j]);
    }
    for (Index i = 0; i < 2; ++i) {
      before[static_cast<std::size_t>(i)] = dz[0] * R.at({i, 0}) + dz[1] * R.at({i, 1});
    }
    dh = before;
  }
  std::cout << "different by at most " << worst << "\n";
  return worst < 1e-12 ? 0 : 1;
}
