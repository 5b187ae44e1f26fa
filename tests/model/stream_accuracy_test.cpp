// What fewer bits of weights cost a trained model, by the numbers it was trained for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "src/base/random.h"
#include "unroll/layers.h"
#include "unroll/losses.h"
#include "unroll/recurrent.h"
#include "unroll/stream.h"

namespace unroll {
namespace {

constexpr Index vocabulary = 12;

/// Words of which each mostly follows from the two before it: nobody can be right about the rest.
std::vector<std::int32_t> words(Index count, std::uint64_t stream) {
  const base::Random random(5, stream);
  std::vector<std::int32_t> list{1, 2};
  for (Index i = 2; i < count; ++i) {
    const auto at = static_cast<std::uint64_t>(i);
    const std::int32_t a = list[list.size() - 2], b = list.back();
    const bool surprise = random.uniform(2 * at) < 0.15;
    const auto any = static_cast<std::int32_t>(random.uniform(2 * at + 1) * vocabulary);
    list.push_back(surprise ? any : (3 * a + 5 * b + 1) % static_cast<std::int32_t>(vocabulary));
  }
  return list;
}

Model trained() {
  constexpr Index rows = 192, time = 32;
  const auto text = words(rows * time + 1, 1);
  Tensor x({rows, time}, DType::int32), y({rows, time}, DType::int32);
  std::copy_n(text.begin(), rows * time, x.values<std::int32_t>().begin());
  std::copy_n(text.begin() + 1, rows * time, y.values<std::int32_t>().begin());
  const Symbol ids = Input({.shape = {unknown}});
  const Symbol h = LSTM(48, {.return_sequences = true})(Embedding(vocabulary, 16)(ids));
  const Symbol z = GRU(32, {.return_sequences = true})(h);
  Model model({.inputs = {ids}, .outputs = {Dense(vocabulary, {.activation = "softmax"})(z)}});
  model.compile({.optimizer = Adam{.learning_rate = 0.01},
                 .loss = "sparse_categorical_crossentropy",
                 .seed = 3});
  model.fit(x, y, {.batch_size = 32, .epochs = 25});
  return model;
}

struct Score {
  double accuracy = 0, loss = 0;
};

/// Over a text that was not trained on, from word to word.
Score score(const PackedModel& packed) {
  const auto text = words(8000, 2);
  Session session(packed);
  Score total;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto p = session.step(text[i]);
    const auto next = static_cast<std::size_t>(text[i + 1]);
    const auto best = static_cast<std::size_t>(std::ranges::max_element(p) - p.begin());
    total.accuracy += best == next ? 1 : 0;
    total.loss -= std::log(std::max(static_cast<double>(p[next]), 1e-7));
  }
  const auto count = static_cast<double>(text.size() - 1);
  return {total.accuracy / count, total.loss / count};
}

TEST(StreamAccuracy, FewerBitsCostATrainedModelUnderHalfAPerCent) {
  const Model model = trained();
  const Score full = score(PackedModel(model));
  EXPECT_GT(full.accuracy, 0.75);  // 0.86 is all there is to know
  for (const WeightType weights : {WeightType::bfloat16, WeightType::int8}) {
    const Score fewer = score(PackedModel(model, {.weights = weights}));
    std::printf("%s: accuracy %.4f (float32 %.4f), loss %.4f (float32 %.4f)\n",
                weights == WeightType::int8 ? "int8" : "bfloat16", fewer.accuracy, full.accuracy,
                fewer.loss, full.loss);
    EXPECT_GT(fewer.accuracy, full.accuracy * 0.995);
    EXPECT_LT(fewer.loss, full.loss * 1.02);
  }
}

}  // namespace
}  // namespace unroll
