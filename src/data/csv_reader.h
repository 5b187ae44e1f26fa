// The reader of CSV records.
//
// One pass over the text fills the columns. A column is what its first entry looks like: numbers,
// dates or text. Where a later entry of a column of numbers or dates is something else, the column
// is text after all; it is put aside and a second pass over the text collects all such columns.
// Numbers, by far the most common, are read where they stand: no field is cut out first.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/data/dialect.h"
#include "src/data/table_data.h"
#include "unroll/csv.h"
#include "unroll/error.h"

namespace unroll::data {

class CsvReader {
 public:
  /// Requires: a '\n' that is not part of the text stands behind it.
  CsvReader(std::string_view text, std::string name, const CsvOptions& options);

  std::shared_ptr<const Table::Data> read();

 private:
  enum class Mode : unsigned char { undecided, numbers, dates, text, aside, skipped };

  void read_header();
  void name_columns(const Record& record, bool header);
  void read_records();
  void take_blank_lines();
  void read_record();
  void begin_row();
  /// Reads a field that the fast path left, from p_ on; p_ is then at its separator or line end.
  void read_field(std::size_t column);
  std::string_view quoted_field(std::size_t column);
  void take_field(std::size_t column, std::string_view text);
  void decide(std::size_t column, std::string_view entry);
  void put_aside(std::size_t column);
  void collect_text();
  void finish();
  bool is_marker(std::string_view entry) const;
  bool ends_field(char c) const { return c == separator_ || c == '\n' || c == '\r'; }
  void end_line();

  Error refusal(Index line, std::size_t column, const std::string& what, Details details) const;
  Error wrong_count(Index got) const;
  Index count_fields() const;

  std::string name_;
  const CsvOptions& options_;
  const char* begin_;
  const char* end_;
  const char* p_;
  const char* record_ = nullptr;  ///< where the record being read begins
  char separator_ = ',';
  Index line_ = 1;         ///< of p_
  Index record_line_ = 1;  ///< of record_
  Index names_line_ = 1;   ///< of the record that says how many fields there are
  Index blank_lines_ = 0;  ///< before the record, in a file of one column
  std::string unquoted_;   ///< a quoted field that had doubled quotes
  std::vector<Mode> modes_;
  std::vector<bool> had_words_;
  std::shared_ptr<Table::Data> table_;
};

}  // namespace unroll::data
