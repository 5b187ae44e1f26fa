// The adding problem over hundreds of steps, trained until it is solved or time is up.
//
//   adding GRU 600 --seed 1 --minutes 30 --threads 2
//
// Prints the error on unseen sequences as it goes: updates, seconds, mean squared error. To say 1
// is wrong by about 0.167. Fresh sequences every round: nothing can be learnt by heart.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>

#include "unroll/unroll.h"

namespace {

using namespace unroll;

struct Arguments {
  std::string cell;
  Index steps = 600;
  std::uint64_t seed = 1;
  double minutes = 30;
  int threads = 0;
  double rate = 3e-3;
  Index units = 64;
};

Layer layer_of(const Arguments& a) {
  if (a.cell == "SimpleRNN") return SimpleRNN(a.units, {.name = "cell"});
  if (a.cell == "GRU") return GRU(a.units, {.name = "cell"});
  return LSTM(a.units, {.name = "cell"});
}

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

int run(const Arguments& a) {
  constexpr Index batch = 32, round = 100;
  Sequential model{InputLayer({.shape = {unknown, 2}}), layer_of(a), Dense(1)};
  model.compile({.optimizer = Adam{.learning_rate = a.rate, .global_clipnorm = 1.0},
                 .loss = "mse",
                 .seed = a.seed,
                 .threads = a.threads});
  const Problem test = adding_problem(1000, a.steps, a.seed + 1'000'000'007);
  fmt::print("{} units {} steps {} seed {} rate {}: {} parameters\n", a.cell, a.units, a.steps,
             a.seed, a.rate, model.count_params());
  double guessed = 0;  // the error of who always says 1, on these very sequences
  for (const float y : test.y.values<float>()) {
    guessed += static_cast<double>((y - 1) * (y - 1)) / static_cast<double>(test.y.elements());
  }
  fmt::print("always to say 1: error {:.5f}\n", guessed);
  const auto begun = std::chrono::steady_clock::now();
  double error = 1;
  for (Index done = 0; seconds_since(begun) < 60 * a.minutes && error >= 0.0005; ++done) {
    const Problem train = adding_problem(batch * round, a.steps,
                                         a.seed * 1'000'003 + static_cast<std::uint64_t>(done));
    model.fit(train.x, train.y,
              {.batch_size = batch, .epochs = done + 1, .shuffle = false, .initial_epoch = done});
    if (done % 5 != 4) continue;
    error = value_of(model.evaluate(test.x, test.y, {.batch_size = 100}), "loss");
    fmt::print("{:6d} updates {:6.0f} s  error {:.5f}\n", (done + 1) * round, seconds_since(begun),
               error);
    std::fflush(stdout);
  }
  return error < 0.001 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  Arguments a;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto number = [&] { return i + 1 < count ? std::atof(words[++i]) : 0; };
    if (word == "--seed")
      a.seed = static_cast<std::uint64_t>(number());
    else if (word == "--minutes")
      a.minutes = number();
    else if (word == "--threads")
      a.threads = static_cast<int>(number());
    else if (word == "--rate")
      a.rate = number();
    else if (word == "--units")
      a.units = static_cast<Index>(number());
    else if (word == "SimpleRNN" || word == "GRU" || word == "LSTM")
      a.cell = word;
    else
      a.steps = std::atol(word.c_str());
  }
  if (a.cell.empty() || a.steps < 2) {
    fmt::print(stderr,
               "adding SimpleRNN|GRU|LSTM STEPS [--seed N] [--minutes N] [--threads N] "
               "[--rate N] [--units N]\n");
    return 2;
  }
  return run(a);
}
