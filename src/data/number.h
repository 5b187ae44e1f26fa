// Decimal text to double, correctly rounded.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace unroll::data {

namespace number_detail {

/// The powers of ten that a double holds exactly.
inline constexpr std::array<double, 23> powers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// The general case, for text that is known to be a number without a sign whose written exponent is
/// `written`. False where it is too large.
bool from_text(std::string_view text, char decimal, int written, double& value);

constexpr bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

}  // namespace number_detail

/// Reads [+-]digits[.digits][e[+-]digits] from p on, as far as it goes. Returns where it ends, or
/// nullptr where there is none or it is too large for a double; what is too small becomes 0.
/// Requires: a character that no number contains ends the text.
inline const char* read_number(const char* p, char decimal, double& value) {
  using namespace number_detail;
  const bool negative = *p == '-';
  if (*p == '-' || *p == '+') ++p;
  const char* const begin = p;
  std::uint64_t mantissa = 0;
  for (; is_digit(*p); ++p) mantissa = 10 * mantissa + static_cast<unsigned char>(*p - '0');
  auto digits = p - begin;
  int exponent = 0, written = 0;
  if (*p == decimal) {
    const char* const point = p++;
    for (; is_digit(*p); ++p) mantissa = 10 * mantissa + static_cast<unsigned char>(*p - '0');
    const auto fraction = p - point - 1;
    digits += fraction;
    // Beyond some digits the general case takes over and reads the text again.
    exponent = -static_cast<int>(fraction < 10'000 ? fraction : 10'000);
  }
  if (digits == 0) return nullptr;
  if (*p == 'e' || *p == 'E') {
    ++p;
    const bool down = *p == '-';
    if (*p == '-' || *p == '+') ++p;
    if (!is_digit(*p)) return nullptr;
    for (; is_digit(*p); ++p) written = written < 10'000 ? 10 * written + (*p - '0') : written;
    if (down) written = -written;
    exponent += written;
  }
  // 19 digits fit 64 bits. A product or quotient of two exact doubles is rounded once: correctly.
  if (digits <= 19 && mantissa <= (std::uint64_t{1} << 53) && exponent >= -22 && exponent <= 22) {
    const auto exact = static_cast<double>(mantissa);
    value = exponent < 0 ? exact / powers[static_cast<std::size_t>(-exponent)]
                         : exact * powers[static_cast<std::size_t>(exponent)];
  } else if (!from_text({begin, static_cast<std::size_t>(p - begin)}, decimal, written, value)) {
    return nullptr;
  }
  if (negative) value = -value;
  return p;
}

/// A whole text as a number; blanks around it are not allowed. False where it is none.
bool to_number(std::string_view text, char decimal, double& value);

/// "nan" in any case: how many programs write a missing value.
bool is_nan_word(std::string_view text);

/// Without the blanks around it.
std::string_view trimmed(std::string_view text);

}  // namespace unroll::data
