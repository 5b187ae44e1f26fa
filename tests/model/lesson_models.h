// The lesson's two models and data made up for them.
#pragma once

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "src/base/random.h"
#include "unroll/layers.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"

namespace unroll {

/// A wave with noise on it, (rows, 1).
inline Tensor wave(Index rows) {
  const base::Random random(4);
  Tensor series({rows, 1});
  for (Index i = 0; i < rows; ++i) {
    const double noise = random.uniform(static_cast<std::uint64_t>(i)) - 0.5;
    series.floats()[i] = static_cast<float>(0.5 + 0.4 * std::sin(0.1 * double(i)) + 0.1 * noise);
  }
  return series;
}

/// The forecast of the lesson: windows of 50 steps, the next one to be said.
inline Sequential forecaster() {
  return Sequential{InputLayer({.shape = {50, 1}}), SimpleRNN(50, {.activation = "relu"}),
                    Dense(1)};
}

/// Reviews of `length` words, and whether they hold more of the first half of the words.
struct Reviews {
  Tensor words, labels;
};
inline Reviews reviews(Index rows, Index length, Index vocabulary) {
  const base::Random random(5);
  Reviews made{Tensor({rows, length}, DType::int32), Tensor({rows, 1})};
  std::uint64_t position = 0;
  for (Index r = 0; r < rows; ++r) {
    Index low = 0;
    for (Index i = 0; i < length; ++i) {
      const Index word = random.below(vocabulary, position++);
      low += word < vocabulary / 2 ? 1 : 0;
      made.words.values<std::int32_t>()[static_cast<std::size_t>(r * length + i)] =
          static_cast<std::int32_t>(word);
    }
    made.labels.floats()[r] = 2 * low > length ? 1.0F : 0.0F;
  }
  return made;
}

/// The sentiment model of the lesson.
inline Model critic(Index length, Index vocabulary) {
  const Symbol words = Input({.shape = {length}});
  const Symbol h = Embedding(vocabulary, 32)(words);
  const Symbol states = SimpleRNN(16, {.return_sequences = true, .name = "rnn_layer"})(h);
  const Symbol positive = Dense(1, {.activation = "sigmoid"})(states[{all, -1, all}]);
  return Model({.inputs = {words}, .outputs = {positive}});
}

/// All weights as bytes.
inline std::string bytes_of(const Model& model) {
  std::string bytes;
  for (const Tensor& weight : model.get_weights()) {
    bytes.append(static_cast<const char*>(weight.raw()), static_cast<std::size_t>(weight.bytes()));
  }
  return bytes;
}

}  // namespace unroll
