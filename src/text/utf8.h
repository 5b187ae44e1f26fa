// UTF-8, byte by byte.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "unroll/error.h"

namespace unroll::text {

/// A character, or what stands where there is none.
struct Decoded {
  char32_t code;
  /// Bytes; of an ill-formed one its maximal part (The Unicode Standard, definition D93b).
  std::size_t length;
  bool valid;
};
/// Requires: at < text.size().
Decoded decode(std::string_view text, std::size_t at) noexcept;
/// The character that ends before a byte. Requires: 0 < end, and that text is valid.
Decoded decode_before(std::string_view text, std::size_t end) noexcept;
void append(std::string& text, char32_t code);

/// The number of ASCII bytes from `at` on.
std::size_t ascii_run(std::string_view text, std::size_t at) noexcept;
/// The first byte that belongs to no character.
std::optional<std::size_t> first_invalid(std::string_view text) noexcept;
/// The text with U+FFFD for what belongs to no character.
std::string with_replacements(std::string_view text);

/// The refusal of a text whose byte `at` belongs to no character; `what` it is: "text 3".
Error not_utf8(std::string_view text, std::size_t at, const std::string& what,
               const std::string& hint = "iconv -f LATIN1 -t UTF-8 converts files");
/// Of those that have InvalidUtf8 among their options.
inline constexpr const char* replacing_hint =
    ".invalid_utf8 = InvalidUtf8::replace takes U+FFFD for such bytes; iconv -f LATIN1 -t UTF-8 "
    "converts files";

/// Throws: not_utf8; what() names the text.
template <class What>
void check_utf8(std::string_view text, What what) {
  if (const auto wrong = first_invalid(text)) {
    throw not_utf8(text, *wrong, what(), replacing_hint);
  }
}

}  // namespace unroll::text
