#include "src/tasks/baselines.h"

#include <gtest/gtest.h>

namespace unroll::tasks {
namespace {

const std::vector<double> values{1, 3, 2, 5, 4, 8};

TEST(Baselines, OneStepAhead) {
  const Origin rows{4, 6, 1};
  EXPECT_EQ(persistence(values, rows), (std::vector<double>{5, 4}));
  EXPECT_EQ(drift(values, rows), (std::vector<double>{5 + 4.0 / 3, 4 + 3.0 / 4}));
  EXPECT_EQ(moving_average(values, rows, 2), (std::vector<double>{3.5, 4.5}));
  EXPECT_EQ(moving_average(values, rows, 100), (std::vector<double>{11.0 / 4, 3}));
  EXPECT_EQ(seasonal_naive(values, rows, 3), (std::vector<double>{3, 2}));
}

TEST(Baselines, ThreeStepsAheadSeeNothingLaterThanThreeRowsBefore) {
  const Origin rows{4, 6, 3};
  EXPECT_EQ(persistence(values, rows), (std::vector<double>{3, 2}));
  EXPECT_EQ(drift(values, rows), (std::vector<double>{3 + 3 * 2.0, 2 + 3 * 0.5}));
  EXPECT_EQ(moving_average(values, rows, 2), (std::vector<double>{2, 2.5}));
  // Period 2: one period back is not known three steps ahead, two are.
  EXPECT_EQ(seasonal_naive(values, rows, 2), (std::vector<double>{1, 3}));
  EXPECT_EQ(seasonal_naive(values, rows, 3), (std::vector<double>{3, 2}));
}

}  // namespace
}  // namespace unroll::tasks
