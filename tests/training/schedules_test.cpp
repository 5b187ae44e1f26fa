// Learning rate schedules. Keras's numbers are in tests/golden.
#include "unroll/schedules.h"

#include "tests/training/close.h"

namespace unroll {
namespace {

TEST(Schedules, RestartEverLonger) {
  // 10 steps, then 20, each beginning at half the height of the one before.
  const LearningRate rate = CosineDecayRestarts{
      .initial_learning_rate = 0.1, .first_decay_steps = 10, .t_mul = 2, .m_mul = 0.5};
  EXPECT_NEAR(rate.at(0), 0.1, 1e-15);
  EXPECT_NEAR(rate.at(5), 0.05, 1e-15);
  EXPECT_NEAR(rate.at(10), 0.05, 1e-15);
  EXPECT_NEAR(rate.at(20), 0.025, 1e-12);
  const LearningRate even =
      CosineDecayRestarts{.initial_learning_rate = 0.1, .first_decay_steps = 10, .t_mul = 1};
  EXPECT_NEAR(even.at(35), 0.05, 1e-15);
}

TEST(Schedules, CycleAndStaircase) {
  const LearningRate cycle = PolynomialDecay{
      .initial_learning_rate = 1, .decay_steps = 10, .end_learning_rate = 0, .cycle = true};
  EXPECT_DOUBLE_EQ(cycle.at(15), 0.25);  // the second cycle has 20 steps
  const LearningRate stairs = InverseTimeDecay{
      .initial_learning_rate = 1, .decay_steps = 10, .decay_rate = 1, .staircase = true};
  EXPECT_DOUBLE_EQ(stairs.at(19), 0.5);
}

void expect_rate_refusal(const LearningRate& rate, const char* text) {
  expect_refusal([&] { rate.at(3); }, text);
}

TEST(Schedules, RefuseWhatCannotBe) {
  expect_rate_refusal(
      ExponentialDecay{.decay_steps = 0},
      "ExponentialDecay: decay_steps is too small\n  got    0\n  want   at least 1");
  expect_rate_refusal(PiecewiseConstantDecay{.boundaries = {1, 2}, .values = {0.1, 0.2}},
                      "PiecewiseConstantDecay: the lists do not match\n"
                      "  got    2 boundaries and 2 values\n"
                      "  want   one value more than boundaries");
  try {
    parse_schedule("Cosine");
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "no learning rate schedule has this name\n"
                 "  got    \"Cosine\"\n"
                 "  want   one of ExponentialDecay, PiecewiseConstantDecay, PolynomialDecay, "
                 "InverseTimeDecay, CosineDecay, CosineDecayRestarts");
  }
  ShortList<Index, 32> many;
  for (Index i = 0; i < 32; ++i) many.push_back(i);
  try {
    many.push_back(32);
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "a list of options is too long\n  want   at most 32 values");
  }
}

}  // namespace
}  // namespace unroll
