#include "src/data/dialect.h"

#include <algorithm>
#include <array>

#include "src/data/number.h"
#include "unroll/dates.h"

namespace unroll::data {

namespace {

constexpr std::size_t sample_bytes = std::size_t{1} << 20;
constexpr std::size_t sample_records = 50;
// In order of how seldom they occur inside fields: "1,5;2,5" is cut at the semicolon.
constexpr std::array<char, 4> separators = {'\t', ';', '|', ','};

/// The first records; those that the sample cuts off are left out, but for the first.
std::vector<Record> sample(std::string_view text, char separator) {
  std::vector<Record> records;
  std::size_t at = 0;
  const std::string_view start = text.substr(0, sample_bytes);
  while (records.size() < sample_records) {
    skip_blank_lines(start, at);
    Record record;
    if (at >= start.size() || !take_record(start, at, separator, record)) break;
    if (at >= start.size() && start.size() < text.size()) break;
    records.push_back(std::move(record));
  }
  if (records.empty() && start.size() < text.size()) {
    at = 0;
    skip_blank_lines(text, at);
    Record record;
    if (take_record(text, at, separator, record)) records.push_back(std::move(record));
  }
  return records;
}

enum class Looks { missing, like_a_value, like_text };

Looks looks(const Field& field, const CsvOptions& options) {
  const std::string_view text = trimmed(field.text);
  double number = 0;
  if (text.empty() || is_nan_word(text) || std::ranges::count(options.missing, text) > 0) {
    return Looks::missing;
  }
  if (to_number(text, options.decimal, number) || parse_date(text)) return Looks::like_a_value;
  return Looks::like_text;
}

/// What the first entry below the first record's looks like that is not missing.
Looks below(const std::vector<Record>& records, std::size_t column, const CsvOptions& options) {
  for (std::size_t i = 1; i < records.size(); ++i) {
    if (column >= records[i].size()) continue;
    const Looks entry = looks(records[i][column], options);
    if (entry != Looks::missing) return entry;
  }
  return Looks::missing;
}

}  // namespace

bool take_record(std::string_view text, std::size_t& at, char separator, Record& record) {
  record.clear();
  const std::string ends{separator, '\n', '\r'};
  for (;;) {
    Field field;
    if (at < text.size() && text[at] == '"') {
      field.quoted = true;
      for (++at;;) {
        const auto quote = text.find('"', at);
        if (quote == std::string_view::npos) return false;
        field.text += text.substr(at, quote - at);
        at = quote + 1;
        if (at >= text.size() || text[at] != '"') break;
        field.text += '"';
        ++at;
      }
    }
    const auto end = std::min(text.find_first_of(ends, at), text.size());
    field.text += text.substr(at, end - at);
    record.push_back(std::move(field));
    at = end;
    if (at >= text.size()) return true;
    if (text[at++] == separator) continue;
    if (text[at - 1] == '\r' && at < text.size() && text[at] == '\n') ++at;
    return true;
  }
}

Index skip_blank_lines(std::string_view text, std::size_t& at) {
  Index lines = 0;
  for (; at < text.size() && (text[at] == '\n' || text[at] == '\r'); ++lines) {
    const bool two = text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
    at += two ? 2 : 1;
  }
  return lines;
}

char find_separator(std::string_view text, const CsvOptions& options) {
  char most_separator = ',';
  std::size_t most = 1;
  for (char separator : separators) {
    if (separator == options.decimal) continue;
    const auto records = sample(text, separator);
    if (records.empty()) continue;
    const std::size_t fields = records[0].size();
    const bool even =
        std::ranges::all_of(records, [&](const Record& record) { return record.size() == fields; });
    if (fields > 1 && even) return separator;
    if (fields > most) most = fields, most_separator = separator;
  }
  return most_separator;
}

bool find_header(std::string_view text, char separator, const CsvOptions& options) {
  const auto records = sample(text, separator);
  if (records.empty()) return true;
  bool value_on_top = false;
  for (std::size_t column = 0; column < records[0].size(); ++column) {
    const Looks top = looks(records[0][column], options);
    if (top == Looks::like_text && below(records, column, options) == Looks::like_a_value) {
      return true;
    }
    value_on_top = value_on_top || top == Looks::like_a_value;
  }
  return !value_on_top;
}

}  // namespace unroll::data
