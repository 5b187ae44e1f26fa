#include "unroll/table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/data/number.h"
#include "src/data/table_data.h"
#include "src/data/words.h"
#include "unroll/error.h"

namespace unroll {

namespace {

using data::Column;

constexpr std::size_t names_shown = 12;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return text;
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), names_shown); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  const auto more = names.size() - std::min(names.size(), names_shown);
  return more > 0 ? text + ", ... (" + std::to_string(more) + " more)" : text;
}

/// As one would type it after a flag.
std::string typed(const std::string& name) {
  const bool plain =
      !name.empty() && name.find_first_of(" \t\"'\\$`&|;<>()*?#~!") == std::string::npos;
  return plain ? name : data::quoted(name);
}

/// A name that differs in case only, and the command's flag for it.
std::string hint_for(std::string_view wanted, const Table::Data& table, const std::string& flag) {
  for (const Column& column : table.columns) {
    if (lower(column.name) == lower(std::string(wanted))) {
      return "column names keep their case: " + flag + " " + typed(column.name);
    }
  }
  return table.numbered ? "the file has no header, so its columns are numbered from 1" : "";
}

const Column& find(const Table& handle, const Table::Data& table, std::string_view name,
                   const std::string& flag = "--column") {
  auto is_it = [&](const Column& column) { return column.name == name; };
  const auto found = std::ranges::find_if(table.columns, is_it);
  if (found == table.columns.end()) {
    throw Error(ErrorKind::value, table.name + " has no column " + data::quoted(name),
                {.got = list(handle.column_names()), .hint = hint_for(name, table, flag)});
  }
  if (std::find_if(found + 1, table.columns.end(), is_it) != table.columns.end()) {
    throw Error(ErrorKind::value, table.name + " has more than one column " + data::quoted(name),
                {.got = list(handle.column_names()), .hint = "give each column a name of its own"});
  }
  return *found;
}

Error misfit(const Table& table, const Column& column, Index row, const std::string& what,
             Details details) {
  return Error(ErrorKind::format,
               table.name() + ", line " + std::to_string(table.line(row)) + ", column " +
                   column.name + ": " + what,
               std::move(details));
}

/// The first row of a column of text that holds something else than what `fits` accepts.
template <class F>
Index first_misfit(const Column& column, Index rows, F fits) {
  Index row = 0;
  while (row < rows && fits(column.texts[row])) ++row;
  return row;
}

/// "n/a" among numbers is probably a marker; a word among words is not.
bool mostly(const Column& column, Index rows, auto fits) {
  Index good = 0, bad = 0;
  for (Index row = 0; row < rows; ++row) ++(fits(column.texts[row]) ? good : bad);
  return good > bad;
}

Error not_numbers(const Table& table, const Table::Data& all, const Column& column) {
  const std::string want = "a number, or an empty field for a missing value";
  const auto names = table.number_columns();
  const std::string others = names.empty() ? "" : "columns of numbers: " + list(names);
  if (column.kind == ColumnKind::dates) {
    const auto row = std::ranges::find_if(column.dates, [](Timestamp t) { return t != no_date; }) -
                     column.dates.begin();
    return misfit(table, column, row, "not a number",
                  {.got = data::quoted(to_iso(column.dates[static_cast<std::size_t>(row)])),
                   .want = want,
                   .hint = others});
  }
  auto fits = [&](std::string_view text) {
    double value = 0;
    const auto entry = data::trimmed(text);
    return entry.empty() || data::is_nan_word(entry) || data::to_number(entry, all.decimal, value);
  };
  const Index row = first_misfit(column, all.rows, fits);
  const std::string got = data::quoted(data::trimmed(column.texts[row]));
  const std::string marker = "--missing " + got + " treats it as missing";
  return misfit(
      table, column, row, "not a number",
      {.got = got, .want = want, .hint = mostly(column, all.rows, fits) ? marker : others});
}

Error not_dates(const Table& table, const Table::Data& all, const Column& column) {
  Index row = 0;
  std::string got;
  if (column.kind == ColumnKind::numbers) {
    const auto found =
        std::ranges::find_if(column.numbers, [](double x) { return !std::isnan(x); });
    row = found - column.numbers.begin();
    got = data::spelt(*found);
  } else {
    row = first_misfit(column, all.rows, [](std::string_view text) {
      const auto entry = data::trimmed(text);
      return entry.empty() || data::is_nan_word(entry) || parse_date(entry).has_value();
    });
    got = data::trimmed(column.texts[row]);
  }
  return misfit(table, column, row, "not a date",
                {.got = data::quoted(got),
                 .want = "a date such as 2024-06-28 or 6/28/2024, or an empty field"});
}

bool all_missing(const Column& column) {
  return column.kind == ColumnKind::numbers &&
         std::ranges::all_of(column.numbers, [](double x) { return std::isnan(x); });
}

bool is_missing(const Column& column, Index row) {
  const auto i = static_cast<std::size_t>(row);
  if (column.kind == ColumnKind::numbers) return std::isnan(column.numbers[i]);
  if (column.kind == ColumnKind::dates) return column.dates[i] == no_date;
  return data::trimmed(column.texts[row]).empty();
}

/// Writes a column's numbers to out[0], out[step], ...
template <class T>
void copy_numbers(const Table& table, const Column& column, T* out, Index step) {
  for (std::size_t i = 0; i < column.numbers.size(); ++i, out += step) {
    *out = static_cast<T>(column.numbers[i]);
    if (!std::isinf(*out)) continue;
    throw misfit(table, column, static_cast<Index>(i), "too large for float32",
                 {.got = data::spelt(column.numbers[i]), .want = "at most 3.4e38 either way"});
  }
}

Table take(const Table& table, const Table::Data& from, const std::vector<Index>& rows) {
  auto result = std::make_shared<Table::Data>();
  result->name = from.name;
  result->decimal = from.decimal;
  result->numbered = from.numbered;
  result->rows = static_cast<Index>(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result->lines.add(static_cast<Index>(i), table.line(rows[i]));
  }
  for (const Column& column : from.columns) {
    Column& into = result->columns.emplace_back();
    into.kind = column.kind;
    into.name = column.name;
    for (Index row : rows) {
      const auto i = static_cast<std::size_t>(row);
      if (column.kind == ColumnKind::numbers) into.numbers.push_back(column.numbers[i]);
      if (column.kind == ColumnKind::dates) into.dates.push_back(column.dates[i]);
      if (column.kind == ColumnKind::text) into.texts.push_back(column.texts[row]);
    }
  }
  return Table(std::move(result));
}

}  // namespace

Index data::Lines::of(Index row) const {
  const auto after = std::ranges::upper_bound(runs_, row, {}, &std::pair<Index, Index>::first);
  if (after == runs_.begin()) return row + 1;
  return (after - 1)->second + row - (after - 1)->first;
}

std::string_view to_string(ColumnKind kind) noexcept {
  switch (kind) {
    case ColumnKind::numbers:
      return "numbers";
    case ColumnKind::dates:
      return "dates";
    case ColumnKind::text:
      return "text";
  }
  return "text";
}

Table::Table() : data_(std::make_shared<Data>()) {}
Table::Table(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}

const std::string& Table::name() const noexcept { return data_->name; }
Index Table::rows() const noexcept { return data_->rows; }
Index Table::line(Index row) const noexcept { return data_->lines.of(row); }

std::vector<std::string> Table::column_names() const {
  std::vector<std::string> names;
  for (const Column& column : data_->columns) names.push_back(column.name);
  return names;
}

bool Table::has(std::string_view column) const noexcept {
  return std::ranges::find(data_->columns, column, &Column::name) != data_->columns.end();
}

ColumnKind Table::kind(std::string_view column) const { return find(*this, *data_, column).kind; }

std::optional<std::string> Table::first_date_column() const {
  const auto found = std::ranges::find(data_->columns, ColumnKind::dates, &Column::kind);
  if (found == data_->columns.end()) return std::nullopt;
  return found->name;
}

std::vector<std::string> Table::number_columns() const {
  std::vector<std::string> names;
  for (const Column& column : data_->columns) {
    if (column.kind == ColumnKind::numbers) names.push_back(column.name);
  }
  return names;
}

Tensor Table::column(std::string_view name, DType dtype) const {
  return columns({std::string(name)}, dtype);
}

Tensor Table::columns(std::span<const std::string> names, DType dtype) const {
  if (dtype != DType::float32 && dtype != DType::float64) {
    throw Error(ErrorKind::value, "a table gives numbers as float32 or float64",
                {.got = std::string(unroll::to_string(dtype))});
  }
  // Found before anything is allocated: a wrong name must not cost a large tensor.
  std::vector<const Column*> found;
  for (const std::string& name : names) {
    found.push_back(&find(*this, *data_, name));
    if (found.back()->kind != ColumnKind::numbers) {
      throw not_numbers(*this, *data_, *found.back());
    }
  }
  const auto step = static_cast<Index>(names.size());
  Tensor result({rows(), step}, dtype);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (dtype == DType::float32) copy_numbers(*this, *found[i], result.floats() + i, step);
    if (dtype == DType::float64) {
      copy_numbers(*this, *found[i], result.values<double>().data() + i, step);
    }
  }
  return result;
}

std::vector<Timestamp> Table::dates(std::string_view name) const {
  const Column& column = find(*this, *data_, name, "--date-column");
  if (column.kind == ColumnKind::dates) return column.dates;
  if (all_missing(column)) return std::vector<Timestamp>(static_cast<std::size_t>(rows()), no_date);
  throw not_dates(*this, *data_, column);
}

std::vector<std::string> Table::text(std::string_view name) const {
  const Column& column = find(*this, *data_, name);
  if (column.kind != ColumnKind::text && !all_missing(column)) {
    throw Error(ErrorKind::value, this->name() + ": column " + column.name + " holds no text",
                {.got = std::string(unroll::to_string(column.kind))});
  }
  std::vector<std::string> result(static_cast<std::size_t>(rows()));
  if (column.kind != ColumnKind::text) return result;
  for (Index row = 0; row < rows(); ++row) {
    result[static_cast<std::size_t>(row)] = column.texts[row];
  }
  return result;
}

Index Table::missing(std::span<const std::string> names) const {
  return rows() - complete(names).rows();
}

Table Table::complete(std::span<const std::string> names) const {
  std::vector<const Column*> found;
  for (const std::string& name : names) found.push_back(&find(*this, *data_, name));
  std::vector<Index> kept;
  for (Index row = 0; row < rows(); ++row) {
    if (std::ranges::none_of(found, [&](const Column* c) { return is_missing(*c, row); })) {
      kept.push_back(row);
    }
  }
  if (static_cast<Index>(kept.size()) == rows()) return *this;
  return take(*this, *data_, kept);
}

Table Table::slice(Index first, Index last) const {
  if (first < 0 || last < first || last > rows()) {
    throw Error(ErrorKind::shape, name() + ": no such rows",
                {.got = std::to_string(first) + " to " + std::to_string(last),
                 .want = "rows of " + std::to_string(rows())});
  }
  std::vector<Index> kept;
  for (Index row = first; row < last; ++row) kept.push_back(row);
  return take(*this, *data_, kept);
}

}  // namespace unroll
