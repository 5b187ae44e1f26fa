// A model that answers at every tick: one time step a call, states kept between calls.
//
// It learns to say the next number of a wave and is then asked tick by tick, as a controller, a
// chat or a sound card would ask it: nothing is allocated, and nobody is waited for.
#include <algorithm>
#include <cmath>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

float wave(Index t) { return std::sin(0.3f * static_cast<float>(t)); }

int main() {
  // Sequences of 40 ticks, and what each tick is followed by.
  Tensor x({64, 40, 1}), y({64, 40, 1});
  for (Index row = 0; row < 64; ++row) {
    for (Index t = 0; t < 40; ++t) {
      x.floats()[row * 40 + t] = wave(7 * row + t);
      y.floats()[row * 40 + t] = wave(7 * row + t + 1);
    }
  }
  Symbol ticks = Input({.shape = {unknown, 1}});
  Symbol h = GRU(16, {.return_sequences = true})(ticks);
  Model model({.inputs = {ticks}, .outputs = {Dense(1)(h)}});
  model.compile({.optimizer = Adam{.learning_rate = 0.01}, .loss = "mse", .seed = 1});
  model.fit(x, y, {.batch_size = 8, .epochs = 20});

  PackedModel packed(model);  // any number of sessions may share it, on any threads
  Session session(packed);
  float worst = 0;
  for (Index t = 0; t < 200; ++t) {
    const float now = wave(t);
    const float next = session.step(std::span(&now, 1))[0];
    if (t >= 10) worst = std::max(worst, std::abs(next - wave(t + 1)));
  }
  std::cout << "largest error from the tenth tick on: " << worst << "\n";

  // Two futures from here: a copy of the states goes its own way.
  Session other(packed);
  other.set_states(session);
  float up = 1, down = -1;
  std::cout << "after a tick of 1: " << session.step(std::span(&up, 1))[0]
            << ", of -1: " << other.step(std::span(&down, 1))[0] << "\n";
  return worst < 0.2f ? 0 : 1;
}
