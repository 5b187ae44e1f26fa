// CTC against all paths there are: values, gradients, masks, readings; and edit distances.
#include "unroll/ctc.h"

#include <algorithm>
#include <functional>
#include <map>

#include "src/base/random.h"
#include "tests/training/close.h"
#include "unroll/losses.h"

namespace unroll {
namespace {

std::vector<double> random_numbers(Index count, std::uint64_t stream, double spread = 2) {
  const base::Random random(11, stream);
  std::vector<double> numbers(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = spread * (2 * random.uniform(i) - 1);
  }
  return numbers;
}

/// The softmax of each step.
std::vector<double> probabilities(const std::vector<double>& logits, Index n) {
  std::vector<double> p(logits.size());
  for (std::size_t first = 0; first < p.size(); first += static_cast<std::size_t>(n)) {
    double total = 0;
    for (std::size_t k = first; k < first + static_cast<std::size_t>(n); ++k) {
      total += p[k] = std::exp(logits[k]);
    }
    for (std::size_t k = first; k < first + static_cast<std::size_t>(n); ++k) p[k] /= total;
  }
  return p;
}

using Labels = std::vector<Index>;

/// What a path reads as: repeated classes are one, then blanks go.
Labels read(const Labels& path) {
  Labels labels;
  for (std::size_t t = 0; t < path.size(); ++t) {
    if (path[t] != 0 && (t == 0 || path[t] != path[t - 1])) labels.push_back(path[t]);
  }
  return labels;
}

/// The probability of each reading, from all n^time paths.
std::map<Labels, double> readings(const std::vector<double>& p, Index n) {
  const auto time = static_cast<Index>(p.size()) / n;
  std::map<Labels, double> sums;
  Labels path(static_cast<std::size_t>(time), 0);
  while (true) {
    double probability = 1;
    for (std::size_t t = 0; t < path.size(); ++t) {
      probability *= p[t * static_cast<std::size_t>(n) + static_cast<std::size_t>(path[t])];
    }
    sums[read(path)] += probability;
    std::size_t t = 0;
    while (t < path.size() && ++path[t] == n) path[t++] = 0;
    if (t == path.size()) return sums;
  }
}

LossResult loss_of(const std::vector<double>& logits, Index time, Index n, const Labels& labels,
                   const Tensor& mask = {}) {
  Tensor y({1, static_cast<Index>(labels.size())}, DType::int32);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    y.values<std::int32_t>()[i] = static_cast<std::int32_t>(labels[i]);
  }
  return evaluate_loss(
      "ctc", {.y_true = y, .y_pred = Tensor::of<double>({1, time, n}, logits), .mask = mask});
}

TEST(Ctc, IsTheSumOverAllPaths) {
  for (const auto& [time, n] : {std::pair<Index, Index>{1, 2}, {2, 3}, {4, 3}, {5, 4}, {6, 3}}) {
    const std::vector<double> logits = random_numbers(time * n, static_cast<std::uint64_t>(time));
    const auto sums = readings(probabilities(logits, n), n);
    double all = 0;
    for (const auto& [labels, probability] : sums) {
      all += probability;
      if (labels.empty()) continue;
      Labels padded = labels;
      padded.resize(static_cast<std::size_t>(time) + 1);
      EXPECT_NEAR(loss_of(logits, time, n, padded).value, -std::log(probability), 1e-12);
    }
    EXPECT_NEAR(all, 1, 1e-12);
    EXPECT_NEAR(loss_of(logits, time, n, {0, 0}).value, -std::log(sums.at({})), 1e-12);
  }
}

TEST(Ctc, GradientIsThatOfTheSum) {
  constexpr Index time = 5, n = 3;
  const std::vector<double> logits = random_numbers(time * n, 3);
  for (const Labels& labels : {Labels{1, 2}, Labels{2, 2}, Labels{1}, Labels{1, 2, 1}}) {
    const LossResult got = loss_of(logits, time, n, labels);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const auto value = [&](double step) {
        std::vector<double> moved = logits;
        moved[i] += step;
        return -std::log(readings(probabilities(moved, n), n).at(labels));
      };
      EXPECT_NEAR(got.gradient.values<double>()[i], (value(1e-5) - value(-1e-5)) / 2e-5, 1e-9);
    }
  }
}

TEST(Ctc, StepsThatAreMaskedAreNotThere) {
  constexpr Index time = 6, n = 3;
  const std::vector<double> logits = random_numbers(time * n, 4);
  const std::vector<std::uint8_t> kept{0, 1, 1, 0, 1, 0};
  std::vector<double> shorter;
  for (std::size_t t = 0; t < kept.size(); ++t) {
    if (kept[t] == 0) continue;
    shorter.insert(shorter.end(), logits.begin() + static_cast<std::ptrdiff_t>(t * n),
                   logits.begin() + static_cast<std::ptrdiff_t>(t * n + n));
  }
  const LossResult masked =
      loss_of(logits, time, n, {2, 1}, Tensor::of<std::uint8_t>({1, time}, kept));
  const LossResult alone = loss_of(shorter, 3, n, {2, 1});
  EXPECT_EQ(masked.value, alone.value);
  const auto d = masked.gradient.values<double>(), want = alone.gradient.values<double>();
  std::size_t at = 0;
  for (std::size_t t = 0; t < kept.size(); ++t) {
    for (std::size_t k = 0; k < n; ++k) {
      EXPECT_EQ(d[t * n + k], kept[t] == 0 ? 0 : want[at * n + k]);
    }
    at += kept[t];
  }
}

TEST(Ctc, OrderOfAxesDoesNotMatter) {
  constexpr Index rows = 3, time = 4, n = 3;
  const std::vector<double> by_row = random_numbers(rows * time * n, 5);
  std::vector<double> by_time(by_row.size());
  const auto swapped = [](std::size_t i) {
    const Index k = static_cast<Index>(i) % n, t = static_cast<Index>(i) / n % time,
                r = static_cast<Index>(i) / (n * time);
    return static_cast<std::size_t>((t * rows + r) * n + k);
  };
  for (std::size_t i = 0; i < by_row.size(); ++i) by_time[swapped(i)] = by_row[i];
  const double labels[] = {1, 2, 2, 0, 1, 1};
  const std::uint8_t mask[] = {1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1};
  std::uint8_t mask_by_time[rows * time];
  for (Index i = 0; i < rows * time; ++i) mask_by_time[i % time * rows + i / time] = mask[i];
  const double dvalues[] = {1, 0.5, -2};
  std::vector<double> scratch(static_cast<std::size_t>(ctc_scratch_size(time, n, 2)));
  const auto run = [&](const CtcBatch<double>& batch, std::vector<double>& gradient) {
    std::vector<double> values(rows);
    ctc_values(batch, values.data(), scratch.data());
    ctc_gradient(batch, dvalues, gradient.data(), scratch.data());
    return values;
  };
  std::vector<double> d_row(by_row.size()), d_time(by_row.size());
  const auto want =
      run(CtcBatch<double>::row_by_row(rows, time, n, by_row.data(), 2, labels, mask), d_row);
  const auto got =
      run({rows, time, n, by_time.data(), n, rows * n, 2, labels, mask_by_time, 1, rows}, d_time);
  EXPECT_EQ(got, want);
  for (std::size_t i = 0; i < d_row.size(); ++i) EXPECT_EQ(d_time[swapped(i)], d_row[i]);
}

TEST(Ctc, WhatCannotBeReadIsInfiniteAndPullsNowhere) {
  const LossResult got = loss_of(random_numbers(6, 6), 2, 3, {1, 1});  // wants a blank between
  EXPECT_EQ(got.value, HUGE_VAL);
  for (const double d : got.gradient.values<double>()) EXPECT_EQ(d, 0);
  const Tensor none({1, 2}, DType::uint8);
  EXPECT_EQ(loss_of(random_numbers(6, 6), 2, 3, {1}, none).value, HUGE_VAL);
  EXPECT_EQ(loss_of(random_numbers(6, 6), 2, 3, {0}, none).value, 0);
}

TEST(CtcDecode, WideBeamsAreExact) {
  for (std::uint64_t stream = 20; stream < 30; ++stream) {
    constexpr Index time = 5, n = 3;
    const std::vector<double> logits = random_numbers(time * n, stream);
    std::vector<std::pair<double, Labels>> want;
    for (const auto& [labels, probability] : readings(probabilities(logits, n), n)) {
      want.emplace_back(probability, labels);
    }
    std::ranges::sort(want, std::greater<>());
    const auto got = ctc_beam_search_decode(Tensor::of<double>({1, time, n}, logits),
                                            {.beam_width = 500, .top_paths = 500});
    ASSERT_EQ(got.size(), 1U);
    ASSERT_EQ(got[0].size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(got[0][i].labels, want[i].second);
      EXPECT_NEAR(got[0][i].score, std::log(want[i].first), 1e-12);
    }
  }
}

/// Probabilities (1, time, 3) with these classes the likeliest.
Tensor spoken(const Labels& path) {
  Tensor p({1, static_cast<Index>(path.size()), 3});
  for (std::size_t t = 0; t < path.size(); ++t) {
    for (std::size_t k = 0; k < 3; ++k) {
      p.floats()[t * 3 + k] = k == static_cast<std::size_t>(path[t]) ? 0.5f : 0.25f;
    }
  }
  return p;
}

TEST(CtcDecode, GreedyReadsTheLikeliestPath) {
  const Tensor p = spoken({1, 1, 0, 1, 2, 2, 0});
  const auto decode = [&](CtcGreedyOptions options) {
    options.from_logits = false;
    return ctc_greedy_decode(p, options)[0];
  };
  EXPECT_EQ(decode({}).labels, (Labels{1, 1, 2}));
  EXPECT_NEAR(decode({}).score, 7 * std::log(0.5), 1e-6);
  EXPECT_EQ(decode({.merge_repeated = false}).labels, (Labels{1, 1, 1, 2, 2}));
  EXPECT_EQ(decode({.sequence_lengths = {3}}).labels, (Labels{1}));
  EXPECT_EQ(decode({.mask_index = 2}).labels, (Labels{1, 0, 1, 0}));
}

TEST(CtcDecode, BeamsFindWhatTheGreedyPathMisses) {
  // Blank is the likeliest at each step, but all paths that read "1" together are likelier.
  const Tensor p = Tensor::of<float>({1, 2, 2}, {0.6f, 0.4f, 0.6f, 0.4f});
  EXPECT_EQ(ctc_greedy_decode(p, {.from_logits = false})[0].labels, Labels{});
  const auto best =
      ctc_beam_search_decode(p, {.beam_width = 4, .top_paths = 2, .from_logits = false})[0];
  EXPECT_EQ(best[0].labels, Labels{1});
  EXPECT_NEAR(best[0].score, std::log(0.64), 1e-6);
  EXPECT_EQ(best[1].labels, Labels{});
  const auto none = ctc_beam_search_decode(p, {.sequence_lengths = {0}, .from_logits = false})[0];
  EXPECT_EQ(none[0].labels, Labels{});
  EXPECT_EQ(none[0].score, 0);
}

TEST(CtcDecode, CountsEdits) {
  const Labels kitten{1, 2, 3, 3, 4, 5}, sitting{6, 2, 3, 3, 2, 5, 7}, none;
  EXPECT_EQ(edit_distance(kitten, sitting), 3);
  EXPECT_EQ(edit_distance(sitting, kitten), 3);
  EXPECT_EQ(edit_distance(none, kitten), 6);
  EXPECT_EQ(edit_distance(kitten, kitten), 0);
  LabelErrorRate rate;
  EXPECT_EQ(rate.rate(), 0);
  rate.add(kitten, sitting);
  const std::vector<CtcPath> read{{{1, 2}, 0}, {{}, 0}};
  rate.add(Tensor::of<std::int32_t>({2, 3}, {1, 2, 0, 2, 0, 0}), read);
  EXPECT_EQ(rate.errors(), 4);
  EXPECT_EQ(rate.labels(), 9);
  EXPECT_DOUBLE_EQ(rate.rate(), 4. / 9);
}

TEST(CtcDecode, RefusesWhatCannotBe) {
  const Tensor p({2, 3, 4});
  expect_refusal(
      [&] {
        ctc_greedy_decode(Tensor({3, 4}));
      },
      ErrorKind::shape,
      "ctc: the inputs have the wrong rank\n"
      "  got    (3, 4)\n"
      "  want   (batch, time, classes)");
  expect_refusal([&] { ctc_greedy_decode(p, {.mask_index = 4}); },
                 "ctc: mask_index names no class\n  got    4\n  want   0 to 3");
  expect_refusal([&] { ctc_greedy_decode(p, {.sequence_lengths = {1}}); }, ErrorKind::shape,
                 "ctc: sequence_lengths are of other rows\n  got    1\n  want   2");
  expect_refusal(
      [&] {
        ctc_greedy_decode(p, {.sequence_lengths = {1, 4}});
      },
      "ctc: a sequence length is out of range\n  got    4\n  want   0 to 3");
  expect_refusal([&] { ctc_beam_search_decode(p, {.beam_width = 0}); },
                 "ctc: beam_width is too small\n  got    0\n  want   at least 1");
  expect_refusal([&] { ctc_beam_search_decode(p, {.beam_width = 2, .top_paths = 3}); },
                 "ctc: top_paths is out of range\n"
                 "  got    3\n"
                 "  want   1 to beam_width, which is 2");
  LabelErrorRate rate;
  expect_refusal(
      [&] {
        rate.add(Tensor({3, 2}), std::vector<CtcPath>(2));
      },
      ErrorKind::shape,
      "LabelErrorRate: the truths do not fit the readings\n"
      "  got    (3, 2)\n"
      "  want   (2, labels)");
}

}  // namespace
}  // namespace unroll
