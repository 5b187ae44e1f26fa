// CSV: tables out of text files (RFC 4180 and what is found in the wild).
//
//   Table table = read_csv("vix.csv");
//   Table piped = read_csv("-");
//   Table remote = read_csv("https://example.org/prices.csv", {.missing = {"n/a"}});
//
// Fields may be quoted, and then hold separators, newlines and doubled quotes. Lines end in LF,
// CRLF or CR. A byte-order mark is skipped; bytes are otherwise taken as UTF-8. Blank lines are
// skipped, but in a file of one column one between others is a missing value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unroll/table.h"

namespace unroll {

/// Whether the first line names the columns.
enum class Header {
  automatic,  ///< it does unless a field of it is a number or date and none stands over such
  yes,
  no,  ///< the columns are named "1", "2", ...
};

struct CsvOptions {
  /// '\0': whichever of tab ; | , cuts the first lines into equally many fields.
  char separator = '\0';
  Header header = Header::automatic;
  /// Fields that mean "no value", besides the empty field and NaN in any case.
  std::vector<std::string> missing = {};
  char decimal = '.';  ///< the decimal point; ',' in much of Europe
  Index max_columns = 100'000;
  Index max_rows = 1'000'000'000;
  Index max_bytes = Index{8} << 30;  ///< of the file, of standard input, of what a server sends
  double timeout = 300;              ///< seconds for a URL, in all; a server silent for 20 is left
};

/// Reads a table from a file, from standard input ("-") or from an http(s) URL.
/// Throws: Error (file) where nothing can be read; Error (format) for bytes that are no table,
/// naming
///   file, line and column; Error (unsupported) for a URL where unroll was built without libcurl;
///   Error (value) for options that contradict each other.
/// Cost: about 0.4 s for 100 MB of numbers; memory is the text's and 8 bytes for each number. The
///   text is let go at the end; columns of text keep a copy of their own.
Table read_csv(std::string_view source, const CsvOptions& options = {});

/// Reads a table from memory; refusals call it `name`. Throws: as read_csv.
Table parse_csv(std::string_view text, std::string_view name = "CSV",
                const CsvOptions& options = {});

}  // namespace unroll
