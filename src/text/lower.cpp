// The only file that includes utf8proc.
#include "src/text/lower.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "src/text/utf8.h"

namespace unroll::text {

namespace {

constexpr char32_t capital_sigma = 0x3A3, sigma = 0x3C3, final_sigma = 0x3C2;
constexpr char32_t dotted_capital_i = 0x130, dot_above = 0x307;

utf8proc_category_t category(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

/// Characters with case that are not letters by category: Other_Lowercase and Other_Uppercase,
/// without those that are case-ignorable, which is asked first.
bool has_case_besides_letters(char32_t code) {
  const auto between = [code](char32_t first, char32_t last) {
    return first <= code && code <= last;
  };
  return code == 0xAA || code == 0xBA || between(0x2160, 0x217F) || between(0x24B6, 0x24E9) ||
         between(0x1F130, 0x1F149) || between(0x1F150, 0x1F169) || between(0x1F170, 0x1F189);
}

bool is_cased(char32_t code) {
  const auto kind = category(code);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL ||
         kind == UTF8PROC_CATEGORY_LT || has_case_besides_letters(code);
}

/// Characters inside words, such as apostrophes and accents: the context of a sigma looks past
/// them.
bool is_case_ignorable(char32_t code) {
  // Word_Break is MidLetter, MidNumLet or Single_Quote.
  constexpr std::array<char32_t, 15> inside_words{0x27,   0x2E,   0x3A,   0xB7,   0x387,
                                                  0x55F,  0x5F4,  0x2018, 0x2019, 0x2024,
                                                  0x2027, 0xFE13, 0xFE52, 0xFE55, 0xFF07};
  const auto kind = category(code);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_ME ||
         kind == UTF8PROC_CATEGORY_CF || kind == UTF8PROC_CATEGORY_LM ||
         kind == UTF8PROC_CATEGORY_SK || code == 0xFF0E || code == 0xFF1A ||
         std::ranges::find(inside_words, code) != inside_words.end();
}

bool cased_before(std::string_view text, std::size_t at) {
  while (at > 0) {
    const Decoded character = decode_before(text, at);
    if (!is_case_ignorable(character.code)) return is_cased(character.code);
    at -= character.length;
  }
  return false;
}

bool cased_from(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const Decoded character = decode(text, at);
    if (!is_case_ignorable(character.code)) return is_cased(character.code);
    at += character.length;
  }
  return false;
}

void append_lower(std::string& result, std::string_view text, std::size_t at,
                  const Decoded& character) {
  if (character.code == dotted_capital_i) {
    append(result, 'i');
    append(result, dot_above);
  } else if (character.code == capital_sigma) {
    const bool last = cased_before(text, at) && !cased_from(text, at + character.length);
    append(result, last ? final_sigma : sigma);
  } else {
    const auto code = static_cast<utf8proc_int32_t>(character.code);
    append(result, static_cast<char32_t>(utf8proc_tolower(code)));
  }
}

/// Requires: ASCII.
void append_lower_ascii(std::string& result, std::string_view text) {
  const std::size_t before = result.size();
  result.append(text);
  char* letters = result.data() + before;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool capital = letters[i] >= 'A' && letters[i] <= 'Z';
    letters[i] = static_cast<char>(letters[i] | (capital ? 0x20 : 0));
  }
}

}  // namespace

void lower_case(std::string_view text, std::string& result) {
  result.clear();
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t run = ascii_run(text, at);
    append_lower_ascii(result, text.substr(at, run));
    at += run;
    if (at == text.size()) break;
    const Decoded character = decode(text, at);
    append_lower(result, text, at, character);
    at += character.length;
  }
}

bool part_of_word(char32_t code) noexcept {
  if (code < 0x80) {
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
           (code >= '0' && code <= '9');
  }
  const auto kind = category(code);
  return (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO) ||
         (kind >= UTF8PROC_CATEGORY_MN && kind <= UTF8PROC_CATEGORY_ME) ||
         (kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO);
}

}  // namespace unroll::text
