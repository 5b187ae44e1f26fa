#include "apps/flags.h"

#include <algorithm>

#include "apps/output.h"

namespace unroll::apps {

void add_common(Command& command, CommonFlags& flags) {
  command.group("common");
  command.toggle("--json", flags.json, "print one JSON object instead of text");
  command.count("--seed", flags.seed,
                "names every random number: the same seed gives the same bytes (default 7)", 0,
                ~std::uint64_t{0});
  command.count("--threads", flags.threads,
                "threads to use; changes the time, never a bit of the result (default: "
                "UNROLL_THREADS, or every processor)",
                1, 1024);
  command.toggle("--quiet", flags.quiet, "no progress and no remarks");
}

void add_series(Command& command, SeriesFlags& flags) {
  command.group("data");
  command.text("--column", flags.series.column, "NAME",
               "the column to forecast; may be left out where only one holds numbers");
  command.text("--date-column", flags.series.date_column, "NAME",
               "the column of dates (default: the leftmost one)");
  command.texts("--missing", flags.csv.missing, "TEXT",
                "a text that stands for a missing value, beside the empty field and NaN; may be "
                "given several times");
  command.toggle("--strict", flags.series.strict,
                 "refuse rows without a value instead of leaving them out");
  command.character("--separator", flags.csv.separator, "between fields (default: found out)");
  command.character("--decimal", flags.csv.decimal, "the decimal point, . or , (default .)");
}

Series read_series(const SeriesFlags& flags, const std::string& column) {
  const Table table = flags.file.empty() ? reef() : read_csv(flags.file, flags.csv);
  SeriesOptions options = flags.series;
  if (options.column.empty() && table.has(column)) options.column = column;
  Series series = series_of(table, options);
  const std::size_t count = series.left_out.size();
  if (count == 0) return series;
  std::string lines;
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 5); ++i) {
    lines += (i > 0 ? ", " : "") + std::to_string(series.left_out[i]);
  }
  say("unroll: " + series.name + ": " + grouped(static_cast<long long>(count)) +
      (count == 1 ? " row without a value left out (line "
                  : " rows without a value left out (lines ") +
      lines + (count > 5 ? ", ...)" : ")"));
  return series;
}

}  // namespace unroll::apps
