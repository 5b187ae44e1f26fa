// The last step of a recurrent layer for a batch of sequences, timed on request (bench/side.h).
//
//   build/bench/predict LAYER UNITS THREADS [check]     LAYER: simple_rnn, gru, lstm
//
// 256 sequences of 100 steps of 32 numbers, by Model::predict. `check` prints the result.
#include <cstdlib>
#include <iostream>
#include <string>

#include "bench/models.h"

int main(int count, char** arguments) {
  using namespace unroll;
  if (count < 4) {
    std::cerr << "predict: LAYER UNITS THREADS [check]\n";
    return 2;
  }
  Model model = bench::recurrent_model(arguments[1], 32, std::atol(arguments[2]));
  model.compile({.threads = std::atoi(arguments[3])});
  const Shape shape{256, 100, 32};
  const Tensor x = Tensor::of<float>(shape, bench::numbers(shape.elements()));
  const auto predict = [&] { return model.predict(x, {.batch_size = 256})[0]; };
  if (count > 4) {
    const Tensor y = predict();
    const auto values = y.values<float>();
    bench::print_values({values.begin(), values.end()});
    return 0;
  }
  const auto step = [&] {
    const auto start = bench::Clock::now();
    predict();
    return bench::seconds_since(start);
  };
  bench::warm_up(step);
  return bench::answer(step);
}
