// What a Table points to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/table.h"

namespace unroll {

namespace data {

/// Texts one behind the other; text i ends at ends[i].
class Texts {
 public:
  void push_back(std::string_view text) {
    bytes_ += text;
    ends_.push_back(bytes_.size());
  }
  std::string_view operator[](Index i) const {
    const auto at = static_cast<std::size_t>(i);
    const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
    return std::string_view(bytes_).substr(begin, ends_[at] - begin);
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

/// One of the three holds as many entries as the table has rows; the others are empty.
struct Column {
  ColumnKind kind = ColumnKind::numbers;
  std::vector<double> numbers;
  std::vector<Timestamp> dates;
  Texts texts;
  std::string name;
};

/// The source line of each row. Kept as runs in which each row takes one line, so that an ordinary
/// file needs a single entry.
class Lines {
 public:
  /// Rows are added in order, with growing lines.
  void add(Index row, Index line) {
    if (runs_.empty() || line - runs_.back().second != row - runs_.back().first) {
      runs_.emplace_back(row, line);
    }
  }
  Index of(Index row) const;

 private:
  std::vector<std::pair<Index, Index>> runs_;  ///< first row, its line
};

}  // namespace data

struct Table::Data {
  std::string name;
  Index rows = 0;
  std::vector<data::Column> columns;
  data::Lines lines;
  char decimal = '.';
  bool numbered = false;  ///< the columns have numbers for names: there was no header
};

}  // namespace unroll
