#include <gtest/gtest.h>

#include "unroll/forecast.h"

namespace unroll {
namespace {

ForecastReport report(double skill, double p, double with_last = 0.9, double with_truth = 0.95) {
  ForecastReport made;
  made.skill = skill;
  made.p_value = p;
  made.lag = {.with_last = with_last, .with_truth = with_truth};
  return made;
}

TEST(Verdict, Better) {
  EXPECT_EQ(verdict(report(1.62, 0.031)),
            "The model beats \"tomorrow = today\" by 1.6 %; by chance alone, a difference this "
            "large arises in 3 of 100 cases.");
  EXPECT_EQ(verdict(report(3.4, 0.0001)),
            "The model beats \"tomorrow = today\" by 3.4 %; by chance alone, a difference this "
            "large arises in fewer than 1 of 100 cases.");
}

TEST(Verdict, BetterPerhaps) {
  EXPECT_EQ(verdict(report(1.1, 0.151)),
            "The model does not clearly beat \"tomorrow = today\": it is 1.1 % better (p = 0.15), "
            "which may be chance.");
}

TEST(Verdict, Worse) {
  EXPECT_EQ(verdict(report(-2.3, 0.0004)),
            "The model is worse than \"tomorrow = today\": 2.3 % worse (p < 0.001).");
  EXPECT_EQ(verdict(report(-0.4, 0.61)),
            "The model does not beat \"tomorrow = today\" (0.4 % worse, p = 0.61).");
}

TEST(Verdict, NoDifference) {
  EXPECT_EQ(verdict(report(0.04, 0.01)),
            "The model does not beat \"tomorrow = today\" (no different, p = 0.010).");
}

TEST(Verdict, FollowsTheLastValue) {
  EXPECT_EQ(verdict(report(-0.4, 0.61, 0.9994, 0.9712)),
            "The model does not beat \"tomorrow = today\" (0.4 % worse, p = 0.61). Its forecasts "
            "follow the last value rather than the truth: correlation 0.999 with the one, 0.971 "
            "with the other. See: unroll help persistence");
  // A model that is better does not only repeat, however near to the last value it stays.
  EXPECT_FALSE(repeats_last_value(report(3, 0.001, 0.999, 0.97)));
  EXPECT_TRUE(repeats_last_value(report(3, 0.2, 0.999, 0.97)));
  EXPECT_FALSE(repeats_last_value(report(-3, 0.2, 0.97, 0.999)));
}

TEST(Verdict, SeveralSteps) {
  ForecastReport made = report(2, 0.01);
  made.horizon = 5;
  EXPECT_EQ(verdict(made),
            "The model beats \"it stays as it is\" by 2.0 %; by chance alone, a difference this "
            "large arises in 1 of 100 cases.");
}

TEST(Verdict, AgreesWithWhatIsPrinted) {
  // 0.04996 is printed as 0.050, so it is not below 0.05 in words either.
  EXPECT_EQ(p_value_text(0.04996), "p = 0.050");
  EXPECT_TRUE(verdict(report(1, 0.04996)).starts_with("The model does not clearly beat"));
  EXPECT_EQ(p_value_text(0.0494), "p = 0.049");
  EXPECT_TRUE(verdict(report(1, 0.0494)).starts_with("The model beats"));
}

TEST(Words, Numbers) {
  EXPECT_EQ(skill_text(28.66), "28.7 % better");
  EXPECT_EQ(skill_text(-28.66), "28.7 % worse");
  EXPECT_EQ(skill_text(-0.04), "no different");
  EXPECT_EQ(p_value_text(0.61), "p = 0.61");
  EXPECT_EQ(p_value_text(0.0312), "p = 0.031");
  EXPECT_EQ(p_value_text(0.0031), "p = 0.0031");
  EXPECT_EQ(p_value_text(0.00099), "p < 0.001");
  EXPECT_EQ(p_value_text(0), "p < 0.001");
  EXPECT_EQ(p_value_text(1), "p = 1.00");
}

TEST(Caveats, OnlyOfTheLesson) {
  ForecastReport made = report(0, 1);
  EXPECT_TRUE(caveats(made).empty());
  made.lesson = true;
  made.mse = 5.26e-4;
  made.persistence_mse = 5.15e-4;
  ASSERT_EQ(caveats(made).size(), 3U);
  EXPECT_EQ(caveats(made)[2],
            "\"Tomorrow = today\" has MSE 5.15e-4 on the same windows, the model 5.26e-4: it has "
            "learnt next to nothing.");
  made.mse = 4e-4;
  EXPECT_TRUE(
      caveats(made)[2].ends_with("the model 4.00e-4: it has learnt a little more than that."));
}

}  // namespace
}  // namespace unroll
