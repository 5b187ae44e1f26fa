// Table: named columns of numbers, dates or text, as a CSV file holds them.
//
//   Table table = read_csv("vix.csv");
//   Tensor close = table.column("CLOSE");                   // (rows, 1), NaN where missing
//   std::vector<Timestamp> days = table.dates("DATE");
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/dates.h"
#include "unroll/tensor.h"

namespace unroll {

/// What all of a column's fields are, missing ones aside. Numbers, where all are missing.
enum class ColumnKind { numbers, dates, text };

/// "numbers", "dates", "text".
std::string_view to_string(ColumnKind kind) noexcept;

/// Named columns of equal length. An immutable handle: copies share the columns.
/// Refusals name the table (its file), the line in the source, the column and what was found.
/// Threads: safe from many at once.
class Table {
 public:
  /// No rows and no columns.
  Table();

  /// Builds a table in memory. Every column added must have as many rows as the first.
  class Builder {
   public:
    explicit Builder(std::string name);
    ~Builder();
    /// Throws: Error (shape) for another number of rows.
    Builder& numbers(std::string column, std::vector<double> values);
    Builder& dates(std::string column, std::vector<Timestamp> values);
    Builder& text(std::string column, const std::vector<std::string>& values);
    Table build();

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  /// The file or other source, as refusals name it.
  const std::string& name() const noexcept;
  Index rows() const noexcept;
  std::vector<std::string> column_names() const;
  bool has(std::string_view column) const noexcept;
  /// Throws: Error (value) where there is no such column, or more than one.
  ColumnKind kind(std::string_view column) const;
  /// The leftmost column of dates.
  std::optional<std::string> first_date_column() const;
  /// The names of all columns of numbers, in order.
  std::vector<std::string> number_columns() const;

  /// Numbers as (rows, 1), float32 or float64; NaN where missing. The text's exact decimal value is
  /// rounded to double, then to float32.
  /// Throws: Error (value) where there is no such column; Error (format), naming the first wrong
  ///   line, where the column holds something else, or a number that float32 cannot hold.
  Tensor column(std::string_view name, DType dtype = DType::float32) const;
  /// Several columns as (rows, columns), in the order given.
  Tensor columns(std::span<const std::string> names, DType dtype = DType::float32) const;
  Tensor columns(std::initializer_list<std::string> names, DType dtype = DType::float32) const {
    return columns(std::span(names.begin(), names.size()), dtype);
  }
  /// Dates; no_date where missing. Throws: as column.
  std::vector<Timestamp> dates(std::string_view name) const;
  /// The fields of a column of text, unquoted. Throws: Error (value) for another kind or no column.
  std::vector<std::string> text(std::string_view name) const;

  /// How many rows lack a value in at least one of these columns, and the table without such rows;
  /// its rows keep their line numbers.
  Index missing(std::span<const std::string> names) const;
  Table complete(std::span<const std::string> names) const;
  /// Rows [first, last). Throws: Error (shape) where there are no such rows.
  Table slice(Index first, Index last) const;

  /// The source line, counted from 1, on which a row starts; row + 1 where there is no source.
  /// Requires: 0 <= row < rows().
  Index line(Index row) const noexcept;

  struct Data;
  explicit Table(std::shared_ptr<const Data> data) noexcept;

 private:
  std::shared_ptr<const Data> data_;
};

/// The embedded series: 9,000 business days to 2024-06-28 of a volatility index that is simulated,
/// columns DATE and CLOSE. src/data/reef.cpp says how. The same numbers on every machine.
Table reef();

}  // namespace unroll
