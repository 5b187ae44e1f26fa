#include "src/data/words.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace unroll::data {

namespace {

constexpr std::size_t longest = 60;

std::string escaped(char c) {
  if (c == '\n') return "\\n";
  if (c == '\r') return "\\r";
  if (c == '\t') return "\\t";
  std::array<char, 5> text{};
  std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned char>(c));
  return text.data();
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// Where a text may be cut without leaving half a UTF-8 character.
std::size_t cut(std::string_view text) {
  if (text.size() <= longest) return text.size();
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return end;
}

}  // namespace

std::string quoted(std::string_view text) {
  const std::size_t end = cut(text);
  std::string result = "\"";
  for (char c : text.substr(0, end)) {
    result += is_control(c) ? escaped(c) : std::string(1, c);
  }
  return result + (end < text.size() ? "...\"" : "\"");
}

std::string spelt(double value) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

std::string counted(long long count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace unroll::data
