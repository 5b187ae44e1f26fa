#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "unroll/error.h"
#include "unroll/language.h"

namespace unroll {
namespace {

/// Logits of 0.5, 0.25, 0.125, 0.125.
const std::vector<float> halves{std::log(0.5f), std::log(0.25f), std::log(0.125f),
                                std::log(0.125f)};

std::vector<double> kept(const SamplingOptions& options, std::vector<std::int32_t> seen = {}) {
  Sampler sampler(options);
  for (const std::int32_t id : seen) sampler.saw(id);
  const auto p = sampler.probabilities(halves);
  return {p.begin(), p.end()};
}

void expect_near(const std::vector<double>& got, const std::vector<double>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-6) << i;
}

TEST(Sampler, LeavesTheProbabilitiesAlone) { expect_near(kept({}), {0.5, 0.25, 0.125, 0.125}); }

TEST(Sampler, TemperatureIsAPower) {
  const double sum = 0.25 + 0.0625 + 2 * 0.015625;
  expect_near(kept({.temperature = 0.5}),
              {0.25 / sum, 0.0625 / sum, 0.015625 / sum, 0.015625 / sum});
  expect_near(kept({.temperature = 0}), {1, 0, 0, 0});
}

TEST(Sampler, TopKKeepsTheFirstOfEquals) {
  expect_near(kept({.top_k = 1}), {1, 0, 0, 0});
  expect_near(kept({.top_k = 3}), {0.5 / 0.875, 0.25 / 0.875, 0.125 / 0.875, 0});
  expect_near(kept({.top_k = 9}), {0.5, 0.25, 0.125, 0.125});
}

TEST(Sampler, TopPKeepsTheFewestThatReachIt) {
  expect_near(kept({.top_p = 0.4}), {1, 0, 0, 0});
  expect_near(kept({.top_p = 0.6}), {2.0 / 3, 1.0 / 3, 0, 0});
  expect_near(kept({.top_p = 0.8}), {0.5 / 0.875, 0.25 / 0.875, 0.125 / 0.875, 0});
}

TEST(Sampler, TopPCountsWhatTopKLeft) {
  // Of 0.5 and 0.25 the first is two thirds.
  expect_near(kept({.top_k = 2, .top_p = 0.66}), {1, 0, 0, 0});
  expect_near(kept({.top_k = 2, .top_p = 0.67}), {2.0 / 3, 1.0 / 3, 0, 0});
}

TEST(Sampler, MinPIsAShareOfTheMostProbable) {
  expect_near(kept({.min_p = 0.3}), {2.0 / 3, 1.0 / 3, 0, 0});
  expect_near(kept({.min_p = 0.2}), {0.5, 0.25, 0.125, 0.125});
  expect_near(kept({.min_p = 1}), {1, 0, 0, 0});
}

TEST(Sampler, WhatWasSeenBecomesLessProbableOnce) {
  // A negative logit is multiplied: 0.5 becomes 0.5 squared, however often it was seen.
  expect_near(kept({.repetition_penalty = 2}, {0, 0, 0}), {1.0 / 3, 1.0 / 3, 1.0 / 6, 1.0 / 6});
  expect_near(kept({.repetition_penalty = 2, .penalized = 1}, {0, 3}),
              {0.5 / 0.890625, 0.25 / 0.890625, 0.125 / 0.890625, 0.015625 / 0.890625});
  // A positive logit is divided.
  Sampler sampler({.repetition_penalty = 2});
  sampler.saw(0);
  const std::vector<float> logits{2, 1};
  EXPECT_NEAR(sampler.probabilities(logits)[0], 0.5, 1e-9);
}

TEST(Sampler, DrawsAsOftenAsItsProbabilitiesSay) {
  Sampler sampler;
  std::array<int, 4> counts{};
  constexpr int draws = 20'000;
  for (int i = 0; i < draws; ++i) ++counts[static_cast<std::size_t>(sampler.choose(halves))];
  const std::vector<double> p{0.5, 0.25, 0.125, 0.125};
  for (std::size_t i = 0; i < 4; ++i) {
    // Four standard deviations.
    const double far = 4 * std::sqrt(draws * p[i] * (1 - p[i]));
    EXPECT_NEAR(counts[i], draws * p[i], far) << i;
  }
}

TEST(Sampler, TheSeedNamesTheChoices) {
  const auto choices = [](std::uint64_t seed) {
    Sampler sampler({.seed = seed});
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(sampler.choose(halves));
    return ids;
  };
  EXPECT_EQ(choices(1), choices(1));
  EXPECT_NE(choices(1), choices(2));
}

TEST(Sampler, Refusals) {
  const auto refused = [](const SamplingOptions& options) -> std::string {
    try {
      Sampler sampler(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "not refused";
  };
  EXPECT_EQ(refused({.temperature = -1}),
            "Sampler: temperature is out of range\n  got    -1\n  want   0 or more");
  EXPECT_EQ(refused({.top_p = 0}),
            "Sampler: top_p is out of range\n  got    0\n  want   above 0 and at most 1");
  EXPECT_EQ(refused({.min_p = 1.5}),
            "Sampler: min_p is out of range\n  got    1.5\n  want   from 0 to 1");
  EXPECT_EQ(refused({.repetition_penalty = 0.5}),
            "Sampler: repetition_penalty is out of range\n  got    0.5\n  want   1 or more");
  EXPECT_EQ(refused({.top_k = -1}),
            "Sampler: top_k is out of range\n  got    -1\n"
            "  want   a whole number from 0 to 1,000,000,000");
  Sampler sampler;
  const std::vector<float> nan{0, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_THROW(sampler.choose(nan), Error);
}

}  // namespace
}  // namespace unroll
