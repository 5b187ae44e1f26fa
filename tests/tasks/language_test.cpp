#include "unroll/language.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "src/base/random.h"
#include "tests/refused.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Ids = std::vector<std::int32_t>;

/// 0 1 2 0 1 3 0 1 2 ...: what follows 1 is known to who remembers four ids.
Ids pattern(Index count) {
  const Ids period{0, 1, 2, 0, 1, 3};
  Ids ids;
  for (Index i = 0; i < count; ++i) ids.push_back(period[static_cast<std::size_t>(i % 6)]);
  return ids;
}

Ids noise(Index count, Index vocabulary, std::uint64_t seed = 1) {
  Ids ids;
  const base::Random random(seed);
  for (Index i = 0; i < count; ++i) {
    ids.push_back(
        static_cast<std::int32_t>(random.below(vocabulary, static_cast<std::uint64_t>(i))));
  }
  return ids;
}

LanguageModel small(Index vocabulary, const std::string& cell = "gru", double dropout = 0) {
  return LanguageModel({.vocabulary = vocabulary,
                        .cell = cell,
                        .units = 16,
                        .layers = 2,
                        .embedding = 8,
                        .dropout = dropout});
}

/// -ln p of ids[1], ids[2], ... for one reader from the first id on.
std::vector<double> read_alone(const LanguageModel& model, std::span<const std::int32_t> ids) {
  LanguageReader reader(model);
  std::vector<double> nats;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    const std::span<const float> logits = reader.read(ids[i]);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    nats.push_back(std::log(sum) -
                   static_cast<double>(logits[static_cast<std::size_t>(ids[i + 1])]));
  }
  return nats;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST(Language, LearnsWhatOnlyAMemoryCanKnow) {
  for (const char* cell : {"simple_rnn", "gru", "lstm"}) {
    const LanguageModel model = small(4, cell);
    const LanguageReport report =
        train(model, pattern(3000),
              {.batch_size = 4, .steps = 12, .epochs = 15, .learning_rate = 0.02, .warmup = 10});
    EXPECT_EQ(report.training_tokens, 2700) << cell;
    EXPECT_EQ(report.validation.tokens, 300) << cell;
    EXPECT_EQ(report.steps_per_epoch, (2699 / 4) / 12) << cell;
    EXPECT_EQ(report.learnt_tokens, report.steps_per_epoch * 48) << cell;
    EXPECT_LT(report.validation.nats, 0.02) << cell;
    EXPECT_DOUBLE_EQ(report.validation.bits(), report.validation.nats / std::log(2.0));
    EXPECT_DOUBLE_EQ(report.validation.perplexity(), std::exp(report.validation.nats));
    const std::vector<double>& watched = report.history["val_loss"];
    EXPECT_EQ(report.validation.nats, watched[static_cast<std::size_t>(report.best_epoch)]);
  }
}

// With steps that change nothing, the loss of an epoch is that of each stream, read from zeros to
// its end by somebody who forgets nothing in between; and the next epoch's is the same again.
TEST(Language, StatesGoOnFromPieceToPieceAndBeginAnewInAnEpoch) {
  const Ids ids = noise(500, 5);
  const LanguageModel model = small(5, "lstm");
  const LanguageReport report = train(
      model, ids,
      {.batch_size = 3, .steps = 7, .epochs = 2, .learning_rate = 1e-12, .schedule = "constant"});
  const Index length = 449 / 3, used = length / 7 * 7;
  EXPECT_EQ(report.learnt_tokens, 3 * used);
  double sum = 0;
  for (Index b = 0; b < 3; ++b) {
    sum += mean(read_alone(model, std::span(ids).subspan(static_cast<std::size_t>(b * length),
                                                         static_cast<std::size_t>(used + 1))));
  }
  EXPECT_NEAR(report.history["loss"][0], sum / 3, 1e-6);
  EXPECT_NEAR(report.history["loss"][1], report.history["loss"][0], 1e-9);
}

TEST(Language, EvaluateForetellsEveryIdOnceFromAllBeforeIt) {
  const Ids ids = noise(700, 5);
  const LanguageModel model = small(5);
  const std::vector<double> alone = read_alone(model, ids);
  // 700 - 200 ids are read by 7 streams; a context of all that was before makes them one.
  const std::vector<double> logs = model.log_probabilities(ids, 200, 700);
  ASSERT_EQ(logs.size(), 500U);
  for (std::size_t i = 0; i < logs.size(); ++i) EXPECT_NEAR(-logs[i], alone[199 + i], 1e-5) << i;
  EXPECT_NEAR(model.evaluate(ids, 200, 700).nats, mean({alone.begin() + 199, alone.end()}), 1e-6);
  // From the beginning: nothing comes before the first id, so it is not foretold.
  EXPECT_EQ(model.evaluate(ids, 0).tokens, 699);
  EXPECT_NEAR(model.log_probabilities(ids, 0, 700)[0], -alone[0], 1e-5);
}

TEST(Language, NothingOfTheLastPartIsLearnt) {
  Ids ids = pattern(1000);
  const LanguageTraining options{
      .batch_size = 4, .steps = 10, .epochs = 3, .learning_rate = 0.01, .schedule = "constant"};
  const LanguageReport first = train(small(4), ids, options);
  const Ids other = noise(100, 4);
  std::ranges::copy(other, ids.begin() + 900);
  const LanguageReport second = train(small(4), ids, options);
  EXPECT_EQ(first.history["loss"], second.history["loss"]);
  EXPECT_NE(first.history["val_loss"], second.history["val_loss"]);
}

// What cannot be foretold is not foretold: a model that saw more than the past would beat ln 8.
TEST(Language, NoiseIsNotForetold) {
  const LanguageReport report = train(
      small(8), noise(4000, 8), {.batch_size = 8, .steps = 10, .epochs = 3, .learning_rate = 0.01});
  for (const double nats : report.history["val_loss"]) EXPECT_GT(nats, std::log(8.0) - 0.005);
}

TEST(Language, LookingOnChangesNothing) {
  const Ids ids = pattern(600);
  LanguageTraining options{.batch_size = 4, .steps = 10, .epochs = 3, .learning_rate = 0.01};
  const LanguageModel alone = small(4, "gru", 0.3), watched = small(4, "gru", 0.3);
  const LanguageReport first = train(alone, ids, options);
  Index told = 0;
  options.epoch_done = [&](const LanguageModel& model, Index epoch) {
    EXPECT_EQ(epoch, told++);
    LanguageReader reader(model);
    reader.read(1);
    static_cast<void>(model.evaluate(ids, 10));
  };
  const LanguageReport second = train(watched, ids, options);
  EXPECT_EQ(told, 3);
  EXPECT_EQ(first.history["loss"], second.history["loss"]);
  EXPECT_EQ(first.history["val_loss"], second.history["val_loss"]);
}

TEST(Language, SameSeedSameBytesOnAnyNumberOfThreads) {
  const Ids ids = noise(4000, 20);
  std::vector<double> first;
  for (const int threads : {1, 2, 3}) {
    const LanguageModel model = small(20, "gru", 0.2);
    const LanguageReport report =
        train(model, ids, {.batch_size = 48, .steps = 10, .epochs = 2, .threads = threads});
    if (first.empty()) first = report.history["loss"];
    EXPECT_EQ(report.history["loss"], first) << threads;
  }
}

TEST(Language, PatienceKeepsTheBestEpochsWeights) {
  // Noise is learnt by heart: the loss falls, that on the rest rises.
  const LanguageModel model = small(4);
  const LanguageReport report = train(model, noise(400, 4),
                                      {.batch_size = 2,
                                       .steps = 10,
                                       .epochs = 200,
                                       .learning_rate = 0.02,
                                       .schedule = "plateau",
                                       .patience = 3});
  ASSERT_TRUE(report.stopped);
  const std::vector<double>& watched = report.history["val_loss"];
  EXPECT_EQ(static_cast<Index>(watched.size()), report.best_epoch + 4);
  EXPECT_EQ(report.validation.nats, *std::ranges::min_element(watched));
  EXPECT_LT(report.history["learning_rate"].back(), 0.02);
}

TEST(Language, RatesGoUpAndThenDown) {
  const LanguageReport report = train(small(4), pattern(1000),
                                      {.batch_size = 4,
                                       .steps = 10,
                                       .epochs = 10,
                                       .learning_rate = 0.01,
                                       .warmup = 5,
                                       .patience = 9});
  const std::vector<double>& rates = report.history["learning_rate"];
  EXPECT_NEAR(rates.front(), 0.0098, 2e-4);
  EXPECT_NEAR(rates.back(), 1e-4, 1e-5);
}

TEST(Language, InterruptedAtOnce) {
  const LanguageModel model = small(4);
  const LanguageReport report = train(
      model, pattern(600), {.batch_size = 4, .steps = 10, .interrupted = [] { return true; }});
  EXPECT_TRUE(report.interrupted);
  EXPECT_EQ(report.history.epochs(), 1U);
  EXPECT_TRUE(std::isnan(report.validation.nats));
}

TEST(Language, Refusals) {
  EXPECT_EQ(refused([] { LanguageModel({.vocabulary = 1}); }),
            "LanguageModel: vocabulary is out of range\n"
            "  got    1\n"
            "  want   a whole number from 2 to 16,777,216");
  EXPECT_EQ(refused([] { LanguageModel({.vocabulary = 4, .cell = "gru2"}); }),
            "LanguageModel: no such cell\n"
            "  got    \"gru2\"\n"
            "  want   simple_rnn, gru or lstm");
  EXPECT_EQ(refused([] { LanguageModel({.vocabulary = 4, .dropout = 1}); }),
            "LanguageModel: dropout is out of range\n"
            "  got    1\n"
            "  want   from 0 to below 1");
  const LanguageModel model = small(4);
  EXPECT_EQ(refused([&] { train(model, pattern(300), {.batch_size = 8, .steps = 100}); }),
            "train: the text is too short for one step\n"
            "  got    270 tokens to learn from\n"
            "  want   more than 800: 8 streams of 100\n"
            "hint: a longer text, or steps of at most 33");
  EXPECT_EQ(refused([&] { train(model, Ids{}); }),
            "train: the text is too short to be split\n"
            "  got    0 tokens");
  EXPECT_EQ(refused([&] { train(model, Ids(300, 4), {.batch_size = 2, .steps = 10}); }),
            "train: an id that is not in the vocabulary\n"
            "  got    4\n"
            "  want   0 to 3");
  EXPECT_EQ(refused([&] { train(model, pattern(300), {.schedule = "linear"}); }),
            "train: no such schedule\n"
            "  got    \"linear\"\n"
            "  want   cosine, plateau or constant");
  EXPECT_EQ(refused([&] { static_cast<void>(model.evaluate(pattern(10), 10)); }),
            "LanguageModel: nothing to foretell\n"
            "  got    10 ids\n"
            "  want   more than 10");
  LanguageReader reader(model);
  EXPECT_EQ(refused([&] { reader.read(-1); }),
            "LanguageModel: an id that is not in the vocabulary\n"
            "  got    -1\n"
            "  want   0 to 3");
}

}  // namespace
}  // namespace unroll
