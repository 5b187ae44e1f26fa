#include "unroll/windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <numeric>

#include "tests/refused.h"

namespace unroll {
namespace {

using testing::ElementsAre;

/// 0, 1, 2, ... in this shape.
Tensor counting(const Shape& shape, DType dtype = DType::float32) {
  Tensor result(shape, DType::float32);
  std::iota(result.values<float>().begin(), result.values<float>().end(), 0.0f);
  return result.to(dtype);
}

std::vector<float> numbers(const Rows& rows, Index row) {
  const auto values = rows.values<float>(row);
  return {values.begin(), values.end()};
}

std::vector<float> numbers(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

TEST(Rows, EachEntryOfATensorsFirstAxisIsARow) {
  const Tensor tensor = counting({3, 2, 2});
  const Rows rows = tensor;
  EXPECT_EQ(rows.count(), 3);
  EXPECT_EQ(rows.row_shape(), (Shape{2, 2}));
  EXPECT_EQ(rows.shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(rows.row_elements(), 4);
  EXPECT_TRUE(rows.contiguous());
  EXPECT_EQ(rows.row(1), tensor.floats() + 4);
  EXPECT_THAT(numbers(rows, 2), ElementsAre(8, 9, 10, 11));
}

TEST(Rows, OfAVectorAreSingleNumbers) {
  const Rows rows = counting({4});
  EXPECT_EQ(rows.row_shape(), Shape{});
  EXPECT_THAT(numbers(rows, 3), ElementsAre(3));
}

TEST(Rows, NoneByDefault) {
  EXPECT_EQ(Rows().count(), 0);
  EXPECT_TRUE(Rows().empty());
  EXPECT_EQ(Rows(Tensor()).count(), 0);
}

TEST(Rows, OverlapAndSkip) {
  const Rows rows(counting({10}), 1, 2, 3, {4});
  EXPECT_FALSE(rows.contiguous());
  EXPECT_THAT(numbers(rows, 0), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(numbers(rows, 2), ElementsAre(5, 6, 7, 8));
}

TEST(Rows, TheLastRowMayEndWithTheStorage) {
  EXPECT_THAT(numbers(Rows(counting({10}), 0, 2, 4, {4}), 3), ElementsAre(6, 7, 8, 9));
  EXPECT_EQ(refused_with_kind([] { Rows(counting({10}), 1, 2, 4, {4}); }),
            "shape: rows would leave their storage\n"
            "  got    4 rows of (4,), 2 apart, from number 1 on\n"
            "  want   rows inside 10 numbers");
}

TEST(Rows, RefuseToLeaveTheStorageWhateverOverflows) {
  const Index huge = Index{1} << 62;
  for (const auto& at : std::vector<std::array<Index, 3>>{
           {0, huge, 5}, {huge, 1, 1}, {0, 1, huge}, {-1, 1, 1}, {0, -1, 2}, {0, 1, -1}}) {
    EXPECT_THAT(refused_with_kind([&] { Rows(counting({10}), at[0], at[1], at[2], {1}); }),
                testing::StartsWith("shape: rows would leave their storage"));
  }
}

TEST(Rows, ARankOfZeroIsRefused) {
  EXPECT_EQ(refused_with_kind([] { Rows(Tensor(Shape{})); }),
            "shape: a tensor without axes has no rows\n"
            "  got    float32 ()\n"
            "  want   (rows, ...)");
}

TEST(Rows, ASliceSharesTheNumbers) {
  const Rows rows(counting({10}), 0, 2, 4, {4});
  const Rows middle = rows.slice(1, 3);
  EXPECT_EQ(middle.count(), 2);
  EXPECT_EQ(middle.row(0), rows.row(1));
  EXPECT_EQ(middle.slice(2, 2).count(), 0);
  EXPECT_EQ(refused_with_kind([&] { rows.slice(1, 5); }),
            "shape: no such rows\n"
            "  got    1 to 5\n"
            "  want   rows of (4, 4)");
}

TEST(Rows, BecomeATensor) {
  const Tensor tensor = counting({3, 2});
  EXPECT_EQ(Rows(tensor).tensor().floats(), tensor.floats());
  const Tensor copied = Rows(counting({5}), 0, 1, 3, {3}).tensor();
  EXPECT_EQ(copied.shape(), (Shape{3, 3}));
  EXPECT_THAT(numbers(copied), ElementsAre(0, 1, 2, 1, 2, 3, 2, 3, 4));
}

TEST(Rows, ATensorOfThemKeepsTheNumbersAlive) {
  Tensor kept;
  { kept = Rows(counting({4, 1})).slice(2, 4).tensor(); }
  EXPECT_THAT(numbers(kept), ElementsAre(2, 3));
}

TEST(Rows, AreGatheredInAnyOrderAndKind) {
  const Rows rows(counting({6}, DType::int32), 0, 1, 5, {2});
  const std::vector<Index> order = {4, 0, 4};
  const Tensor gathered = rows.gather(order);
  EXPECT_EQ(gathered.shape(), (Shape{3, 2}));
  EXPECT_THAT(gathered.values<std::int32_t>(), ElementsAre(4, 5, 0, 1, 4, 5));
  const std::vector<Index> wrong = {5};
  EXPECT_EQ(refused_with_kind([&] { rows.gather(wrong); }),
            "shape: no such rows\n"
            "  got    row 5\n"
            "  want   rows of (5, 2)");
}

TEST(Rows, SayWhichNumbersTheyHold) {
  const Rows rows = counting({2, 2}, DType::int32);
  EXPECT_EQ(refused_with_kind([&] { rows.values<float>(0); }),
            "value: rows hold other numbers\n"
            "  got    int32\n"
            "  want   float32");
}

TEST(Windows, ArePairsOfAPastAndWhatFollows) {
  const Tensor series = counting({6, 1});
  const Windows pairs = windows(series, {.length = 3});
  EXPECT_EQ(pairs.x.shape(), (Shape{3, 3, 1}));
  EXPECT_EQ(pairs.y.shape(), (Shape{3, 1}));
  EXPECT_THAT(numbers(pairs.x, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(numbers(pairs.y, 0), ElementsAre(3));
  EXPECT_THAT(numbers(pairs.x, 2), ElementsAre(2, 3, 4));
  EXPECT_THAT(numbers(pairs.y, 2), ElementsAre(5));
  EXPECT_EQ(pairs.x.row(0), series.floats());
  EXPECT_EQ(pairs.y.row(0), series.floats() + 3);
}

TEST(Windows, OfManyColumns) {
  const Tensor series = counting({5, 3});
  const Windows all = windows(series, {.length = 2});
  EXPECT_EQ(all.x.row_shape(), (Shape{2, 3}));
  EXPECT_THAT(numbers(all.x, 1), ElementsAre(3, 4, 5, 6, 7, 8));
  EXPECT_THAT(numbers(all.y, 1), ElementsAre(9, 10, 11));
  const Windows one = windows(series, {.length = 2, .target = 2});
  EXPECT_EQ(one.y.shape(), (Shape{3, 1}));
  EXPECT_THAT(numbers(one.y, 0), ElementsAre(8));
  EXPECT_THAT(numbers(one.y, 2), ElementsAre(14));
}

/// Each value of each window, by the definition, for many options.
TEST(Windows, AgreeWithTheirDefinition) {
  const Tensor series = counting({23, 2});
  for (Index length = 1; length <= 7; ++length) {
    for (Index horizon = 1; horizon <= 5; ++horizon) {
      for (Index stride = 1; stride <= 6; ++stride) {
        const Windows pairs =
            windows(series, {.length = length, .horizon = horizon, .stride = stride, .target = 1});
        ASSERT_EQ(pairs.x.count(), (23 - length - horizon) / stride + 1);
        ASSERT_EQ(pairs.y.count(), pairs.x.count());
        for (Index i = 0; i < pairs.x.count(); ++i) {
          const auto x = pairs.x.values<float>(i);
          for (Index t = 0; t < 2 * length; ++t) {
            ASSERT_EQ(x[static_cast<std::size_t>(t)], static_cast<float>(2 * i * stride + t));
          }
          const Index target = 2 * (i * stride + length - 1 + horizon) + 1;
          ASSERT_EQ(pairs.y.values<float>(i)[0], static_cast<float>(target));
        }
      }
    }
  }
}

TEST(Windows, TheLessonsAreCounted) {
  EXPECT_EQ(windows(Tensor({8946, 1}), {.length = 50}).x.count(), 8896);
}

TEST(Windows, JustFitOrAreRefused) {
  EXPECT_EQ(windows(Tensor({51, 1}), {.length = 50}).x.count(), 1);
  EXPECT_EQ(refused_with_kind([] {
              windows(Tensor({50, 1}), {.length = 50});
            }),
            "shape: windows: the series is too short\n"
            "  got    50 rows\n"
            "  want   a window of 50 rows and the row 1 after it\n"
            "hint: a shorter length, or more rows");
  const Index huge = std::numeric_limits<Index>::max();
  EXPECT_THAT(refused_with_kind([&] {
                windows(Tensor({50, 1}), {.length = huge, .horizon = huge});
              }),
              testing::HasSubstr("too short"));
  EXPECT_EQ(windows(Tensor({50, 2}), {.length = 5, .stride = huge}).x.count(), 1);
}

TEST(Windows, RefuseOptionsOutsideTheirRange) {
  const Tensor series({50, 2});
  EXPECT_EQ(refused_with_kind([&] { windows(series, {.length = 0}); }),
            "value: windows: length must be at least 1\n  got    0");
  EXPECT_EQ(refused_with_kind([&] { windows(series, {.length = 5, .horizon = 0}); }),
            "value: windows: horizon must be at least 1\n  got    0");
  EXPECT_EQ(refused_with_kind([&] { windows(series, {.length = 5, .stride = -2}); }),
            "value: windows: stride must be at least 1\n  got    -2");
  EXPECT_EQ(refused_with_kind([&] { windows(series, {.length = 5, .target = 2}); }),
            "value: windows: no such target column\n"
            "  got    2\n"
            "  want   0 to 1, or all_columns");
  EXPECT_EQ(refused_with_kind([] { windows(Tensor({50}), {.length = 5}); }),
            "shape: windows: the series has the wrong rank\n"
            "  got    (50,)\n"
            "  want   (rows, columns)\n"
            "hint: series.reshape({unknown, 1}) makes it one column");
}

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// As copies they would take 20 GB.
TEST(Windows, TenMillionOfFiveHundredTakeNoMemory) {
  const Index rows = 10'000'000;
  Tensor series({rows, 1});
  for (Index i = 0; i < rows; ++i) series.floats()[i] = static_cast<float>(i % 1000);
  const long before = peak_kilobytes();
  const Windows pairs = windows(series, {.length = 500});
  ASSERT_EQ(pairs.x.count(), rows - 500);
  double sum = 0;
  for (Index i = 0; i < pairs.x.count(); i += 997) {
    sum += static_cast<double>(pairs.x.values<float>(i)[499] + pairs.y.values<float>(i)[0]);
  }
  EXPECT_GT(sum, 0);
  EXPECT_LT(peak_kilobytes() - before, 4096);
  EXPECT_EQ(pairs.y.row(rows - 501), series.floats() + rows - 1);
}

TEST(Split, InTwo) {
  const Tensor series = counting({10, 1});
  auto [past, future] = split(series, {.train = 0.8});
  EXPECT_THAT(numbers(past), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(numbers(future), ElementsAre(8, 9));
  EXPECT_EQ(past.floats(), series.floats());
}

TEST(Split, InThree) {
  auto [train, validate, test] = split(counting({10}), {.train = 0.7, .validate = 0.1});
  EXPECT_EQ(train.shape(), Shape{7});
  EXPECT_THAT(numbers(validate), ElementsAre(7));
  EXPECT_THAT(numbers(test), ElementsAre(8, 9));
}

TEST(Split, PointsAreTheNearestRows) {
  const SplitPoints reef = split_points(9000, {.train = 0.7, .validate = 0.1});
  EXPECT_EQ(reef.train, 6300);
  EXPECT_EQ(reef.validate, 7200);
  const SplitPoints vix = split_points(9235, {.train = 0.7, .validate = 0.1});
  EXPECT_EQ(vix.train, 6465);  // 6464.5
  EXPECT_EQ(vix.validate, 7388);
}

TEST(Split, RefusesSharesAndSeriesThatLeaveAPartEmpty) {
  const Tensor series({10, 1});
  EXPECT_EQ(refused_with_kind([&] { split(series, {.train = 1.0}); }),
            "value: split: the share leaves a part empty\n"
            "  got    train 1\n"
            "  want   a share above 0 and below 1");
  EXPECT_EQ(refused_with_kind([&] { split(series, {.train = 0.7, .validate = 0.3}); }),
            "value: split: the shares leave a part empty\n"
            "  got    train 0.7, validate 0.3\n"
            "  want   shares above 0 that sum to less than 1");
  EXPECT_THAT(refused_with_kind([&] { split(series, {.train = std::nan(""), .validate = 0.3}); }),
              testing::HasSubstr("leave a part empty"));
  EXPECT_EQ(refused_with_kind([] {
              split(Tensor({1, 1}), {.train = 0.8});
            }),
            "value: split: too few rows for this share\n  got    1 rows: past 1, future 0");
  EXPECT_EQ(refused_with_kind([] {
              split(Tensor({3, 1}), {.train = 0.8, .validate = 0.1});
            }),
            "value: split: too few rows for these shares\n"
            "  got    3 rows: train 2, validate 1, test 0");
}

}  // namespace
}  // namespace unroll
