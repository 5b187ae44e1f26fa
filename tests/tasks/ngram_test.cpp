#include "unroll/ngram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "src/base/random.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Ids = std::vector<std::int32_t>;

/// Ids as words come: few often, many seldom; three of four say again what was said before.
Ids zipf(Index count, Index vocabulary) {
  const base::Random random(3);
  Ids ids;
  for (Index i = 0; i < count; ++i) {
    const auto at = static_cast<std::uint64_t>(2 * i);
    const auto drawn = std::pow(static_cast<double>(vocabulary), random.uniform(at)) - 1;
    const bool again = i >= 37 && random.uniform(at + 1) < 0.75;
    ids.push_back(again ? ids[static_cast<std::size_t>(i - 37)] : static_cast<std::int32_t>(drawn));
  }
  return ids;
}

/// The formula as it is written, with every count looked up by walking over the text.
class Slow {
 public:
  Slow(const Ids& ids, Index vocabulary, std::size_t order) : vocabulary_(vocabulary) {
    counts_.resize(order + 1);
    for (std::size_t k = 1; k <= order; ++k) {
      for (std::size_t i = 0; i + k <= ids.size(); ++i) ++raw(ids, i, k);
    }
    for (std::size_t k = 1; k < order; ++k) {
      std::map<Ids, std::set<std::int32_t>> before;
      for (std::size_t i = 0; i + k + 1 <= ids.size(); ++i) {
        before[gram(ids, i + 1, k)].insert(ids[i]);
      }
      for (auto& [key, count] : counts_[k]) count = static_cast<double>(before[key].size());
    }
  }

  Discounts discounts(std::size_t k) const {
    std::map<double, double> n;
    for (const auto& [key, count] : counts_[k]) ++n[count];
    const double y = n[1] / (n[1] + 2 * n[2]);
    return {1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]};
  }

  double p(const Ids& context, std::int32_t id) const {
    double lower = 1 / static_cast<double>(vocabulary_);
    if (!context.empty()) lower = p(Ids(context.begin() + 1, context.end()), id);
    const std::size_t k = context.size() + 1;
    const Discounts d = discounts(k);
    double total = 0, taken = 0, mine = 0;
    for (const auto& [key, count] : counts_[k]) {
      if (count == 0 || !std::equal(context.begin(), context.end(), key.begin())) continue;
      const double off = d[std::min<std::size_t>(static_cast<std::size_t>(count), 3) - 1];
      total += count;
      taken += off;
      if (key.back() == id) mine = count - off;
    }
    return total == 0 ? lower : mine / total + taken / total * lower;
  }

 private:
  static Ids gram(const Ids& ids, std::size_t i, std::size_t k) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(i);
    return {begin, begin + static_cast<std::ptrdiff_t>(k)};
  }
  double& raw(const Ids& ids, std::size_t i, std::size_t k) { return counts_[k][gram(ids, i, k)]; }

  Index vocabulary_;
  std::vector<std::map<Ids, double>> counts_;
};

// 0 1 0 2 0 1: the bigrams 01 (twice), 10, 02, 20. No bigram came 3 times, so all discounts are
// Y = 3 / (3 + 2). Before 0 came 2 ids, before 1 and 2 one each: Y = 2 / (2 + 2).
//   p(0) = (2 - 1/2) / 4 + 3/2 / 4 / 3 = 1/2,  p(1) = p(2) = 1/4
//   p(1|0) = (2 - 0.6) / 3 + 0.4 / 4,  p(2|0) = (1 - 0.6) / 3 + 0.4 / 4,  p(0|0) = 0.4 / 2
TEST(Ngram, ByHand) {
  const Ngram ngram(Ids{0, 1, 0, 2, 0, 1}, 3, {.order = 2});
  EXPECT_EQ(ngram.order(), 2);
  EXPECT_EQ(ngram.discounts(2), (Discounts{0.6, 0.6, 0.6}));
  EXPECT_EQ(ngram.discounts(1), (Discounts{0.5, 0.5, 0.5}));
  EXPECT_DOUBLE_EQ(ngram.probability({}, 0), 0.5);
  EXPECT_DOUBLE_EQ(ngram.probability({}, 1), 0.25);
  const Ids zero{0};
  EXPECT_DOUBLE_EQ(ngram.probability(zero, 0), 0.2);
  EXPECT_DOUBLE_EQ(ngram.probability(zero, 1), 1.4 / 3 + 0.1);
  EXPECT_DOUBLE_EQ(ngram.probability(zero, 2), 0.4 / 3 + 0.1);
}

TEST(Ngram, AgreesWithTheFormula) {
  const Ids ids = zipf(3000, 900);
  for (const std::size_t order : {1U, 2U, 3U, 4U}) {
    const Ngram ngram(ids, 900, {.order = static_cast<Index>(order)});
    const Slow slow(ids, 900, order);
    for (std::size_t k = 1; k <= order; ++k) {
      for (std::size_t g = 0; g < 3; ++g) {
        EXPECT_NEAR(ngram.discounts(static_cast<Index>(k))[g], slow.discounts(k)[g], 1e-12);
      }
    }
    for (std::size_t i = 100; i < 130; ++i) {
      const Ids context(ids.begin() + static_cast<std::ptrdiff_t>(i + 1 - order),
                        ids.begin() + static_cast<std::ptrdiff_t>(i));
      for (const std::int32_t id : {ids[i], 899}) {
        EXPECT_NEAR(ngram.probability(context, id), slow.p(context, id), 1e-12)
            << order << " " << i;
      }
    }
  }
}

TEST(Ngram, SumsToOneAndIsAboveZero) {
  const Ids ids = zipf(2000, 50);
  const Ngram ngram(ids, 60, {.order = 3});
  for (const Ids& context : {Ids{}, Ids{0}, Ids{0, 0}, Ids{7, 3}, Ids{59, 58}, Ids{3, 59},
                             Ids{ids[1998], ids[1999]}, Ids{5, 4, 3, 2, 1}}) {
    const std::vector<double> p = ngram.distribution(context);
    double sum = 0;
    for (std::size_t id = 0; id < p.size(); ++id) {
      EXPECT_GT(p[id], 0);
      EXPECT_NEAR(p[id], ngram.probability(context, static_cast<std::int32_t>(id)), 1e-15);
      sum += p[id];
    }
    EXPECT_NEAR(sum, 1, 1e-12);
  }
}

TEST(Ngram, OnlyTheLastIdsCount) {
  const Ngram ngram(zipf(2000, 50), 50, {.order = 3});
  EXPECT_EQ(ngram.distribution(Ids{9, 8, 1, 2}), ngram.distribution(Ids{1, 2}));
}

TEST(Ngram, EvaluatesWhatComesAfterFirst) {
  const Ids ids = zipf(3000, 40);
  const Ngram ngram(std::span<const std::int32_t>(ids).first(2000), 40);
  const std::vector<double> logs = ngram.log_probabilities(ids, 2000);
  ASSERT_EQ(logs.size(), 1000U);
  EXPECT_DOUBLE_EQ(logs[0], std::log(ngram.probability(Ids{ids[1998], ids[1999]}, ids[2000])));
  const LanguageScore score = ngram.evaluate(ids, 2000);
  EXPECT_EQ(score.tokens, 1000);
  EXPECT_LT(score.nats, std::log(40.0));
}

TEST(Ngram, WeightsAreFittedToEntries) {
  // p is right in three of four entries, q in the fourth.
  const std::vector<double> p{std::log(0.8), std::log(0.8), std::log(0.8), std::log(0.2)};
  const std::vector<double> q{std::log(0.2), std::log(0.2), std::log(0.2), std::log(0.8)};
  const double weight = best_weight(p, q);
  // d/dw [3 ln(0.2 + 0.6 w) + ln(0.8 - 0.6 w)] = 0
  EXPECT_NEAR(weight, 11.0 / 12, 1e-3);
  const double best = score_of(interpolated(p, q, weight)).nats;
  for (const double other : {0.0, 0.5, 0.85, 1.0}) {
    EXPECT_LE(best, score_of(interpolated(p, q, other)).nats);
  }
  EXPECT_NEAR(interpolated(p, q, 0.25)[0], std::log(0.35), 1e-12);
}

TEST(Ngram, Refusals) {
  const auto refused = [](auto f) -> std::string {
    try {
      f();
    } catch (const Error& error) {
      return error.what();
    }
    return "not refused";
  };
  EXPECT_EQ(refused([] { Ngram(Ids{}, 3); }),
            "Ngram: number of ids is out of range\n  got    0\n"
            "  want   a whole number from 1 to 4,000,000,000");
  EXPECT_EQ(refused([] {
              Ngram(Ids{0, 3}, 3);
            }),
            "Ngram: an id that is not in the vocabulary\n  got    3\n  want   0 to 2");
  EXPECT_EQ(refused([] {
              Ngram(Ids{0, 1}, 3, {.order = 9});
            }),
            "Ngram: order is out of range\n  got    9\n  want   a whole number from 1 to 8");
  EXPECT_EQ(refused([] {
              Ngram(Ids{0, 1}, 3).evaluate(Ids{0, 1}, 2);
            }),
            "Ngram: nothing to foretell\n  got    2 ids\n  want   more than 2");
}

}  // namespace
}  // namespace unroll
