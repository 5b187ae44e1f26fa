// Newer recurrences: where a GRU could stand, a minGRU, an LRU or an SRU can; and an echo state
// network, whose only training is one system of linear equations.
#include <algorithm>
#include <cmath>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

/// A wave whose pitch changes from row to row.
float wave(Index row, Index t) {
  const float pitch = 0.15f + 0.02f * static_cast<float>(row % 16);
  return std::sin(pitch * static_cast<float>(t)) * std::cos(0.05f * static_cast<float>(t));
}

/// Mean squared error of the next number, on waves that the model has not seen.
double error_of(Model& model, const Tensor& x, const Tensor& y) {
  return model.evaluate(x, y)[0].second;
}

int main() {
  constexpr Index rows = 48, time = 200;
  Tensor x({rows, time, 1}), y({rows, time, 1});
  for (Index row = 0; row < rows; ++row) {
    for (Index t = 0; t < time; ++t) {
      x.floats()[row * time + t] = wave(row, t + 40 * (row / 16));
      y.floats()[row * time + t] = wave(row, t + 1 + 40 * (row / 16));
    }
  }
  const Tensor seen_x = x.rows(0, 32), seen_y = y.rows(0, 32);
  const Tensor new_x = x.rows(32, rows), new_y = y.rows(32, rows);

  // Cells of all kinds stack, read both ways, carry states and take masks, as a GRU does.
  Sequential model{InputLayer({.shape = {unknown, 1}}), QRNN(16, {.return_sequences = true}),
                   SRU(16, {.return_sequences = true}), MinGRU(16, {.return_sequences = true}),
                   Dense(1)};
  model.compile({.optimizer = Adam{.learning_rate = 0.01}, .loss = "mse", .seed = 1});
  model.fit(seen_x, seen_y, {.batch_size = 8, .epochs = 100});
  const double trained = error_of(model, new_x, new_y);
  std::cout << "trained, mean squared error of the next number: " << trained << "\n";

  // The scan that trained it and one step at a time are the same function.
  const PackedModel packed(model);
  Session session(packed);
  const Tensor whole = model.predict(new_x.rows(0, 1))[0];
  float apart = 0;
  for (Index t = 0; t < time; ++t) {
    const float now = new_x.floats()[t];
    apart = std::max(apart, std::abs(session.step(std::span(&now, 1))[0] - whole.floats()[t]));
  }
  std::cout << "steps and scan differ by at most " << apart << "\n";

  // An echo state network: the reservoir is drawn, the readout is solved for.
  Sequential echo{InputLayer({.shape = {unknown, 1}}),
                  ESN(200, {.spectral_radius = 0.9, .return_sequences = true}), Dense(1)};
  fit_readout(echo, seen_x, seen_y, {.alpha = 1e-7});
  echo.compile({.loss = "mse"});
  const double solved = error_of(echo, new_x, new_y);
  std::cout << "echo state network, the same: " << solved << "\n";

  // Must reach: both far below 0.25, the variance of the waves.
  return trained < 0.002 && solved < 0.002 && apart < 1e-4f ? 0 : 1;
}
