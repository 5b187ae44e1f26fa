// One time step at batch 1 with carried states, timed on request (bench/side.h); and a process that
// loads a model and predicts once.
//
//   build/bench/step LAYER WEIGHTS [STEPS]  LAYER: rnn50, gru64, lstm64, lstm512
//   build/bench/step check LAYER            WEIGHTS: float32, bfloat16, int8
//   build/bench/step save PATH
//   build/bench/step cold PATH
//
// With STEPS it takes so many steps and ends: for whoever counts instructions. `check` prints what
// the third step gives.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bench/models.h"
#include "unroll/bundle.h"
#include "unroll/stream.h"

namespace {

using namespace unroll;

Model model_of(const std::string& name) {
  if (name == "rnn50") return bench::recurrent_model("simple_rnn", 1, 50);
  if (name == "gru64") return bench::recurrent_model("gru", 64, 64);
  if (name == "lstm64") return bench::recurrent_model("lstm", 64, 64);
  if (name == "lstm512") return bench::recurrent_model("lstm", 512, 512);
  std::cerr << "step: no such layer\n  got    " << name
            << "\n  want   rnn50, gru64, lstm64, lstm512\n";
  std::exit(2);
}

WeightType weights_of(const std::string& name) {
  if (name == "bfloat16") return WeightType::bfloat16;
  return name == "int8" ? WeightType::int8 : WeightType::float32;
}

std::vector<float> input_of(const Model& model) {
  return std::vector<float>(static_cast<std::size_t>(model.inputs()[0].shape()[2]), 0.3f);
}

/// Seconds a step, over as many steps as take about 50 microseconds.
double window(Session& session, const std::vector<float>& x, int steps) {
  const auto start = bench::Clock::now();
  for (int i = 0; i < steps; ++i) session.step(x);
  return bench::seconds_since(start) / steps;
}

int check(const std::string& name) {
  const Model model = model_of(name);
  Session session{PackedModel(model)};
  const std::vector<float> x = input_of(model);
  for (int i = 0; i < 2; ++i) session.step(x);
  const auto y = session.step(x);
  bench::print_values({y.begin(), y.end()});
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "step: LAYER WEIGHTS [STEPS], or check LAYER, save PATH, cold PATH\n";
    return 2;
  }
  const std::string first = arguments[1], second = arguments[2];
  if (first == "check") return check(second);
  if (first == "save") {
    save_bundle({.model = model_of("lstm64")}, second);
    return 0;
  }
  if (first == "cold") {
    Bundle bundle = load_bundle(second);
    const Tensor y = bundle.model.predict(Tensor({1, 20, 64}))[0];
    std::cout << "{\"rss_kb\": " << bench::peak_kilobytes() << "}\n";
    return y.elements() == 64 ? 0 : 1;
  }
  const Model model = model_of(first);
  const PackedModel packed(model, {.weights = weights_of(second)});
  Session session(packed);
  const std::vector<float> x = input_of(model);
  if (count > 3) {
    for (int i = std::atoi(arguments[3]); i > 0; --i) session.step(x);
    return 0;
  }
  const int steps = std::max(1, static_cast<int>(50e-6 / window(session, x, 100)));
  return bench::answer([&] { return window(session, x, steps); });
}
