#include "src/data/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>

#include "src/base/random.h"

namespace unroll::data {
namespace {

/// The text's number; NaN where it is none.
double read(std::string_view text, char decimal = '.') {
  double value = 0;
  return to_number(text, decimal, value) ? value : std::nan("");
}

TEST(Number, Spellings) {
  EXPECT_EQ(read("17.240000"), 17.24);
  EXPECT_EQ(read("+3"), 3);
  EXPECT_EQ(read("-.5"), -0.5);
  EXPECT_EQ(read("5."), 5);
  EXPECT_EQ(read("1e3"), 1000);
  EXPECT_EQ(read("1.5E-3"), 0.0015);
  EXPECT_EQ(read("2e+02"), 200);
  EXPECT_EQ(read("007"), 7);
  EXPECT_TRUE(std::signbit(read("-0")));
  EXPECT_EQ(read("12,5", ','), 12.5);
  EXPECT_EQ(read("-1234567890123456789012,5e-3", ','), -1234567890123456789.0125);
}

TEST(Number, WhatIsNone) {
  for (const char* text :
       {"",     "-",   "+",   ".",   "e5",  "1e",    "1e+", "1 ",  " 1",    "1,5", "1.2.3",
        "0x10", "inf", "nan", "12%", "$12", "1_000", "--1", "+-1", "1e5.0", "1d5"}) {
    EXPECT_TRUE(std::isnan(read(text))) << text;
  }
  EXPECT_TRUE(std::isnan(read(std::string_view("1\0", 2))));
}

TEST(Number, TooLargeIsNoneTooSmallIsZero) {
  EXPECT_EQ(read("1.7976931348623157e308"), 1.7976931348623157e308);
  EXPECT_EQ(read("4.9e-324"), 4.9e-324);
  for (const std::string& text :
       {std::string("1e309"), std::string("-2e308"), "1" + std::string(400, '0'),
        "0." + std::string(50, '0') + "1e400", std::string("1e99999999999")}) {
    EXPECT_TRUE(std::isnan(read(text))) << text;
  }
  for (const std::string& text :
       {std::string("1e-400"), "0." + std::string(400, '0') + "1",
        "1" + std::string(50, '0') + "e-400", std::string("1e-99999999999"),
        std::string("0e99999999999"), "0." + std::string(20'000, '0')}) {
    EXPECT_EQ(read(text), 0) << text;
  }
  EXPECT_EQ(read("0." + std::string(400, '0') + "1e401"), 1);
  EXPECT_EQ(read("1" + std::string(20'000, '0') + "e-20000"), 1);
}

std::uint64_t bits(double value) {
  std::uint64_t result = 0;
  std::memcpy(&result, &value, sizeof(result));
  return result;
}

/// Any double, spelt with 17 digits, comes back with the same bits.
TEST(Number, RandomBitsReadBack) {
  const base::Random random(11);
  char text[64];
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const std::uint64_t pattern = std::uint64_t{random.bits(2 * i)} << 32 | random.bits(2 * i + 1);
    double value = 0;
    std::memcpy(&value, &pattern, sizeof(value));
    if (!std::isfinite(value)) continue;
    std::snprintf(text, sizeof(text), "%.17g", value);
    ASSERT_EQ(bits(read(text)), pattern) << text;
  }
}

/// Prices and the like, on either side of what the quick way takes, agree with the C library.
TEST(Number, RandomDecimalsAgreeWithStrtod) {
  const base::Random random(12);
  for (std::uint64_t i = 0; i < 300'000; ++i) {
    std::string text;
    const Index digits = 1 + random.below(22, 64 * i);
    const Index point = random.below(digits + 1, 64 * i + 1);
    for (Index k = 0; k < digits; ++k) {
      if (k == point) text += '.';
      text += static_cast<char>('0' + random.below(10, 64 * i + 3 + static_cast<std::uint64_t>(k)));
    }
    if (random.below(3, 64 * i + 2) == 0) {
      text += "e" + std::to_string(random.below(60, 64 * i + 40) - 30);
    }
    ASSERT_EQ(bits(read(text)), bits(std::strtod(text.c_str(), nullptr))) << text;
  }
}

TEST(Number, NanIsAWord) {
  EXPECT_TRUE(is_nan_word("nan"));
  EXPECT_TRUE(is_nan_word("NaN"));
  EXPECT_FALSE(is_nan_word("na"));
  EXPECT_FALSE(is_nan_word("nano"));
}

}  // namespace
}  // namespace unroll::data
