// How time and memory grow with the work, timed on request (bench/side.h).
//
//   build/bench/scaling time|batch|units|data FACTOR THREADS
//
// time:  a training step of GRU(64) on 64 sequences of 25 x FACTOR steps of 32 numbers
// batch: the same on 32 x FACTOR sequences of 50 steps
// units: the same with 16 x FACTOR units, 64 sequences of 50 steps
// data:  an epoch of SimpleRNN(50) over the windows of 50 rows of a series of 1,000 x FACTOR
#include <cstdlib>
#include <iostream>
#include <string>

#include "bench/side.h"
#include "unroll/layers.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"
#include "unroll/windows.h"

namespace {

using namespace unroll;

Tensor numbers(const Shape& shape) {
  return Tensor::of<float>(shape, bench::numbers(shape.elements()));
}

template <class Work>
int measure(Work work, const std::string& more) {
  const auto step = [&] {
    const auto start = bench::Clock::now();
    work();
    return bench::seconds_since(start);
  };
  bench::warm_up(step);
  return bench::answer(step, more);
}

int steps(const std::string& what, Index factor, int threads) {
  const Index batch = what == "batch" ? 32 * factor : 64;
  const Index time = what == "time" ? 25 * factor : 50;
  const Index units = what == "units" ? 16 * factor : 64;
  const Tensor x = numbers({batch, time, 32}), y = numbers({batch, 1});
  Sequential model{GRU(units), Dense(1)};
  model.compile({.optimizer = "adam", .threads = threads});
  // Of the products: forward, and twice as many back.
  const Index operations = 6 * batch * time * 3 * units * (32 + units);
  return measure([&] { model.train_on_batch(x, y); },
                 ", \"operations\": " + std::to_string(operations) +
                     ", \"data_kb\": " + std::to_string((x.bytes() + y.bytes()) / 1024));
}

int data(Index factor, int threads) {
  const Tensor series = numbers({1000 * factor + 50, 1});
  const Windows cut = windows(series, {.length = 50});
  Sequential model{SimpleRNN(50, {.activation = "relu"}), Dense(1)};
  model.compile({.optimizer = "adam", .threads = threads});
  return measure([&] { model.fit(cut.x, cut.y, {.batch_size = 40}); },
                 ", \"data_kb\": " + std::to_string(series.bytes() / 1024));
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count > 3 ? arguments[1] : "";
  const Index factor = count > 3 ? std::atol(arguments[2]) : 0;
  if (factor > 0 && (what == "time" || what == "batch" || what == "units")) {
    return steps(what, factor, std::atoi(arguments[3]));
  }
  if (factor > 0 && what == "data") return data(factor, std::atoi(arguments[3]));
  std::cerr << "scaling: time|batch|units|data FACTOR THREADS\n";
  return 2;
}
