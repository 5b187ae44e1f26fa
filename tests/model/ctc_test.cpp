// Training with CTC: labels that are not one for each step.
#include "unroll/ctc.h"

#include <gtest/gtest.h>

#include "tests/model/lesson_models.h"
#include "unroll/error.h"

namespace unroll {
namespace {

/// Rows of `steps` steps in which symbols 1, 2 and 3 are written, each for 2 to 4 steps with noise
/// on them and silence between; what is behind the last is zeros. The labels are the symbols.
struct Writing {
  static constexpr Index steps = 24, features = 4, length = 4;
  Tensor x, labels;

  explicit Writing(Index rows) : x({rows, steps, features}), labels({rows, length}, DType::int32) {
    const base::Random random(9);
    std::uint64_t next = 0;
    const auto below = [&](Index n) {
      return static_cast<Index>(random.uniform(next++) * double(n));
    };
    for (Index row = 0; row < rows; ++row) {
      const Index written = 2 + below(length - 1);
      Index t = 0;
      for (Index i = 0; i < written; ++i) {
        const Index symbol = 1 + below(3);
        labels.values<std::int32_t>()[static_cast<std::size_t>(row * length + i)] =
            static_cast<std::int32_t>(symbol);
        const Index loud = 2 + below(3), silent = 1 + below(2);
        for (Index s = 0; s < loud + silent; ++s, ++t) {
          float* step = x.floats() + (row * steps + t) * features;
          for (Index f = 0; f < features; ++f) {
            step[f] = static_cast<float>(0.2 * random.uniform(next++)) + 0.01f;
          }
          if (s < loud) step[symbol] += 1;
        }
      }
    }
  }
};

Model reader(bool masked) {
  const Symbol x = Input({.shape = {Writing::steps, Writing::features}});
  const Symbol heard = masked ? Masking()(x) : x;
  const Symbol h = Bidirectional(GRU(12, {.return_sequences = true}))(heard);
  return Model({.inputs = {x}, .outputs = {Dense(4)(h)}});
}

TEST(CtcFit, LearnsToReadWhatHasNoAlignment) {
  const Writing data(160), test(200);
  for (const bool masked : {false, true}) {
    Model model = reader(masked);
    model.compile({.optimizer = Adam{.learning_rate = 0.02}, .loss = "ctc", .seed = 5});
    const History history = model.fit(data.x, data.labels, {.batch_size = 32, .epochs = 40});
    EXPECT_LT(history["loss"].back(), 0.1 * history["loss"].front());
    LabelErrorRate rate;
    const Rows later = Rows(test.x).slice(160, 200);
    rate.add(Rows(test.labels).slice(160, 200).tensor(),
             ctc_greedy_decode(model.predict(later)[0]));
    EXPECT_LT(rate.rate(), 0.05) << (masked ? "masked" : "whole");
  }
}

TEST(CtcFit, IsTheLossOfItsPredictions) {
  const Writing data(12);
  Model model = reader(false);
  model.compile({.loss = "ctc"});
  const double loss = value_of(model.evaluate(data.x, data.labels), "loss");
  const LossResult expected =
      evaluate_loss("ctc", {.y_true = data.labels, .y_pred = model.predict(data.x)[0]});
  EXPECT_NEAR(loss, expected.value, 1e-5);
}

TEST(CtcFit, GivesTheSameBytesOnAnyThreads) {
  const Writing data(64);
  const auto trained = [&](int threads) {
    Model model = reader(true);
    model.compile({.optimizer = "adam", .loss = "ctc", .seed = 5, .threads = threads});
    model.fit(data.x, data.labels, {.epochs = 2});
    return bytes_of(model);
  };
  const std::string one = trained(1);
  EXPECT_EQ(trained(2) == one, true);
  EXPECT_EQ(trained(3) == one, true);
}

TEST(CtcFit, RefusesMetrics) {
  const Writing data(8);
  Model model = reader(false);
  model.compile({.loss = "ctc", .metrics = {"accuracy"}});
  try {
    model.fit(data.x, data.labels);
    FAIL() << "no refusal";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "compile: metrics of an output that is trained with ctc\n"
                 "  got    \"dense\"\n"
                 "hint: decode the predictions and count with LabelErrorRate (unroll/ctc.h)");
  }
}

}  // namespace
}  // namespace unroll
