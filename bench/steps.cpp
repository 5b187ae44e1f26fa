// Training steps, timed on request (bench/side.h): one side of bench/run's comparisons.
//
//   build/bench/steps WORKLOAD [threads [STEPS | check]]
//
// With STEPS it takes so many steps and ends: for whoever counts instructions. With `check` it
// prints the loss and the length of each weight's gradient, for weights that every peer makes
// alike.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bench/side.h"
#include "unroll/layers.h"
#include "unroll/model.h"
#include "unroll/newer_cells.h"
#include "unroll/recurrent.h"

namespace {

using namespace unroll;

struct Workload {
  Model model;
  Tensor x, y;
};

Tensor numbers(const Shape& shape) {
  return Tensor::of<float>(shape, bench::numbers(shape.elements()));
}

Tensor ids(const Shape& shape, Index vocabulary) {
  return Tensor::of<std::int32_t>(shape, bench::ids(shape.elements(), vocabulary));
}

/// The same with rows of lengths uniform in 1..T, zeros behind them or in front.
Tensor padded(Tensor words, bool in_front) {
  const Index rows = words.shape()[0], T = words.shape()[1];
  bench::Numbers source(11);
  for (Index r = 0; r < rows; ++r) {
    const Index length = 1 + static_cast<Index>(source.bits()) % T;
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

/// One number after 16,384 steps of 256, of as many rows as the name ends with: long1_gru.
Workload of_a_long_sequence(const std::string& name) {
  const Index rows = name.starts_with("long16") ? 16 : 1;
  const Layer layer = name.ends_with("mingru") ? Layer(MinGRU(256)) : Layer(GRU(256));
  return {Sequential{layer, Dense(1)}, numbers({rows, 16384, 256}), numbers({rows, 1})};
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
  if (name.starts_with("long")) return of_a_long_sequence(name);
  std::cerr << "steps: no such workload\n  got    " << name
            << "\n  want   p1, p4, gru64, lstm64, char1, char2, rnn256, gru256, lstm256, "
               "gru256few, lstm512few, masks..._full|_right|_left\n";
  std::exit(2);
}

Loss loss_of(const std::string& name) {
  if (name.starts_with("char")) return "sparse_categorical_crossentropy";
  return name == "p4" || name.starts_with("masks") ? Loss("binary_crossentropy") : Loss("mse");
}

/// One step of gradient descent tells the gradient by the way the weights have gone.
int check(Workload& work, const std::string& name) {
  constexpr double rate = 1000;  // so that rounding the new weights hides nothing
  work.model.compile({.optimizer = SGD{.learning_rate = rate}, .loss = loss_of(name)});
  work.model.train_on_batch(work.x, work.y);  // builds it
  std::vector<Tensor> weights = work.model.get_weights();
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const Shape& shape = weights[k].shape();
    weights[k] = Tensor::of<float>(shape, bench::weight(shape.elements(), k));
  }
  work.model.set_weights(weights);
  std::vector<double> values{work.model.train_on_batch(work.x, work.y)[0].second};
  const std::vector<Tensor> after = work.model.get_weights();
  for (std::size_t k = 0; k < weights.size(); ++k) {
    double sum = 0;
    for (Index i = 0; i < weights[k].elements(); ++i) {
      const double moved = weights[k].floats()[i] - after[k].floats()[i];
      sum += moved * moved;
    }
    values.push_back(std::sqrt(sum) / rate);
  }
  bench::print_values(values);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string name = count > 1 ? arguments[1] : "p1";
  const int threads = count > 2 ? std::atoi(arguments[2]) : 1;
  Workload work = make(name);
  if (count > 3 && arguments[3] == std::string("check")) return check(work, name);
  work.model.compile({.optimizer = "adam", .loss = loss_of(name), .seed = 7, .threads = threads});
  const auto step = [&] {
    const auto start = bench::Clock::now();
    work.model.train_on_batch(work.x, work.y);
    return bench::seconds_since(start);
  };
  if (count > 3) {
    for (int i = std::atoi(arguments[3]); i > 0; --i) step();
    return 0;
  }
  bench::warm_up(step);
  return bench::answer(step);
}
