// State that outlives a batch: one tick at a time, and two callers who do not disturb each other.
#include <cmath>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

int main() {
  // A wave that turns around every 20 ticks: where it goes next cannot be seen from one tick.
  Tensor x({400, 1, 1}), y({400, 1});
  for (Index i = 0; i < 400; ++i) {
    x.floats()[i] = std::sin(static_cast<float>(i) * 0.314f);
    y.floats()[i] = std::sin(static_cast<float>(i + 1) * 0.314f);
  }

  Symbol tick = Input({.shape = {1, 1}, .batch_size = 1});
  Symbol next = Dense(1)(SimpleRNN(32, {.stateful = true})(tick));
  Model model({.inputs = {tick}, .outputs = {next}});
  model.compile({.optimizer = "adam", .loss = "mse", .seed = 1});
  double loss = 0;
  for (int epoch = 0; epoch < 5; ++epoch) {
    loss = model.fit(x, y, {.batch_size = 1, .epochs = 1, .shuffle = false})["loss"].back();
    model.reset_states();
  }
  std::cout << "loss " << loss << "\n";

  // Two callers, one set of weights. Bob does not see what Alice was told.
  Session alice, bob;
  Tensor one = x.rows(0, 1);
  const double first = Tensor(model.predict(alice, one)).at({0, 0});
  const double second = Tensor(model.predict(alice, one)).at({0, 0});
  const double other = Tensor(model.predict(bob, one)).at({0, 0});
  std::cout << "alice " << first << ", then " << second << "; bob " << other << "\n";
  return loss < 0.05 && first == other && first != second ? 0 : 1;  // must reach 0.05
}
