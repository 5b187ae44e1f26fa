// Flags that several commands have, and what is read through them.
#pragma once

#include <cstdint>
#include <string>

#include "apps/command.h"
#include "unroll/csv.h"
#include "unroll/forecast.h"

namespace unroll::apps {

/// What every command has.
struct CommonFlags {
  bool json = false;
  bool quiet = false;
  std::uint64_t seed = 7;
  int threads = 0;
};
void add_common(Command& command, CommonFlags& flags);

/// Where a series comes from.
struct SeriesFlags {
  std::string file;  ///< empty: the embedded series
  CsvOptions csv;
  SeriesOptions series;
};
/// All but the file, which commands name differently.
void add_series(Command& command, SeriesFlags& flags);
/// Reads the table and the column; says on standard error which rows were left out.
/// `column` is taken where no flag names one and the table has it.
Series read_series(const SeriesFlags& flags, const std::string& column = {});

}  // namespace unroll::apps
