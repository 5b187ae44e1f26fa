// Cuts texts into words.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::text {

/// Filters become the separator, then the text is cut at each separator; empty words are left out.
/// Cutting from many threads is safe.
class Cutter {
 public:
  /// Throws: Error (value) for an empty separator. Requires: both are UTF-8.
  Cutter(std::string_view filters, std::string_view separator);

  /// Calls use(word) for each word, a view into the text or into `room`. Requires: UTF-8.
  template <class F>
  void words(std::string_view text, std::string& room, F use) const {
    if (by_bytes_) return words_by_bytes(text, use);
    filter(text, room);
    words_by_separator(room, use);
  }

 private:
  template <class F>
  void words_by_bytes(std::string_view text, F use) const {
    const char* at = text.data();
    const char* end = at + text.size();
    while (at != end) {
      const char* start = at;
      while (at != end && !is_boundary_[static_cast<unsigned char>(*at)]) ++at;
      if (at != start) use(std::string_view(start, static_cast<std::size_t>(at - start)));
      if (at != end) ++at;
    }
  }
  template <class F>
  void words_by_separator(std::string_view text, F use) const {
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find(separator_, start), text.size());
      if (end != start) use(text.substr(start, end - start));
      start = end + separator_.size();
    }
  }
  void filter(std::string_view text, std::string& result) const;

  std::string separator_;
  std::vector<char32_t> filters_;  ///< in order
  /// Where filters and separator are single bytes, no other character has these bytes inside.
  bool by_bytes_ = false;
  std::array<bool, 256> is_boundary_{};
};

}  // namespace unroll::text
