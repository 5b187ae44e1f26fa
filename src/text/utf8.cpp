#include "src/text/utf8.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace unroll::text {

namespace {

constexpr char32_t replacement = 0xFFFD;

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

/// How many bytes a first byte announces, and which second bytes keep the character from being
/// overlong, a surrogate or above U+10FFFF.
struct Lead {
  std::size_t length;
  unsigned least, most;
};
constexpr Lead lead_of(unsigned first) noexcept {
  if (first >= 0xC2 && first <= 0xDF) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first >= 0xE1 && first <= 0xEF) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first >= 0xF1 && first <= 0xF3) return {4, 0x80, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

std::string hexadecimal(unsigned byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "0x%02X", byte);
  return text.data();
}

}  // namespace

Decoded decode(std::string_view text, std::size_t at) noexcept {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = lead_of(first);
  if (lead.length == 0) return {replacement, 1, false};
  const unsigned second = byte_at(text, at + 1);
  if (second < lead.least || second > lead.most) return {replacement, 1, false};
  char32_t code = first & (0xFFu >> (lead.length + 1));
  code = code << 6 | (second & 0x3F);
  for (std::size_t i = 2; i < lead.length; ++i) {
    const unsigned next = byte_at(text, at + i);
    if ((next & 0xC0) != 0x80) return {replacement, i, false};
    code = code << 6 | (next & 0x3F);
  }
  return {code, lead.length, true};
}

Decoded decode_before(std::string_view text, std::size_t end) noexcept {
  std::size_t at = end - 1;
  while (at > 0 && (byte_at(text, at) & 0xC0) == 0x80) --at;
  return decode(text, at);
}

void append(std::string& text, char32_t code) {
  const auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

std::size_t ascii_run(std::string_view text, std::size_t at) noexcept {
  const std::size_t start = at;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, 8);
    if ((bytes & 0x8080808080808080) != 0) break;
  }
  while (at < text.size() && byte_at(text, at) < 0x80) ++at;
  return at - start;
}

std::optional<std::size_t> first_invalid(std::string_view text) noexcept {
  std::size_t at = ascii_run(text, 0);
  while (at < text.size()) {
    const Decoded character = decode(text, at);
    if (!character.valid) return at;
    at += character.length;
    if (byte_at(text, at) < 0x80) at += ascii_run(text, at);
  }
  return std::nullopt;
}

std::string with_replacements(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Decoded character = decode(text, at);
    if (character.valid) {
      result.append(text, at, character.length);
    } else {
      append(result, replacement);
    }
    at += character.length;
  }
  return result;
}

Error not_utf8(std::string_view text, std::size_t at, const std::string& what,
               const std::string& hint) {
  return Error(ErrorKind::format, what + " is not UTF-8",
               {.got = hexadecimal(byte_at(text, at)) + " at byte " + std::to_string(at) +
                       ", counted from 0",
                .want = "UTF-8",
                .hint = hint});
}

}  // namespace unroll::text
