// Dates: points in time, their spelling, and the rhythm of a series.
//
//   Timestamp day = *parse_date("2024-06-28");
//   Rhythm rhythm = infer_step(table.dates("DATE"));        // VIX: business days
//   to_iso(next(day, rhythm.step, 1));                      // "2024-07-01"
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "unroll/index.h"

namespace unroll {

/// A point in time: whole seconds since 1970-01-01 00:00:00 UTC. A spelling without a zone is taken
/// as UTC.
using Timestamp = std::chrono::sys_seconds;

/// The mark of a missing date, as NaN is that of a missing number.
inline constexpr Timestamp no_date = Timestamp::min();

/// Reads a date, with or without a time of day; nothing where the text is none. Blanks around it
/// are ignored, a fraction of a second is cut off. Years are 1 to 9999 and have four digits.
///   ISO 8601   2024-06-28, 2024-06 (the 1st), 2024-06-28T13:05[:07[.25]][Z|+02:00|+0200|+02]; also
///              with a blank instead of the T, and 2024/06/28
///   US         6/28/2024 (month/day/year), 06/28/2024 1:05[:07] PM
std::optional<Timestamp> parse_date(std::string_view text) noexcept;

/// "2024-06-28" at midnight, otherwise "2024-06-28 13:05:07"; "" for no_date.
std::string to_iso(Timestamp time);

/// Monday 1 to Sunday 7, as ISO 8601 counts.
int day_of_week(Timestamp time) noexcept;

/// What a series' times advance by.
enum class TimeUnit {
  none,          ///< no regular step is known
  second,        ///< also minutes, hours, days and weeks: a fixed number of seconds
  business_day,  ///< Monday to Friday; holidays are gaps
  month,         ///< the same day of each month, or its last day where it is shorter
  month_end,     ///< the last day of each month
};

/// `count` units. A day is 86,400 seconds: unroll knows no zones and hence no daylight saving time.
struct TimeStep {
  TimeUnit unit = TimeUnit::none;
  Index count = 0;

  friend bool operator==(const TimeStep&, const TimeStep&) noexcept = default;
  /// "day", "business day", "15 minutes", "3 months", "irregular".
  std::string to_string() const;
};

/// What infer_step found.
struct Rhythm {
  TimeStep step;
  Index gaps = 0;       ///< places where at least one step is left out
  Index left_out = 0;   ///< steps left out in all of them
  Index off_grid = 0;   ///< intervals that are no whole number of steps
  Index repeats = 0;    ///< times equal to the one before
  Index backwards = 0;  ///< times before the one before: the series is not in order
  Index missing = 0;    ///< entries that are no_date
};

/// The step that most intervals of a series have (at least half of them, holidays aside); unit none
/// where there is no such step or fewer than two times.
/// Cost: O(n log n).
Rhythm infer_step(std::span<const Timestamp> times);

/// The time n steps after `time` (n may be negative). A weekend counts as its Friday for business
/// days. Throws: Error (value) for unit none.
Timestamp next(Timestamp time, const TimeStep& step, Index n = 1);

}  // namespace unroll
