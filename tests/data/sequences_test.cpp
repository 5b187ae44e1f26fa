#include "unroll/sequences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "tests/refused.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::Pair;

template <class T>
std::vector<T> numbers(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  return {values.begin(), values.end()};
}

Tensor counting(const Shape& shape) {
  Tensor result(shape);
  std::iota(result.values<float>().begin(), result.values<float>().end(), 0.0f);
  return result;
}

TEST(PadSequences, NumbersThatTheTypeCannotHoldAreRefused) {
  const std::vector<std::vector<double>> large = {{1, 3e9}};
  EXPECT_EQ(refused_with_kind([&] { return pad_sequences(large); }),
            "value: pad_sequences: a number does not fit its type\n  got    3e+09\n  want   int32");
  const std::vector<std::vector<float>> none = {{std::numeric_limits<float>::quiet_NaN()}};
  EXPECT_THAT(refused_with_kind([&] { return pad_sequences(none); }),
              testing::HasSubstr("got    nan"));
  const std::vector<std::vector<std::int32_t>> bytes = {{255}, {256}};
  EXPECT_EQ(refused_with_kind([&] { return pad_sequences(bytes, {.dtype = DType::uint8}); }),
            "value: pad_sequences: a number does not fit its type\n  got    256\n  want   uint8");
  EXPECT_THAT(refused_with_kind([] {
                return pad_sequences(std::vector<std::vector<std::int32_t>>{}, {.maxlen = -1});
              }),
              testing::StartsWith("value: pad_sequences: maxlen must not be negative"));
}

TEST(PadSequences, OfTensorsKeepTheShapeOfAStep) {
  const Tensor padded =
      pad_sequences(std::vector<Tensor>{counting({1, 2}), Tensor(), counting({3, 2})},
                    {.maxlen = 2, .value = -1});
  EXPECT_EQ(padded.describe(), "int32 (3, 2, 2)");
  EXPECT_THAT(numbers<std::int32_t>(padded), ElementsAre(-1, -1, 0, 1, -1, -1, -1, -1, 2, 3, 4, 5));
  EXPECT_EQ(refused_with_kind([] {
              return pad_sequences(std::vector<Tensor>{counting({1, 2}), counting({1, 3})});
            }),
            "shape: pad_sequences: the steps of the sequences differ in shape\n"
            "  got    (3,) in sequence 1\n"
            "  want   (2,), as before");
}

TEST(ToCategorical, RefusesWhatIsNoClass) {
  EXPECT_EQ(refused_with_kind([] {
              return to_categorical(Tensor::of<float>({2}, {1, 0.5f}));
            }),
            "value: to_categorical: not a class\n"
            "  got    0.5 at position 1\n"
            "  want   a whole number from 0 on");
  EXPECT_EQ(
      refused_with_kind([] {
        return to_categorical(Tensor::of<std::int32_t>({2}, {0, 3}), 3);
      }),
      "value: to_categorical: a class has no column\n  got    3\n  want   below num_classes, 3");
  EXPECT_THAT(refused_with_kind([] { return to_categorical(Tensor::of<std::int32_t>({1}, {-1})); }),
              testing::HasSubstr("got    -1 at position 0"));
}

TEST(Skipgrams, RandomPairsJoinWordsOfTheTextWithAnyWord) {
  std::vector<std::int32_t> text(1000);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::int32_t>(1 + i % 5);
  const SkipgramsOptions options{.window_size = 1, .negative_samples = 2, .shuffle = false};
  const Skipgrams pairs = skipgrams(text, 11, options);
  ASSERT_EQ(pairs.couples.shape(), (Shape{3 * 1998, 2}));
  const auto labels = numbers<std::int32_t>(pairs.labels);
  EXPECT_EQ(std::accumulate(labels.begin(), labels.end(), 0), 1998);
  EXPECT_TRUE(std::is_sorted(labels.rbegin(), labels.rend()));
  std::map<Index, Index> second;
  for (Index i = 1998; i < 3 * 1998; ++i) {
    EXPECT_LE(pairs.couples.at({i, 0}), 5);
    ++second[static_cast<Index>(pairs.couples.at({i, 1}))];
  }
  // 1 to 10, 400 times each but for chance: five standard deviations are 95.
  EXPECT_EQ(second.size(), 10u);
  for (const auto& [word, count] : second)
    EXPECT_NEAR(static_cast<double>(count), 399.6, 95) << word;
}

TEST(Skipgrams, ShufflingKeepsPairsAndLabelsTogether) {
  const std::vector<std::int32_t> text = {1, 2, 3, 4, 5, 6, 7, 8};
  const auto tally = [&](const SkipgramsOptions& options) {
    const Skipgrams pairs = skipgrams(text, 9, options);
    std::multiset<std::vector<double>> result;
    for (Index i = 0; i < pairs.labels.elements(); ++i) {
      result.insert({pairs.couples.at({i, 0}), pairs.couples.at({i, 1}), pairs.labels.at({i})});
    }
    return result;
  };
  EXPECT_EQ(tally({.seed = 3}), tally({.shuffle = false, .seed = 3}));
  const auto first = numbers<std::int32_t>(skipgrams(text, 9, {.seed = 3}).couples);
  EXPECT_EQ(first, numbers<std::int32_t>(skipgrams(text, 9, {.seed = 3}).couples));
  EXPECT_NE(first, numbers<std::int32_t>(skipgrams(text, 9, {.seed = 4}).couples));
}

TEST(Skipgrams, ASamplingTableLeavesWordsOut) {
  const std::vector<std::int32_t> text(2000, 1);
  const auto pairs = [&](double keep) {
    return skipgrams(text, 3,
                     {.window_size = 1,
                      .negative_samples = 0,
                      .sampling_table = std::vector<double>{1, keep}})
        .labels.elements();
  };
  EXPECT_EQ(pairs(1), 2 * 2000 - 2);
  EXPECT_EQ(pairs(-1), 0);
  EXPECT_NEAR(static_cast<double>(pairs(0.25)), 1000, 200);
  EXPECT_EQ(refused_with_kind([] {
              return skipgrams({1, 2}, 3, {.sampling_table = std::vector<double>{1, 1}});
            }),
            "value: skipgrams: the sampling_table lacks a word\n"
            "  got    2 at position 1\n"
            "  want   below 2");
}

TEST(Skipgrams, RefusesWhatCannotBe) {
  EXPECT_THAT(refused_with_kind([] {
                return skipgrams({1, -2}, 3);
              }),
              testing::StartsWith("value: skipgrams: a word's number must not be negative\n"
                                  "  got    -2 at position 1"));
  EXPECT_EQ(refused_with_kind([] {
              return skipgrams({1, 1}, 1);
            }),
            "value: skipgrams: no words to draw\n"
            "  got    vocabulary_size 1\n"
            "  want   from 2 to 2147483648\n"
            "hint: .negative_samples = 0 draws none");
  EXPECT_EQ(skipgrams({}, 0).couples.shape(), (Shape{0, 2}));
}

TEST(TimeseriesGenerator, BatchesAreViewsOfTheSeries) {
  const Tensor data = counting({10, 2});
  const TimeseriesGenerator generator(data, data, {.length = 3, .stride = 2, .batch_size = 3});
  EXPECT_EQ(generator.size(), 2);
  EXPECT_EQ(generator[0].x.row(1), data.floats() + 4);
  EXPECT_EQ(generator[1].y.row(0), data.floats() + 18);
  EXPECT_EQ(generator.all().x.shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(refused_with_kind([&] { return generator[2]; }),
            "value: no such batch of windows\n  got    2\n  want   0 to 1");
}

TEST(TimeseriesGenerator, ShuffledBatchesAreDrawnAnew) {
  const Tensor data = counting({100});
  const TimeseriesGenerator generator(data, data,
                                      {.length = 1, .shuffle = true, .batch_size = 64, .seed = 5});
  std::set<float> targets;
  for (Index batch = 0; batch < generator.size(); ++batch) {
    const Windows windows = generator[batch];
    ASSERT_EQ(windows.x.count(), 64);
    for (Index i = 0; i < 64; ++i) {
      EXPECT_EQ(windows.x.values<float>(i)[0] + 1, windows.y.values<float>(i)[0]);
      targets.insert(windows.y.values<float>(i)[0]);
    }
  }
  EXPECT_GT(targets.size(), 60u);
  EXPECT_EQ(numbers<float>(generator[1].y.tensor()), numbers<float>(generator[1].y.tensor()));
}

TEST(TimeseriesGenerator, RefusesWhatDoesNotFit) {
  const Tensor data = counting({5});
  EXPECT_EQ(refused_with_kind([&] { return TimeseriesGenerator(data, data, {.length = 5}); }),
            "value: TimeseriesGenerator: no window fits\n"
            "  got    rows 0 to 4\n"
            "  want   a window of 5 rows and the row behind it");
  EXPECT_EQ(
      refused_with_kind([&] { return TimeseriesGenerator(data, counting({4}), {.length = 2}); }),
      "shape: TimeseriesGenerator: data and targets differ in rows\n  got    (5,) and (4,)");
  EXPECT_EQ(refused_with_kind(
                [&] { return TimeseriesGenerator(data, data, {.length = 2, .end_index = 5}); }),
            "value: TimeseriesGenerator: end_index is out of range\n  got    5\n  want   0 to 4");
  constexpr Index huge = std::numeric_limits<Index>::max();
  EXPECT_EQ(
      TimeseriesGenerator(data, data,
                          {.length = 1, .sampling_rate = huge, .stride = huge, .batch_size = huge})
          .all()
          .x.count(),
      1);
}

TEST(TimeseriesDataset, ShuffledHoldsEveryWindowOnce) {
  const Tensor data = counting({30});
  const auto dataset = timeseries_dataset_from_array(
      data, data, {.sequence_length = 4, .batch_size = 10, .shuffle = true, .seed = 2});
  std::vector<float> starts;
  for (Index batch = 0; batch < dataset.size(); ++batch) {
    const Windows windows = dataset[batch];
    for (Index i = 0; i < windows.x.count(); ++i) {
      starts.push_back(windows.y.values<float>(i)[0]);
      EXPECT_EQ(windows.x.values<float>(i)[3], starts.back() + 3);
    }
  }
  EXPECT_FALSE(std::ranges::is_sorted(starts));
  std::ranges::sort(starts);
  EXPECT_EQ(starts, numbers<float>(counting({27})));
}

TEST(TimeseriesDataset, TooShortASeriesHasNoWindows) {
  const auto dataset =
      timeseries_dataset_from_array(counting({5, 1}), std::nullopt, {.sequence_length = 6});
  EXPECT_EQ(dataset.size(), 0);
  EXPECT_EQ(dataset.all().x.shape(), (Shape{0, 6, 1}));
  constexpr Index huge = std::numeric_limits<Index>::max();
  EXPECT_EQ(timeseries_dataset_from_array(counting({5}), std::nullopt,
                                          {.sequence_length = 3, .sampling_rate = huge})
                .count(),
            0);
  EXPECT_EQ(refused_with_kind([] {
              return timeseries_dataset_from_array(counting({5}), std::nullopt,
                                                   {.sequence_length = 2, .end_index = 6});
            }),
            "value: timeseries_dataset_from_array: end_index is out of range\n"
            "  got    6\n"
            "  want   0 to 5");
}

}  // namespace
}  // namespace unroll
