#include "src/text/prose.h"

#include <algorithm>
#include <array>

#include "src/text/lower.h"

namespace unroll::text {

namespace {

bool is_apostrophe(char32_t code) { return code == '\'' || code == 0x2019; }

template <std::size_t N>
bool among(const std::array<char32_t, N>& codes, char32_t code) {
  return std::ranges::find(codes, code) != codes.end();
}

/// No blank before these; none after those.
constexpr std::array<char32_t, 18> joined_left{'.',  ',', ';',    ':',    '!',    '?',
                                               ')',  ']', '}',    '-',    '/',    '%',
                                               '\'', '"', 0x2019, 0x201D, 0x2026, 0x2014};
constexpr std::array<char32_t, 13> joined_right{'(', '[', '{',    '-',    '/',    '\'', '"',
                                                '$', '#', 0x2018, 0x201C, 0x2014, '@'};
constexpr std::array<char32_t, 6> white{' ', '\n', '\t', '\r', '\v', '\f'};

}  // namespace

std::string_view piece_at(std::string_view text, std::size_t at) {
  Decoded character = decode(text, at);
  std::size_t end = at + character.length;
  if (!part_of_word(character.code)) return text.substr(at, end - at);
  while (end < text.size()) {
    character = decode(text, end);
    std::size_t next = end + character.length;
    if (is_apostrophe(character.code)) {
      if (next >= text.size()) break;
      character = decode(text, next);
      next += character.length;
    }
    if (!part_of_word(character.code)) break;
    end = next;
  }
  return text.substr(at, end - at);
}

bool blank_between(std::string_view left, std::string_view right) {
  const char32_t before = decode(left, 0).code, after = decode(right, 0).code;
  return !among(white, before) && !among(white, after) && !among(joined_right, before) &&
         !among(joined_left, after);
}

}  // namespace unroll::text
