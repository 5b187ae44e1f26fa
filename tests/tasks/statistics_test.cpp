#include "src/tasks/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace unroll::tasks {
namespace {

using Numbers = std::vector<double>;

/// The two tails of a t distribution by Simpson's rule over t = tan(x): another way than the one
/// under test.
double tails(double t, double df) {
  const auto density = [df](double x) {
    const double u = std::tan(x);
    return std::pow(1 + u * u / df, -(df + 1) / 2) * (1 + u * u);
  };
  const auto integral = [&](double from) {
    constexpr int parts = 20'000;
    const double to = std::numbers::pi / 2 - 1e-9, h = (to - from) / parts;
    double sum = density(from) + density(to);
    for (int i = 1; i < parts; ++i) sum += (i % 2 == 1 ? 4 : 2) * density(from + i * h);
    return sum * h / 3;
  };
  return integral(std::atan(t)) / integral(0);
}

TEST(TwoSidedP, TableOfTheTDistribution) {
  // The quantiles that every table of the t distribution prints.
  EXPECT_NEAR(two_sided_p(12.706, 1), 0.05, 1e-5);
  EXPECT_NEAR(two_sided_p(2.228, 10), 0.05, 1e-4);
  EXPECT_NEAR(two_sided_p(2.750, 30), 0.01, 1e-4);
  EXPECT_NEAR(two_sided_p(1.960, 1e7), 0.05, 1e-4);
  EXPECT_DOUBLE_EQ(two_sided_p(0, 5), 1);
  EXPECT_NEAR(two_sided_p(1, 1), 0.5, 1e-12);
}

TEST(TwoSidedP, AgreesWithIntegration) {
  for (const double df : {2.0, 7.0, 40.0}) {
    for (const double t : {0.1, 0.7, 1.5, 4.0}) {
      EXPECT_NEAR(two_sided_p(t, df), tails(t, df), 1e-6) << "t " << t << " df " << df;
      EXPECT_DOUBLE_EQ(two_sided_p(t, df), two_sided_p(-t, df));
    }
  }
}

TEST(Correlation, KnownValues) {
  EXPECT_DOUBLE_EQ(correlation(Numbers{1.0, 2, 3}, Numbers{2.0, 4, 6}), 1);
  EXPECT_DOUBLE_EQ(correlation(Numbers{1.0, 2, 3}, Numbers{3.0, 2, 1}), -1);
  EXPECT_NEAR(correlation(Numbers{1.0, 2, 3, 4}, Numbers{1.0, 3, 2, 4}), 0.8, 1e-12);
  EXPECT_TRUE(std::isnan(correlation(Numbers{1.0, 1, 1}, Numbers{1.0, 2, 3})));
}

TEST(DieboldMariano, OneStepAheadIsTheTTest) {
  // With horizon 1 the correction turns it into Student's test: 2.5 / (sqrt(5/3) / 2) = sqrt(15).
  const DieboldMariano test = diebold_mariano(Numbers{1.0, 2, 3, 4}, 1);
  EXPECT_NEAR(test.statistic, std::sqrt(15.0), 1e-12);
  EXPECT_NEAR(test.p_value, tails(std::sqrt(15.0), 3), 1e-6);
}

TEST(DieboldMariano, TwoStepsAheadCountsNeighbours) {
  // d - mean: -1.5 -0.5 0.5 1.5 -1.5 -0.5 0.5 1.5, g0 = 10/8, g1 = (0.75 - 0.25 + 0.75 - 2.25
  // + 0.75 - 0.25 + 0.75) / 8 = 0.25/8; v = g0 + 2 g1; c = sqrt((8 + 1 - 4 + 2/8) / 8).
  const Numbers d{1.0, 2, 3, 4, 1, 2, 3, 4};
  const double v = 10.0 / 8 + 2 * 0.25 / 8;
  const double want = std::sqrt(5.25 / 8) * 2.5 / std::sqrt(v / 8);
  EXPECT_NEAR(diebold_mariano(d, 2).statistic, want, 1e-12);
}

TEST(DieboldMariano, FallingWeightsWhereEqualOnesGiveNoVariance) {
  // Alternating: g0 = 1, g1 = -5/6: 1 - 10/6 < 0, so Bartlett's 1 - 5/6 holds.
  const Numbers d{2.0, 0, 2, 0, 2, 0};
  const double c = std::sqrt((6 + 1 - 4 + 2.0 / 6) / 6);
  EXPECT_NEAR(diebold_mariano(d, 2).statistic, c / std::sqrt((1.0 / 6) / 6), 1e-12);
}

TEST(DieboldMariano, SignAndEdges) {
  EXPECT_LT(diebold_mariano(Numbers{-1.0, -2, -3, -4}, 1).statistic, 0);
  EXPECT_EQ(diebold_mariano(Numbers{0.0, 0, 0}, 1).p_value, 1);
  EXPECT_EQ(diebold_mariano(Numbers{1.0, 1, 1}, 1).p_value, 0);
  EXPECT_EQ(diebold_mariano(Numbers{1.0}, 1).p_value, 1);
  EXPECT_EQ(diebold_mariano(Numbers{1.0, 2, 3}, 3).p_value, 1);
}

std::vector<double> waves(int period, int count, double noise) {
  std::vector<double> values;
  unsigned state = 1;
  for (int i = 0; i < count; ++i) {
    state = state * 1664525 + 1013904223;
    const double random = static_cast<double>(state >> 8) / (1 << 24) - 0.5;
    values.push_back(std::sin(2 * std::numbers::pi * i / period) + 0.01 * i + noise * random);
  }
  return values;
}

TEST(FindPeriod, FindsTheShortestOfAPeriodAndItsMultiples) {
  EXPECT_EQ(find_period(waves(12, 240, 0.05)), 12);
  EXPECT_EQ(find_period(waves(24, 2000, 0.02)), 24);
  EXPECT_EQ(find_period(waves(7, 70, 0)), 7);
}

TEST(FindPeriod, FindsNoneWhereThereIsNone) {
  std::vector<double> walk{0};
  for (const double step : waves(1'000'000, 3000, 1)) walk.push_back(walk.back() + step);
  EXPECT_EQ(find_period(walk), 0);
  EXPECT_EQ(find_period(std::vector<double>(100, 3.0)), 0);
  EXPECT_EQ(find_period(Numbers{1.0, 2, 1, 2}), 0);
  // Less than three whole periods show nothing.
  EXPECT_EQ(find_period(waves(50, 120, 0)), 0);
}

}  // namespace
}  // namespace unroll::tasks
