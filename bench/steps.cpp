// Training steps of the lesson's models, timed on request; one side of bench/run's comparison.
//
//   build/bench/steps WORKLOAD [threads [STEPS]]
//
// With STEPS it takes so many steps and ends: for whoever counts instructions.
// Reads lines "go MILLISECONDS" from standard input; each is answered by a line of JSON with the
// times of the steps done meanwhile. So two programs can be measured in turns, each warm.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "unroll/layers.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"

namespace {

using namespace unroll;
using Seconds = std::chrono::duration<double>;

struct Workload {
  Model model;
  Tensor x, y;
};

/// Numbers that look like scaled data and depend on nothing but their place.
Tensor numbers(const Shape& shape) {
  Tensor tensor(shape);
  std::uint32_t state = 1;
  for (float& value : tensor.values<float>()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 16777216.0f;
  }
  return tensor;
}

Tensor ids(const Shape& shape, Index vocabulary) {
  Tensor tensor(shape, DType::int32);
  std::uint32_t state = 7;
  for (std::int32_t& value : tensor.values<std::int32_t>()) {
    // Frequent words are frequent: squaring a uniform number crowds the small ids, as Zipf's law
    // does.
    state = state * 1664525u + 1013904223u;
    const double u = (state >> 8) / 16777216.0;
    value = static_cast<std::int32_t>(u * u * u * static_cast<double>(vocabulary));
  }
  return tensor;
}

/// The same with rows of lengths uniform in 1..T, zeros behind them or in front.
Tensor padded(Tensor words, bool in_front) {
  const Index rows = words.shape()[0], T = words.shape()[1];
  std::uint32_t state = 11;
  for (Index r = 0; r < rows; ++r) {
    state = state * 1664525u + 1013904223u;
    const Index length = 1 + static_cast<Index>(state >> 8) % T;
    for (Index t = 0; t < T; ++t) {
      std::int32_t& id = words.values<std::int32_t>()[static_cast<std::size_t>(r * T + t)];
      const bool padding = in_front ? t < T - length : t >= length;
      id = padding ? 0 : std::max(id, 1);
    }
  }
  return words;
}

Tensor labels(Index rows) {
  Tensor tensor({rows, 1});
  for (Index i = 0; i < rows; ++i) tensor.floats()[i] = static_cast<float>(i % 2);
  return tensor;
}

Workload p1() {
  return {Sequential{SimpleRNN(50, {.activation = "relu"}), Dense(1)}, numbers({32, 50, 1}),
          numbers({32, 1})};
}

Workload p4() {
  const Symbol words = Input({.shape = {100}});
  const Symbol h = SimpleRNN(16, {.return_sequences = true})(Embedding(5000, 32)(words));
  const Symbol y = Dense(1, {.activation = "sigmoid"})(h[{all, -1, all}]);
  return {Model({.inputs = {words}, .outputs = {y}}), ids({64, 100}, 5000), labels(64)};
}

Workload of_words(const Layer& layer) {
  return {Sequential{Embedding(5000, 32), layer, Dense(1)}, ids({64, 200}, 5000), numbers({64, 1})};
}

Workload of_numbers(const Layer& layer, Index batch = 64) {
  return {Sequential{layer, Dense(1)}, numbers({batch, 50, 256}), numbers({batch, 1})};
}

/// Says the next character at every step.
Workload characters(int layers) {
  std::vector<Layer> list{Embedding(65, 64)};
  for (int i = 0; i < layers; ++i) list.push_back(LSTM(512, {.return_sequences = true}));
  list.push_back(Dense(65, {.activation = "softmax"}));
  return {Sequential(list), ids({64, 128}, 65), ids({64, 128}, 65)};
}

Workload masked(const Layer& layer, const Tensor& words) {
  return {Sequential{Embedding(5000, 32, {.mask_zero = true}), layer,
                     Dense(1, {.activation = "sigmoid"})},
          words, labels(words.shape()[0])};
}

Workload masked(const std::string& name) {
  const bool large = name.starts_with("masks256");
  const Layer layer = large ? Layer(GRU(256)) : Layer(LSTM(64));
  Tensor words = ids({64, 100}, 5000);
  for (std::int32_t& id : words.values<std::int32_t>()) id = std::max(id, 1);
  if (name.ends_with("_right")) return masked(layer, padded(words, false));
  if (name.ends_with("_left")) return masked(layer, padded(words, true));
  return masked(layer, words);
}

Workload make(const std::string& name) {
  if (name == "p1") return p1();
  if (name == "p4") return p4();
  if (name == "gru64") return of_words(GRU(64));
  if (name == "lstm64") return of_words(LSTM(64));
  if (name == "char1") return characters(1);
  if (name == "char2") return characters(2);
  if (name == "rnn256") return of_numbers(SimpleRNN(256));
  if (name == "gru256") return of_numbers(GRU(256));
  if (name == "lstm256") return of_numbers(LSTM(256));
  if (name == "gru256few") return of_numbers(GRU(256), 8);
  if (name == "lstm512few") return of_numbers(LSTM(512), 8);
  if (name.starts_with("masks")) return masked(name);
  std::cerr << "steps: no such workload\n  got    " << name
            << "\n  want   p1, p4, gru64, lstm64, char1, char2, rnn256, gru256, lstm256, "
               "gru256few, lstm512few, masks..._full|_right|_left\n";
  std::exit(2);
}

long peak_kilobytes() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used.ru_maxrss;
}

Loss loss_of(const std::string& name) {
  if (name.starts_with("char")) return "sparse_categorical_crossentropy";
  return name == "p4" || name.starts_with("masks") ? Loss("binary_crossentropy") : Loss("mse");
}

}  // namespace

int main(int count, char** arguments) {
  const std::string name = count > 1 ? arguments[1] : "p1";
  const int threads = count > 2 ? std::atoi(arguments[2]) : 1;
  Workload work = make(name);
  work.model.compile({.optimizer = "adam", .loss = loss_of(name), .seed = 7, .threads = threads});
  if (count > 3) {
    for (int i = std::atoi(arguments[3]); i > 0; --i) work.model.train_on_batch(work.x, work.y);
    return 0;
  }
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    work.model.train_on_batch(work.x, work.y);
    // Steps of a second each need no more to be warm.
    if (Seconds(std::chrono::steady_clock::now() - started).count() > 1) break;
  }
  std::cout << "ready" << std::endl;
  std::string word;
  double milliseconds = 0;
  while (std::cin >> word >> milliseconds) {
    std::vector<double> times;
    const auto begin = std::chrono::steady_clock::now();
    auto now = begin;
    while (Seconds(now - begin).count() * 1e3 < milliseconds) {
      work.model.train_on_batch(work.x, work.y);
      const auto after = std::chrono::steady_clock::now();
      times.push_back(Seconds(after - now).count());
      now = after;
    }
    std::ranges::sort(times);
    std::cout << "{\"min\": " << times.front() << ", \"median\": " << times[times.size() / 2]
              << ", \"steps\": " << times.size() << ", \"rss_kb\": " << peak_kilobytes() << "}"
              << std::endl;
  }
}
