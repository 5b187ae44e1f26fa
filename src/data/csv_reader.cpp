#include "src/data/csv_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "src/data/number.h"
#include "src/data/words.h"

namespace unroll::data {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Line ends inside a field: LF, CRLF and CR count one each.
Index line_ends(std::string_view text) {
  Index count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    count += text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n'));
  }
  return count;
}

}  // namespace

CsvReader::CsvReader(std::string_view text, std::string name, const CsvOptions& options)
    : name_(std::move(name)),
      options_(options),
      begin_(text.data()),
      end_(text.data() + text.size()),
      p_(begin_),
      table_(std::make_shared<Table::Data>()) {
  separator_ = options.separator != '\0' ? options.separator : find_separator(text, options);
  table_->name = name_;
  table_->decimal = options.decimal;
}

std::shared_ptr<const Table::Data> CsvReader::read() {
  read_header();
  const char* const records = p_;
  const Index first_line = line_;
  read_records();
  finish();
  if (std::ranges::count(modes_, Mode::aside) > 0) {
    p_ = records;
    line_ = first_line;
    collect_text();
  }
  return table_;
}

void CsvReader::read_header() {
  const std::string_view text(begin_, static_cast<std::size_t>(end_ - begin_));
  std::size_t at = 0;
  names_line_ = line_ + skip_blank_lines(text, at);
  if (at >= text.size()) {
    throw Error(ErrorKind::format, name_ + " is empty",
                {.want = "a line with the names of the columns, then a line for each row"});
  }
  const bool header = options_.header == Header::automatic ? find_header(text, separator_, options_)
                                                           : options_.header == Header::yes;
  const std::size_t start = at;
  Record record;
  if (!take_record(text, at, separator_, record)) {
    throw Error(ErrorKind::format,
                name_ + ", line " + std::to_string(names_line_) + ": a quoted field does not end",
                {.want = "a closing \""});
  }
  name_columns(record, header);
  p_ = begin_ + (header ? at : start);
  line_ = names_line_;
  // The line end of a last line without one stands behind the text.
  if (header)
    line_ += line_ends(text.substr(start, at - start)) +
             (p_ >= end_ && end_[-1] != '\n' && end_[-1] != '\r');
}

void CsvReader::name_columns(const Record& record, bool header) {
  const auto count = static_cast<Index>(record.size());
  if (count > options_.max_columns) {
    throw Error(ErrorKind::format,
                name_ + ", line " + std::to_string(names_line_) + ": too many columns",
                {.got = std::to_string(count),
                 .want = "at most " + std::to_string(options_.max_columns) + " (max_columns)"});
  }
  table_->numbered = !header;
  table_->columns.resize(record.size());
  modes_.assign(record.size(), Mode::undecided);
  had_words_.assign(record.size(), false);
  for (std::size_t i = 0; i < record.size(); ++i) {
    std::string& name = table_->columns[i].name;
    if (header) name = record[i].quoted ? record[i].text : std::string(trimmed(record[i].text));
    if (name.empty()) name = std::to_string(i + 1);
  }
}

void CsvReader::read_records() {
  for (;;) {
    take_blank_lines();
    if (p_ >= end_) return;
    read_record();
  }
}

void CsvReader::take_blank_lines() {
  blank_lines_ = 0;
  while (p_ < end_ && (*p_ == '\n' || *p_ == '\r')) {
    end_line();
    ++blank_lines_;
  }
}

void CsvReader::end_line() {
  p_ += *p_ == '\r' && p_[1] == '\n' ? 2 : 1;
  ++line_;
}

void CsvReader::begin_row() {
  if (table_->rows == options_.max_rows) {
    throw Error(ErrorKind::format,
                name_ + ", line " + std::to_string(record_line_) + ": too many rows",
                {.want = "at most " + std::to_string(options_.max_rows) + " (max_rows)"});
  }
  table_->lines.add(table_->rows, record_line_);
}

void CsvReader::read_record() {
  record_ = p_;
  if (modes_.size() == 1) {
    // What follows another blank line is an entry that is missing.
    for (Index blank = blank_lines_; blank > 0; --blank) {
      record_line_ = line_ - blank;
      begin_row();
      take_field(0, {});
      ++table_->rows;
    }
  }
  record_line_ = line_;
  begin_row();
  const std::size_t columns = modes_.size();
  for (std::size_t column = 0;;) {
    double value = 0;
    const char* const after =
        modes_[column] == Mode::numbers ? read_number(p_, options_.decimal, value) : nullptr;
    if (after != nullptr && ends_field(*after)) {
      table_->columns[column].numbers.push_back(value);
      p_ = after;
    } else {
      read_field(column);
    }
    ++column;
    if (*p_ == separator_) {
      if (column == columns) throw wrong_count(count_fields());
      ++p_;
    } else {
      if (column < columns) throw wrong_count(static_cast<Index>(column));
      break;
    }
  }
  ++table_->rows;
  end_line();
}

void CsvReader::read_field(std::size_t column) {
  if (*p_ == '"') return take_field(column, quoted_field(column));
  const char* const start = p_;
  while (!ends_field(*p_)) ++p_;
  take_field(column, {start, static_cast<std::size_t>(p_ - start)});
}

std::string_view CsvReader::quoted_field(std::size_t column) {
  const Index start_line = line_;
  const char* const start = ++p_;
  unquoted_.clear();
  const char* part = start;
  for (;;) {
    const auto* quote =
        static_cast<const char*>(std::memchr(p_, '"', static_cast<std::size_t>(end_ - p_)));
    if (quote == nullptr) {
      throw refusal(start_line, column, "a quoted field does not end", {.want = "a closing \""});
    }
    p_ = quote + 1;
    if (p_ >= end_ || *p_ != '"') break;
    unquoted_.append(part, p_);  // with one of the two quotes
    part = ++p_;
  }
  const char* const close = p_ - 1;
  line_ += line_ends({start, static_cast<std::size_t>(close - start)});
  if (!ends_field(*p_)) {
    const char* stop = p_;
    while (!ends_field(*stop)) ++stop;
    throw refusal(line_, column, "text behind a closing quote",
                  {.got = quoted({start - 1, static_cast<std::size_t>(stop - start + 1)}),
                   .want = "the separator or the end of the line",
                   .hint = "a quote inside a quoted field is written twice"});
  }
  if (part == start) return {start, static_cast<std::size_t>(close - start)};
  unquoted_.append(part, close);
  return unquoted_;
}

bool CsvReader::is_marker(std::string_view entry) const {
  return std::ranges::find(options_.missing, entry) != options_.missing.end();
}

void CsvReader::take_field(std::size_t index, std::string_view text) {
  Column& column = table_->columns[index];
  const std::string_view entry = trimmed(text);
  const bool marker = entry.empty() || is_marker(entry);
  const bool nan_word = !marker && is_nan_word(entry);
  // What is missing among numbers but would be kept as it stands among texts.
  if (nan_word || (entry.empty() && !text.empty())) had_words_[index] = true;
  switch (modes_[index]) {
    case Mode::skipped:
    case Mode::aside:
      return;
    case Mode::undecided:
      if (!marker && !nan_word) decide(index, entry);
      if (modes_[index] != Mode::undecided) take_field(index, text);
      return;
    case Mode::text:
      return column.texts.push_back(marker && !entry.empty() ? std::string_view() : text);
    case Mode::numbers: {
      double value = nan;
      if (!marker && !nan_word && !to_number(entry, options_.decimal, value))
        return put_aside(index);
      return column.numbers.push_back(value);
    }
    case Mode::dates: {
      const auto date = marker || nan_word ? no_date : parse_date(entry).value_or(no_date);
      if (date == no_date && !marker && !nan_word) return put_aside(index);
      return column.dates.push_back(date);
    }
  }
}

void CsvReader::decide(std::size_t index, std::string_view entry) {
  Column& column = table_->columns[index];
  const auto before = static_cast<std::size_t>(table_->rows);
  double value = 0;
  if (to_number(entry, options_.decimal, value)) {
    modes_[index] = Mode::numbers;
    column.numbers.assign(before, nan);
  } else if (parse_date(entry)) {
    modes_[index] = Mode::dates;
    column.dates.assign(before, no_date);
  } else if (had_words_[index]) {
    put_aside(index);  // "NaN" and blanks so far were words
  } else {
    modes_[index] = Mode::text;
    for (std::size_t i = 0; i < before; ++i) column.texts.push_back({});
  }
}

void CsvReader::put_aside(std::size_t index) {
  modes_[index] = Mode::aside;
  table_->columns[index].numbers = {};
  table_->columns[index].dates = {};
}

void CsvReader::finish() {
  for (std::size_t i = 0; i < modes_.size(); ++i) {
    Column& column = table_->columns[i];
    if (modes_[i] == Mode::undecided) {
      column.numbers.assign(static_cast<std::size_t>(table_->rows), nan);
    }
    if (modes_[i] == Mode::dates) column.kind = ColumnKind::dates;
    if (modes_[i] == Mode::text || modes_[i] == Mode::aside) column.kind = ColumnKind::text;
  }
}

void CsvReader::collect_text() {
  for (Mode& mode : modes_) mode = mode == Mode::aside ? Mode::text : Mode::skipped;
  table_->rows = 0;
  table_->lines = {};
  read_records();
}

Error CsvReader::refusal(Index line, std::size_t column, const std::string& what,
                         Details details) const {
  std::string summary = name_ + ", line " + std::to_string(line);
  if (column < table_->columns.size()) summary += ", column " + table_->columns[column].name;
  return Error(ErrorKind::format, summary + ": " + what, std::move(details));
}

Index CsvReader::count_fields() const {
  const std::string_view rest(record_, static_cast<std::size_t>(end_ - record_));
  std::size_t at = 0;
  Record record;
  take_record(rest, at, separator_, record);
  return static_cast<Index>(record.size());
}

Error CsvReader::wrong_count(Index got) const {
  const auto want = static_cast<Index>(modes_.size());
  return Error(ErrorKind::format,
               name_ + ", line " + std::to_string(record_line_) + ": " +
                   (got < want ? "too few fields" : "too many fields"),
               {.got = std::to_string(got),
                .want = std::to_string(want) + ", as in line " + std::to_string(names_line_),
                .hint = got > want ? "a field that holds the separator has to be quoted" : ""});
}

}  // namespace unroll::data
