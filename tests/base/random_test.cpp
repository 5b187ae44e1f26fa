#include "src/base/random.h"

#include <gtest/gtest.h>

namespace unroll::base {
namespace {

// The known answers that the authors of Philox published for philox4x32-10.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Random, IsAFunctionOfItsPosition) {
  const Random a(7, 3), b(7, 3), other_seed(8, 3), other_stream(7, 4);
  EXPECT_EQ(a.bits(12345), b.bits(12345));
  EXPECT_NE(a.bits(12345), other_seed.bits(12345));
  EXPECT_NE(a.bits(12345), other_stream.bits(12345));
  EXPECT_NE(a.bits(12345), a.bits(12346));
}

TEST(Random, HasTheMomentsOfItsDistributions) {
  const Random random(1);
  constexpr int n = 200000;
  double uniform = 0, normal = 0, square = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const double u = random.uniform(i), z = random.normal(i);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    ASSERT_LT(random.below(6, i), 6);
    uniform += u;
    normal += z;
    square += z * z;
  }
  // Five standard errors.
  EXPECT_NEAR(uniform / n, 0.5, 5 * 0.2887 / std::sqrt(n));
  EXPECT_NEAR(normal / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
}

}  // namespace
}  // namespace unroll::base
