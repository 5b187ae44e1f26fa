#include "unroll/seq2seq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "src/base/random.h"
#include "tests/refused.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int32_t begin = 2, end = 3;

/// Sequences of ids from 4 on, of 1 to `longest`.
std::vector<Ids> sequences(std::size_t count, Index vocabulary, Index longest,
                           std::uint64_t stream) {
  const base::Random random(17, stream);
  std::uint64_t at = 0;
  std::vector<Ids> all(count);
  for (Ids& ids : all) {
    ids.resize(static_cast<std::size_t>(1 + random.below(longest, at++)));
    for (std::int32_t& id : ids) {
      id = static_cast<std::int32_t>(4 + random.below(vocabulary - 4, at++));
    }
  }
  return all;
}

struct Kind {
  std::string cell, attention;
  bool input_feeding = false, bidirectional = true;
  Index layers = 1;
  bool shared = false, tied = true;
};

Seq2SeqOptions options_of(const Kind& kind) {
  return {.source_vocabulary = 9,
          .target_vocabulary = kind.shared ? 9 : 8,
          .shared_vocabulary = kind.shared,
          .tie_weights = kind.tied,
          .cell = kind.cell,
          .units = 6,
          .encoder_layers = kind.layers,
          .decoder_layers = kind.layers,
          .bidirectional = kind.bidirectional,
          .embedding = 5,
          .attention = kind.attention,
          .input_feeding = kind.input_feeding,
          .dropout = 0.3};
}

/// With weights so large that something is at stake.
Seq2Seq stirred(const Seq2SeqOptions& options) {
  Seq2Seq model(options);
  std::vector<Tensor> weights = model.model().get_weights();
  std::uint64_t stream = 0;
  for (Tensor& weight : weights) {
    const base::Random random(3, ++stream);
    std::uint64_t at = 0;
    for (float& w : weight.values<float>())
      w = static_cast<float>(1.6 * random.uniform(at++) - 0.8);
  }
  model.model().set_weights(weights);
  return model;
}

const std::vector<Kind> kinds{
    {"gru", "general"},
    {"gru", "general", true},
    {"lstm", "additive", false, true, 2},
    {"lstm", "general", true, false, 2},
    {"simple_rnn", "additive", true, false},
    {"simple_rnn", "dot", false, false},
    {"gru", "general", false, true, 1, true},
    {"gru", "additive", true, true, 1, true, false},
};

Tensor padded(const std::vector<Ids>& all, bool source, Index length = 0) {
  for (const Ids& ids : all) length = std::max(length, static_cast<Index>(ids.size()) + 1);
  Tensor rows({static_cast<Index>(all.size()), length}, DType::int32);
  auto* to = rows.values<std::int32_t>().data();
  for (const Ids& ids : all) {
    if (!source) *to = begin;
    std::copy(ids.begin(), ids.end(), to + (source ? 0 : 1));
    if (source) to[ids.size()] = end;
    to += length;
  }
  return rows;
}

/// ln p of each target id and the end, of the model as it is trained: all at once.
std::vector<std::vector<double>> forced(const Seq2Seq& model, const std::vector<Ids>& sources,
                                        const std::vector<Ids>& targets, Index longer = 0) {
  const Tensor logits =
      model.model().predict({padded(sources, true, longer), padded(targets, false, longer)})[0];
  const Index time = logits.shape()[1], n = logits.shape()[2];
  std::vector<std::vector<double>> all;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    all.emplace_back();
    for (std::size_t t = 0; t <= targets[i].size(); ++t) {
      const float* row =
          logits.floats() + (static_cast<Index>(i) * time + static_cast<Index>(t)) * n;
      double sum = 0;
      for (Index j = 0; j < n; ++j) sum += std::exp(static_cast<double>(row[j]));
      const std::int32_t next = t < targets[i].size() ? targets[i][t] : end;
      all.back().push_back(static_cast<double>(row[next]) - std::log(sum));
    }
  }
  return all;
}

double distance(const std::vector<std::vector<double>>& a,
                const std::vector<std::vector<double>>& b) {
  double most = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i].size() != b[i].size()) return INFINITY;
    for (std::size_t t = 0; t < a[i].size(); ++t)
      most = std::max(most, std::abs(a[i][t] - b[i][t]));
  }
  return most;
}

class OfEveryKind : public testing::TestWithParam<Kind> {
 protected:
  const Seq2Seq model = stirred(options_of(GetParam()));
  const std::vector<Ids> sources = sequences(5, 9, 7, 1), targets = sequences(5, 8, 6, 2);
};

TEST_P(OfEveryKind, StepByStepIsTheForwardOfTraining) {
  EXPECT_LT(distance(model.log_probabilities(sources, targets), forced(model, sources, targets)),
            2e-5);
}

TEST_P(OfEveryKind, PaddingChangesNothing) {
  const auto together = forced(model, sources, targets);
  EXPECT_LT(distance(forced(model, sources, targets, 12), together), 1e-6);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    EXPECT_LT(distance(forced(model, {sources[i]}, {targets[i]}), {together[i]}), 1e-6) << i;
  }
}

TEST_P(OfEveryKind, ABeamOfOneIsTheMostProbableIdEachTime) {
  const auto decoded = model.decode(sources, {.max_length = 6});
  for (std::size_t i = 0; i < sources.size(); ++i) {
    Ids ids;
    bool ended = false;
    while (!ended && ids.size() < 6) {
      std::int32_t best = 1;
      double highest = -INFINITY;
      for (std::int32_t id = 1; id < 8; ++id) {
        if (id == begin) continue;
        Ids more = ids;
        if (id != end) more.push_back(id);
        const double p = model.log_probabilities({sources[i]}, {more})[0][ids.size()];
        if (p > highest) {
          highest = p;
          best = id;
        }
      }
      ended = best == end;
      if (!ended) ids.push_back(best);
    }
    EXPECT_EQ(decoded[i][0].ids, ids) << i;
    EXPECT_EQ(decoded[i][0].ended, ended) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Seq2Seq, OfEveryKind, testing::ValuesIn(kinds), [](const auto& info) {
  const Kind& k = info.param;
  return k.cell + "_" + k.attention + (k.input_feeding ? "_fed" : "") +
         (k.bidirectional ? "_both_ways" : "") + (k.shared ? "_shared" : "") +
         (k.tied ? "" : "_untied") + "_" + std::to_string(k.layers);
});

TEST(Decode, AWideBeamFindsTheMostProbableOfAllSequences) {
  const Seq2Seq model = stirred(options_of(kinds[1]));
  const Ids source{4, 6, 5};
  // Every sequence of at most three ids; those of three are cut.
  double highest = -INFINITY;
  Ids best;
  const std::vector<std::int32_t> choices{1, 4, 5, 6, 7};
  std::vector<Ids> open{{}};
  for (std::size_t length = 0; length <= 3; ++length) {
    std::vector<Ids> longer;
    for (const Ids& ids : open) {
      const std::vector<double> p = model.log_probabilities({source}, {ids})[0];
      double sum = 0;
      for (std::size_t t = 0; t < (length < 3 ? p.size() : 3); ++t) sum += p[t];
      if (sum > highest) {
        highest = sum;
        best = ids;
      }
      for (const std::int32_t id : choices) {
        longer.push_back(ids);
        longer.back().push_back(id);
      }
    }
    open = std::move(longer);
  }
  const std::vector<Decoded> found =
      model.decode({source}, {.beam = 500, .n_best = 20, .length_penalty = 0, .max_length = 3})[0];
  ASSERT_EQ(found.size(), 20U);
  EXPECT_EQ(found[0].ids, best);
  EXPECT_NEAR(found[0].log_p, highest, 1e-4);
  std::set<std::pair<Ids, bool>> different;
  for (std::size_t i = 0; i < found.size(); ++i) {
    different.insert({found[i].ids, found[i].ended});
    if (i > 0) {
      EXPECT_LE(found[i].score, found[i - 1].score);
    }
  }
  EXPECT_EQ(different.size(), found.size());
}

TEST(Decode, DividesByTheLengthPenalty) {
  const Seq2Seq model = stirred(options_of(kinds[0]));
  const Decoded found = model.decode({{4, 5}}, {.length_penalty = 0.7, .max_length = 4})[0][0];
  const double length = static_cast<double>(found.ids.size() + (found.ended ? 1 : 0));
  EXPECT_NEAR(found.score, found.log_p / std::pow((5 + length) / 6, 0.7), 1e-9);
}

TEST(Decode, IsTheSameOnAnyNumberOfThreadsAndInAnyCompany) {
  const Seq2Seq model = stirred(options_of(kinds[0]));
  const std::vector<Ids> sources = sequences(40, 9, 9, 5);
  const auto one = model.decode(sources, {.beam = 3, .threads = 1});
  const auto three = model.decode(sources, {.beam = 3, .threads = 3});
  for (std::size_t i = 0; i < sources.size(); ++i) {
    EXPECT_EQ(one[i][0].ids, three[i][0].ids);
    EXPECT_EQ(one[i][0].score, three[i][0].score);
    EXPECT_EQ(one[i][0].ids, model.decode({sources[i]}, {.beam = 3})[0][0].ids) << i;
  }
}

TEST(Decode, LooksAtTheSourceAndNothingElse) {
  const Seq2Seq model = stirred(options_of(kinds[0]));
  const std::vector<Ids> sources{{4, 5, 6}, {7, 8, 4, 5, 6, 7}};
  const auto found = model.decode(sources, {.beam = 2, .max_length = 5, .attention = true});
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Tensor& weights = found[i][0].attention;
    const auto written = static_cast<Index>(found[i][0].ids.size()) + (found[i][0].ended ? 1 : 0);
    ASSERT_EQ(weights.shape(), (Shape{written, static_cast<Index>(sources[i].size()) + 1}));
    for (Index row = 0; row < written; ++row) {
      double sum = 0;
      for (Index s = 0; s < weights.shape()[1]; ++s) {
        sum += static_cast<double>(weights.floats()[row * weights.shape()[1] + s]);
      }
      EXPECT_NEAR(sum, 1, 1e-5);
    }
  }
}

TEST(Decode, DrawsByTheSeed) {
  const Seq2Seq model = stirred(options_of(kinds[0]));
  const std::vector<Ids> sources = sequences(20, 9, 5, 6);
  const auto drawn = [&](std::uint64_t seed) {
    std::vector<Ids> all;
    for (const auto& found :
         model.decode(sources, {.max_length = 8, .sample = true, .sampling = {.seed = seed}})) {
      all.push_back(found[0].ids);
    }
    return all;
  };
  EXPECT_EQ(drawn(1), drawn(1));
  EXPECT_NE(drawn(1), drawn(2));
}

TEST(Decode, ReadsAnEmptySourceAndNone) {
  const Seq2Seq model = stirred(options_of(kinds[0]));
  EXPECT_EQ(model.decode({{}}, {.max_length = 3})[0].size(), 1U);
  EXPECT_TRUE(model.decode({}).empty());
}

TEST(Decode, Refuses) {
  const Seq2Seq model = stirred(options_of(kinds[0]));
  EXPECT_EQ(refused([&] { model.decode({{4}}, {.beam = 2, .n_best = 3}); }),
            "decode: n_best is out of range\n"
            "  got    3\n"
            "  want   a whole number from 1 to 2");
  EXPECT_EQ(refused([&] { model.decode({{4}}, {.beam = 2, .sample = true}); }),
            "decode: sampling follows one sequence\n"
            "  got    beam 2\n"
            "  want   beam 1");
  EXPECT_EQ(refused([&] {
              model.decode({{4, 9}});
            }),
            "decode: an id that is not in the vocabulary\n"
            "  got    9\n"
            "  want   0 to 8");
  EXPECT_EQ(
      refused([&] { Seq2Seq({.source_vocabulary = 9, .target_vocabulary = 9, .cell = "gruu"}); }),
      "Seq2Seq: no such cell\n"
      "  got    \"gruu\"\n"
      "  want   simple_rnn, gru or lstm");
}

// --- training ---

/// What is to be written is what was read.
Seq2SeqPairs copies(std::size_t count, std::uint64_t stream) {
  const std::vector<Ids> all = sequences(count, 9, 5, stream);
  return {all, all};
}

Seq2SeqOptions copier() {
  return {.source_vocabulary = 9,
          .target_vocabulary = 9,
          .shared_vocabulary = true,
          .units = 24,
          .embedding = 16,
          .dropout = 0};
}

double exact(const Seq2Seq& model, const Seq2SeqPairs& pairs, Index beam = 1) {
  const auto found = model.decode(pairs.sources, {.beam = beam});
  double right = 0;
  for (std::size_t i = 0; i < found.size(); ++i) right += found[i][0].ids == pairs.targets[i];
  return right / static_cast<double>(found.size());
}

TEST(TrainSeq2Seq, LearnsToCopy) {
  const Seq2Seq model(copier());
  const Seq2SeqPairs watched = copies(100, 8);
  const Seq2SeqReport report = train(model, copies(600, 7),
                                     {.batch_size = 16,
                                      .epochs = 6,
                                      .learning_rate = 0.01,
                                      .validation = watched,
                                      .score = [&](const Seq2Seq& m) -> Logs {
                                        return {{"val_exact", exact(m, watched)}};
                                      },
                                      .monitor = "val_exact"});
  EXPECT_GT(exact(model, watched), 0.9);
  EXPECT_GE(exact(model, watched, 5), exact(model, watched) - 0.02);
  EXPECT_EQ(report.history["val_exact"].size(), 6U);
  EXPECT_GE(report.best_epoch, 0);
  EXPECT_EQ(exact(model, watched),
            report.history["val_exact"][static_cast<std::size_t>(report.best_epoch)]);
}

std::vector<Tensor> after(const Seq2SeqTraining& training) {
  const Seq2Seq model(copier());
  train(model, copies(64, 7), training);
  return model.model().get_weights();
}

void expect_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b, double slack) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (Index j = 0; j < a[i].elements(); ++j) {
      ASSERT_LE(std::abs(a[i].floats()[j] - b[i].floats()[j]), slack) << i << ", " << j;
    }
  }
}

TEST(TrainSeq2Seq, IsTheSameOnAnyNumberOfThreads) {
  for (const double forcing : {1.0, 0.4}) {
    Seq2SeqTraining one{.batch_size = 32, .epochs = 1, .threads = 1};
    one.forcing.from = forcing;
    Seq2SeqTraining three = one;
    three.threads = 3;
    expect_same(after(one), after(three), 0);
  }
}

TEST(TrainSeq2Seq, ForcingByStepsIsForcingAtOnce) {
  // A share that no draw falls short of takes every step for itself, all with true inputs.
  Seq2SeqTraining at_once{.batch_size = 32, .epochs = 1};
  Seq2SeqTraining by_steps = at_once;
  by_steps.forcing.from = std::nextafter(1.0, 0.0);
  expect_same(after(at_once), after(by_steps), 1e-4);
}

TEST(TrainSeq2Seq, OwnWordsLeadToOtherWeights) {
  Seq2SeqTraining forced{.batch_size = 32, .epochs = 1};
  Seq2SeqTraining free = forced;
  free.forcing.from = 0;
  Seq2SeqTraining drawn = free;
  drawn.feedback_sampled = true;
  const auto differs = [](const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (Index j = 0; j < a[i].elements(); ++j) {
        most = std::max(most, static_cast<double>(std::abs(a[i].floats()[j] - b[i].floats()[j])));
      }
    }
    return most;
  };
  EXPECT_GT(differs(after(forced), after(free)), 1e-4);
  EXPECT_GT(differs(after(free), after(drawn)), 1e-4);
}

TEST(ForcingSchedule, GoesFromOneShareToTheOther) {
  const ForcingSchedule linear{.kind = "linear", .from = 1, .to = 0.2, .steps = 100};
  EXPECT_EQ(linear.at(0), 1);
  EXPECT_NEAR(linear.at(50), 0.6, 1e-12);
  EXPECT_NEAR(linear.at(100), 0.2, 1e-12);
  EXPECT_NEAR(linear.at(1000), 0.2, 1e-12);
  const ForcingSchedule exponential{.kind = "exponential", .from = 1, .to = 0, .steps = 100};
  EXPECT_EQ(exponential.at(0), 1);
  EXPECT_NEAR(exponential.at(50), 0.5, 1e-12);
  EXPECT_NEAR(exponential.at(100), 0.25, 1e-12);
  const ForcingSchedule sigmoid{.kind = "inverse_sigmoid", .from = 1, .to = 0, .steps = 100};
  EXPECT_NEAR(sigmoid.at(0), 8.0 / 9, 1e-12);
  EXPECT_NEAR(sigmoid.at(50), 0.5, 1e-12);
  EXPECT_LT(sigmoid.at(100), 0.12);
  EXPECT_EQ((ForcingSchedule{.from = 0.7}).at(12345), 0.7);
}

TEST(TrainSeq2Seq, Refuses) {
  const Seq2Seq model(copier());
  EXPECT_EQ(refused([&] {
              train(model, {{{4}}, {}});
            }),
            "train: lists of different lengths\n"
            "  got    1 sources, 0 targets");
  EXPECT_EQ(refused([&] {
              train(model, {{{4, 5, 6}}, {{4, 5, 6}}}, {.max_length = 2});
            }),
            "train: no pairs to learn from\n"
            "  got    1 pair longer than max_length");
  Seq2SeqTraining unheard_of;
  unheard_of.forcing.kind = "quadratic";
  EXPECT_EQ(refused([&] { train(model, copies(4, 1), unheard_of); }),
            "ForcingSchedule: no such kind\n"
            "  got    \"quadratic\"\n"
            "  want   constant, linear, exponential or inverse_sigmoid");
}

}  // namespace
}  // namespace unroll
