#include "src/data/number.h"

#include <algorithm>

namespace unroll::data {

bool number_detail::from_text(std::string_view text, char decimal, int written, double& value) {
  std::string standard;
  if (decimal != '.') {
    standard = text;
    std::ranges::replace(standard, decimal, '.');
    text = standard;
  }
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc()) return true;
  // from_chars tells too large and too small apart only by leaving both alone. The place of the
  // first digit that counts, from the point on, does.
  const auto point = static_cast<long long>(std::min(text.find_first_of(".eE"), text.size()));
  const auto first = static_cast<long long>(text.find_first_of("123456789"));
  if (point - first + written > 0) return false;
  value = 0;
  return true;
}

bool to_number(std::string_view text, char decimal, double& value) {
  const std::string ended(text);  // its closing NUL is what read_number stops at
  const char* const end = read_number(ended.c_str(), decimal, value);
  return end == ended.c_str() + ended.size();
}

bool is_nan_word(std::string_view text) {
  return text.size() == 3 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'a' &&
         (text[2] | 0x20) == 'n';
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace unroll::data
