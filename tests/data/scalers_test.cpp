#include "unroll/scalers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/refused.h"

namespace unroll {
namespace {

using testing::ElementsAre;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> numbers(const Tensor& tensor) {
  const Tensor exact = tensor.to(DType::float64);
  const auto values = exact.values<double>();
  return {values.begin(), values.end()};
}

/// Two columns: 1, 2, 3, 4, 10 and a constant.
Tensor sample(DType dtype = DType::float64) {
  return Tensor::of<double>({5, 2}, {1, 7, 2, 7, 3, 7, 4, 7, 10, 7}).to(dtype);
}

TEST(MinMaxScaler, BringsColumnsIntoTheRange) {
  MinMaxScaler scaler;
  const Tensor scaled = scaler.fit_transform(sample());
  EXPECT_THAT(numbers(scaled), ElementsAre(0, 0, 1 / 9.0, 0, 2 / 9.0, 0, 3 / 9.0, 0, 1, 0));
  EXPECT_THAT(scaler.center(), ElementsAre(1, 7));
  EXPECT_THAT(scaler.scale(), ElementsAre(9, 1));
}

TEST(MinMaxScaler, TakesAnotherRange) {
  MinMaxScaler scaler({.feature_range = {-1, 1}});
  const Tensor scaled = scaler.fit_transform(sample());
  EXPECT_THAT(numbers(scaled.rows(0, 1)), ElementsAre(-1, -1));
  EXPECT_THAT(numbers(scaled.rows(4, 5)), ElementsAre(1, -1));
}

TEST(MinMaxScaler, GoesBeyondTheRangeForWhatItHasNotSeen) {
  MinMaxScaler scaler;
  scaler.fit(Tensor::of<double>({2, 1}, {0, 10}));
  EXPECT_THAT(numbers(scaler.transform(Tensor::of<double>({2, 1}, {-5, 20}))),
              ElementsAre(-0.5, 2));
}

TEST(StandardScaler, GivesMeanZeroAndDeviationOne) {
  StandardScaler scaler;
  const Tensor scaled = scaler.fit_transform(sample());
  const double deviation = std::sqrt(10.0);
  EXPECT_THAT(numbers(scaled), ElementsAre(-3 / deviation, 0, -2 / deviation, 0, -1 / deviation, 0,
                                           0, 0, 6 / deviation, 0));
  EXPECT_THAT(scaler.center(), ElementsAre(4, 7));
  EXPECT_THAT(scaler.scale(), ElementsAre(deviation, 1));
}

TEST(StandardScaler, LeavesOutWhatItIsToldTo) {
  EXPECT_THAT(StandardScaler({.with_mean = false}).fit(sample()).center(), ElementsAre(0, 0));
  EXPECT_THAT(StandardScaler({.with_std = false}).fit(sample()).scale(), ElementsAre(1, 1));
}

TEST(StandardScaler, IsExactFarFromZero) {
  // Sums of squares would lose all digits here.
  StandardScaler scaler;
  scaler.fit(Tensor::of<double>({4, 1}, {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}));
  EXPECT_DOUBLE_EQ(scaler.center()[0], 1e9 + 10);
  EXPECT_DOUBLE_EQ(scaler.scale()[0], std::sqrt(22.5));
}

TEST(StandardScaler, AConstantsRoundingNoiseIsNoVariance) {
  StandardScaler scaler;
  scaler.fit(Tensor::full({1000, 1}, 0.1, DType::float64));
  EXPECT_EQ(scaler.scale()[0], 1);
}

TEST(RobustScaler, UsesMedianAndQuartiles) {
  RobustScaler scaler;
  const Tensor scaled = scaler.fit_transform(sample());
  EXPECT_THAT(numbers(scaled), ElementsAre(-1, 0, -0.5, 0, 0, 0, 0.5, 0, 3.5, 0));
  EXPECT_THAT(scaler.center(), ElementsAre(3, 7));
  EXPECT_THAT(scaler.scale(), ElementsAre(2, 1));
}

TEST(RobustScaler, InterpolatesQuantiles) {
  // numpy.percentile([1, 2, 4, 8], [10, 90]) is [1.3, 6.8]; the median is 3.
  RobustScaler scaler({.quantile_range = {10, 90}});
  scaler.fit(Tensor::of<double>({4, 1}, {8, 1, 4, 2}));
  EXPECT_DOUBLE_EQ(scaler.center()[0], 3);
  EXPECT_DOUBLE_EQ(scaler.scale()[0], 5.5);
  EXPECT_THAT(RobustScaler({.with_centering = false}).fit(sample()).center(), ElementsAre(0, 0));
  EXPECT_THAT(RobustScaler({.with_scaling = false}).fit(sample()).scale(), ElementsAre(1, 1));
}

TEST(Scalers, ComeBack) {
  for (const char* name : {"minmax", "standard", "robust", "none"}) {
    const Scaler scaler = fit_scaler(name, sample());
    const auto back = numbers(scaler.inverse_transform(scaler.transform(sample())));
    const auto original = numbers(sample());
    for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], original[i], 1e-12) << name;
  }
}

TEST(Scalers, KeepFloat64AndGiveFloat32Otherwise) {
  const Scaler scaler = fit_scaler("minmax", sample());
  EXPECT_EQ(scaler.transform(sample()).dtype(), DType::float64);
  EXPECT_EQ(scaler.transform(sample(DType::float32)).dtype(), DType::float32);
  const Tensor of_integers = scaler.transform(sample(DType::int32));
  EXPECT_EQ(of_integers.dtype(), DType::float32);
  EXPECT_EQ(of_integers.at({4, 0}), 1);
  EXPECT_EQ(of_integers.at({1, 0}), static_cast<double>(1.0f / 9));
}

TEST(Scalers, ReadRowsThatOverlap) {
  const Tensor series = Tensor::of<float>({5, 1}, {0, 10, 20, 30, 40});
  MinMaxScaler scaler;
  scaler.fit(series);
  const Windows pairs = windows(series, {.length = 2, .stride = 2});
  EXPECT_THAT(numbers(scaler.inverse_transform(pairs.y)), ElementsAre(800, 1600));
}

TEST(Scalers, CanBeSavedAndRestored) {
  const Scaler fitted = fit_scaler("standard", sample());
  const Scaler restored(fitted.name(), {fitted.center().begin(), fitted.center().end()},
                        {fitted.scale().begin(), fitted.scale().end()});
  EXPECT_EQ(restored.name(), "StandardScaler");
  EXPECT_EQ(numbers(restored.transform(sample())), numbers(fitted.transform(sample())));
}

TEST(Scalers, OfOneColumn) {
  const Scaler first = fit_scaler("minmax", sample()).column(0);
  EXPECT_EQ(first.columns(), 1);
  EXPECT_THAT(numbers(first.inverse_transform(Tensor::of<double>({2, 1}, {0, 1}))),
              ElementsAre(1, 10));
  EXPECT_EQ(first.inverse_transform(1.0, 0), 10);
  EXPECT_EQ(first.transform(10.0, 0), 1);
  EXPECT_EQ(refused_with_kind([&] { first.column(1); }),
            "shape: MinMaxScaler: no such column\n  got    1\n  want   0 to 0");
}

TEST(Scalers, LeaveMissingValuesMissing) {
  const Scaler scaler = fit_scaler("minmax", sample()).column(0);
  EXPECT_TRUE(std::isnan(scaler.transform(Tensor::of<double>({1, 1}, {nan})).at({0, 0})));
}

TEST(Scalers, RefuseToFitWhatIsNoNumber) {
  Tensor holed = sample();
  holed.values<double>()[7] = nan;
  EXPECT_EQ(refused_with_kind([&] { MinMaxScaler().fit(holed); }),
            "value: MinMaxScaler: row 3, column 1 holds no number\n"
            "  got    nan\n"
            "  want   finite numbers only\n"
            "hint: leave out rows with missing values first: Table::complete");
  holed.values<double>()[7] = -std::numeric_limits<double>::infinity();
  EXPECT_THAT(refused_with_kind([&] { StandardScaler().fit(holed); }),
              testing::StartsWith("value: StandardScaler: row 3, column 1 holds no number\n"
                                  "  got    -inf"));
  EXPECT_THAT(refused_with_kind([&] { RobustScaler().fit(holed); }),
              testing::HasSubstr("row 3, column 1"));
}

TEST(Scalers, RefuseToFitNothing) {
  EXPECT_EQ(refused_with_kind([] {
              MinMaxScaler().fit(Tensor({0, 2}));
            }),
            "value: MinMaxScaler: nothing to fit\n"
            "  got    (0, 2)\n"
            "  want   at least one row and one column");
  EXPECT_EQ(refused_with_kind([] { MinMaxScaler().fit(Tensor({5})); }),
            "shape: MinMaxScaler: the input has the wrong rank\n"
            "  got    (5,)\n"
            "  want   (rows, columns)\n"
            "hint: x.reshape({unknown, 1}) makes it one column");
}

TEST(Scalers, RefuseToTransformUnfitted) {
  EXPECT_EQ(refused_with_kind([] { MinMaxScaler().transform(sample()); }),
            "value: MinMaxScaler.transform: not fitted\nhint: call fit first");
  EXPECT_EQ(refused_with_kind([] { RobustScaler().inverse_transform(sample()); }),
            "value: RobustScaler.inverse_transform: not fitted\nhint: call fit first");
}

TEST(Scalers, RefuseOtherColumns) {
  const Scaler scaler = fit_scaler("standard", sample());
  EXPECT_EQ(refused_with_kind([&] {
              scaler.transform(Tensor({4, 3}));
            }),
            "shape: StandardScaler.transform: not the columns that were fitted\n"
            "  got    (4, 3)\n"
            "  want   (rows, 2)");
  EXPECT_EQ(refused_with_kind([&] {
              scaler.inverse_transform(Tensor({4, 1}));
            }),
            "shape: StandardScaler.inverse_transform: not the columns that were fitted\n"
            "  got    (4, 1)\n"
            "  want   (rows, 2)");
}

TEST(Scalers, RefuseOptionsAndStatesThatMakeNoSense) {
  EXPECT_EQ(refused_with_kind([] {
              MinMaxScaler({.feature_range = {1, 0.5}});
            }),
            "value: MinMaxScaler: no such feature_range\n"
            "  got    (1, 0.5)\n"
            "  want   (low, high) with low < high");
  EXPECT_EQ(refused_with_kind([] {
              RobustScaler({.quantile_range = {25, 101}});
            }),
            "value: RobustScaler: no such quantile_range\n"
            "  got    (25, 101)\n"
            "  want   (low, high) in per cent with 0 <= low < high <= 100");
  const std::string no_state =
      "value: s: these are no centres and scales\n"
      "  got    1 centres, 1 scales\n"
      "  want   one finite centre and one finite scale other than 0 for each column";
  EXPECT_EQ(refused_with_kind([] { Scaler("s", {1}, {0}); }), no_state);
  EXPECT_EQ(refused_with_kind([] { Scaler("s", {nan}, {1}); }), no_state);
  EXPECT_THAT(refused_with_kind([] {
                Scaler("s", {1, 2}, {1});
              }),
              testing::HasSubstr("2 centres, 1 scales"));
  EXPECT_EQ(refused_with_kind([] { fit_scaler("max", sample()); }),
            "value: no such scaler\n  got    \"max\"\n  want   minmax, standard, robust or none");
}

}  // namespace
}  // namespace unroll
