// The words of a review, and what is counted of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/text/word_table.h"
#include "unroll/index.h"

namespace unroll::tasks {

/// A review as its writer meant it: `<br />` is a line end.
std::string without_markup(std::string_view review);

/// Words and word pairs, each with a number from 1 on; 0 is nobody's.
class NGrams {
 public:
  NGrams() = default;
  /// Those that are in at least `least` of the texts, in the order in which they appear.
  NGrams(const std::vector<std::string>& texts, Index least);
  /// "good" or "not good", one a number.
  explicit NGrams(const std::vector<std::string>& list);

  /// The numbers that a text has, in ascending order, each once. Requires: UTF-8.
  std::vector<std::int32_t> numbers(std::string_view text) const;
  Index size() const noexcept { return table_.size(); }
  std::string_view operator[](Index i) const noexcept {
    return table_[static_cast<std::uint32_t>(i)];
  }

 private:
  text::WordTable table_;
};

}  // namespace unroll::tasks
