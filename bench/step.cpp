// One time step at batch 1 with carried states, timed on request; and a process that loads a model
// and predicts once.
//
//   build/bench/step LAYER WEIGHTS [STEPS]  LAYER: rnn50, gru64, lstm64, lstm512
//   build/bench/step save PATH              WEIGHTS: float32, bfloat16, int8
//   build/bench/step cold PATH
//
// With STEPS it takes so many steps and ends: for whoever counts instructions.
// The protocol is that of bench/steps.cpp: "go MILLISECONDS" in, a line of JSON out.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "unroll/bundle.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"
#include "unroll/stream.h"

namespace {

using namespace unroll;
using Clock = std::chrono::steady_clock;

Model model_of(const std::string& name) {
  const Index features = name == "rnn50" ? 1 : name == "lstm512" ? 512 : 64;
  const Symbol x = Input({.shape = {unknown, features}});
  Symbol y;
  if (name == "rnn50") y = SimpleRNN(50)(x);
  if (name == "gru64") y = GRU(64)(x);
  if (name == "lstm64") y = LSTM(64)(x);
  if (name == "lstm512") y = LSTM(512)(x);
  if (y) return Model({.inputs = {x}, .outputs = {y}});
  std::cerr << "step: no such layer\n  got    " << name
            << "\n  want   rnn50, gru64, lstm64, lstm512\n";
  std::exit(2);
}

WeightType weights_of(const std::string& name) {
  if (name == "bfloat16") return WeightType::bfloat16;
  return name == "int8" ? WeightType::int8 : WeightType::float32;
}

/// Seconds a step, over as many steps as take about 50 microseconds.
double window(Session& session, const std::vector<float>& x, int steps) {
  const auto start = Clock::now();
  for (int i = 0; i < steps; ++i) session.step(x);
  return std::chrono::duration<double>(Clock::now() - start).count() / steps;
}

int answer(Session& session, const std::vector<float>& x) {
  const int steps = std::max(1, static_cast<int>(50e-6 / window(session, x, 100)));
  std::cout << "ready" << std::endl;
  std::string word;
  double milliseconds = 0;
  while (std::cin >> word >> milliseconds) {
    std::vector<double> times;
    const auto begin = Clock::now();
    while (std::chrono::duration<double>(Clock::now() - begin).count() * 1e3 < milliseconds) {
      times.push_back(window(session, x, steps));
    }
    std::ranges::sort(times);
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    std::cout << "{\"min\": " << times.front() << ", \"median\": " << times[times.size() / 2]
              << ", \"steps\": " << times.size() << ", \"rss_kb\": " << used.ru_maxrss << "}"
              << std::endl;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "step: LAYER WEIGHTS [STEPS], or save PATH, or cold PATH\n";
    return 2;
  }
  const std::string first = arguments[1], second = arguments[2];
  if (first == "save") {
    save_bundle({.model = model_of("lstm64")}, second);
    return 0;
  }
  if (first == "cold") {
    Bundle bundle = load_bundle(second);
    const Tensor y = bundle.model.predict(Tensor({1, 20, 64}));
    return y.elements() == 64 ? 0 : 1;
  }
  Model model = model_of(first);
  const PackedModel packed(model, {.weights = weights_of(second)});
  Session session(packed);
  const std::vector<float> x(static_cast<std::size_t>(model.inputs()[0].shape()[2]), 0.3f);
  if (count == 3) return answer(session, x);
  for (int i = std::atoi(arguments[3]); i > 0; --i) session.step(x);
}
