// A column of a table as a series.
#include <cmath>

#include "src/tasks/words.h"
#include "unroll/error.h"
#include "unroll/forecast.h"

namespace unroll {

namespace {

std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 12;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < shown; ++i)
    text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > shown) text += ", ... (" + std::to_string(names.size() - shown) + " more)";
  return text;
}

std::string chosen_column(const Table& table, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  const std::vector<std::string> names = table.number_columns();
  if (names.size() == 1) return names[0];
  if (names.empty()) {
    throw Error(ErrorKind::value, table.name() + " has no column of numbers",
                {.got = list(table.column_names()),
                 .hint = "name the column to see what is in it: --column NAME"});
  }
  throw Error(ErrorKind::value, table.name() + " has more than one column of numbers",
              {.got = list(names), .hint = "choose one: --column " + names.back()});
}

/// Leaves out what is missing, or refuses it.
class Taker {
 public:
  Taker(const Table& table, std::string column, bool strict)
      : table_(table), column_(std::move(column)), strict_(strict) {}

  void take(Index row, double value, Timestamp date, bool dated) {
    if (std::isnan(value)) return leave_out(row, "no value", "a number");
    if (dated && date == no_date) return leave_out(row, "no date", "a date");
    if (dated && !dates.empty() && date < dates.back()) throw backwards(row, date);
    values.push_back(value);
    if (dated) dates.push_back(date);
  }

  std::vector<double> values;
  std::vector<Timestamp> dates;
  std::vector<Index> left_out;

 private:
  std::string place(Index row) const {
    return table_.name() + ", line " + std::to_string(table_.line(row));
  }

  void leave_out(Index row, const char* what, const char* want) {
    if (strict_) {
      throw Error(ErrorKind::value, place(row) + ", column " + column_ + ": " + what,
                  {.got = "a missing value",
                   .want = want,
                   .hint = "without --strict such rows are left out, and counted"});
    }
    left_out.push_back(table_.line(row));
  }

  Error backwards(Index row, Timestamp date) const {
    return Error(ErrorKind::value, place(row) + ": the dates run backwards",
                 {.got = to_iso(date) + " after " + to_iso(dates.back()),
                  .want = "rows in order of time, the oldest first",
                  .hint = "sort the file by its dates"});
  }

  const Table& table_;
  std::string column_;
  bool strict_;
};

}  // namespace

Series series_of(const Table& table, const SeriesOptions& options) {
  const std::string column = chosen_column(table, options.column);
  const Tensor numbers = table.column(column, DType::float64);
  const std::string date_column =
      options.date_column.empty() ? table.first_date_column().value_or("") : options.date_column;
  std::vector<Timestamp> dates;
  if (!date_column.empty()) dates = table.dates(date_column);
  Taker taker(table, column, options.strict);
  for (Index row = 0; row < table.rows(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    taker.take(row, numbers.values<double>()[i], dates.empty() ? no_date : dates[i],
               !dates.empty());
  }
  return {.values = Tensor::of<double>({static_cast<Index>(taker.values.size()), 1}, taker.values),
          .dates = std::move(taker.dates),
          .name = table.name() + ", column " + column,
          .left_out = std::move(taker.left_out)};
}

}  // namespace unroll
