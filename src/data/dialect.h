// How a CSV file is written: its separator, and whether its first line names the columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unroll/csv.h"

namespace unroll::data {

/// A field, unquoted, and whether it was quoted.
struct Field {
  std::string text;
  bool quoted = false;
};
using Record = std::vector<Field>;

/// Reads one record from `at` on and moves `at` behind its line end. False where a quoted field
/// does not end. Text behind a closing quote is taken as it stands: refusing it is the reader's
/// business.
bool take_record(std::string_view text, std::size_t& at, char separator, Record& record);

/// Moves `at` behind line ends that follow each other; returns how many there were.
Index skip_blank_lines(std::string_view text, std::size_t& at);

/// The separator that cuts the first records into equally many fields, at least two; otherwise the
/// one that cuts the first record into most; ',' where none does.
char find_separator(std::string_view text, const CsvOptions& options);

/// Whether the first record names the columns; see Header::automatic.
bool find_header(std::string_view text, char separator, const CsvOptions& options);

}  // namespace unroll::data
