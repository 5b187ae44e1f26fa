#include "unroll/csv.h"

#include <algorithm>

#include "src/data/csv_reader.h"
#include "src/data/source.h"
#include "src/data/words.h"

namespace unroll {

namespace {

Error bad_option(const std::string& option, const std::string& got, const std::string& want) {
  return Error(ErrorKind::value, "CSV: no such " + option, {.got = got, .want = want});
}

void check(const CsvOptions& options) {
  const std::string_view never = "\"\n\r";
  auto one = [](char c) { return data::quoted(std::string_view(&c, 1)); };
  if (never.find(options.separator) != std::string_view::npos) {
    throw bad_option("separator", one(options.separator),
                     "a character other than a quote or newline");
  }
  if (options.decimal != '.' && options.decimal != ',') {
    throw bad_option("decimal point", one(options.decimal), "\".\" or \",\"");
  }
  if (options.decimal == options.separator) {
    throw bad_option("separator", one(options.separator),
                     "another character than the decimal point");
  }
  if (options.max_columns < 1 || options.max_rows < 0 || options.max_bytes < 0) {
    throw bad_option("bound", "a negative one",
                     "max_columns, max_rows and max_bytes of 0 and more");
  }
  if (!(options.timeout > 0 && options.timeout <= 86'400)) {
    throw bad_option("timeout", data::spelt(options.timeout), "seconds, above 0, at most 86400");
  }
}

/// What other kinds of files begin with.
void check_magic(std::string_view text, const std::string& name) {
  auto refuse = [&](const char* got, const char* want, const char* hint) {
    throw Error(ErrorKind::format, name + ": not a text file",
                {.got = got, .want = want, .hint = hint});
  };
  if (text.starts_with("\x1f\x8b")) refuse("gzip's signature", "CSV", "unpack it first: gunzip");
  if (text.starts_with("PK\x03\x04")) {
    refuse("zip's signature", "CSV", "unpack it first; a spreadsheet has to be exported as CSV");
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    refuse("UTF-16", "UTF-8", "iconv -f UTF-16 -t UTF-8 converts it");
  }
  const auto nul = text.find('\0');
  if (nul == std::string_view::npos) return;
  const auto line = 1 + std::ranges::count(text.substr(0, nul), '\n');
  throw Error(ErrorKind::format, name + ", line " + std::to_string(line) + ": not a text file",
              {.got = "a NUL byte", .want = "CSV"});
}

/// Requires: a '\n' stands behind the text.
Table read_text(std::string_view text, const std::string& name, const CsvOptions& options) {
  check_magic(text, name);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return Table(data::CsvReader(text, name, options).read());
}

}  // namespace

Table read_csv(std::string_view source, const CsvOptions& options) {
  check(options);
  data::Bytes bytes = data::read_source(source, options);
  *bytes.reserve(1) = '\n';
  return read_text(bytes.view(), data::source_name(source), options);
}

Table parse_csv(std::string_view text, std::string_view name, const CsvOptions& options) {
  check(options);
  if (static_cast<Index>(text.size()) > options.max_bytes) {
    throw data::too_large(std::string(name), options.max_bytes);
  }
  std::string ended(text);
  ended += '\n';
  return read_text(std::string_view(ended).substr(0, text.size()), std::string(name), options);
}

}  // namespace unroll
