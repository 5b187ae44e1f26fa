// Where dates are marked along an axis.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace unroll::plot {

using Time = std::chrono::sys_seconds;

struct Tick {
  Time time;
  std::string label;
};

/// At most `most` ticks from first to last, on round dates: whole decades, years, months, days,
/// hours or minutes, labelled "1990", "Jan 2024", "28 Jun" or "13:05".
/// Requires: first <= last, most >= 1.
std::vector<Tick> date_ticks(Time first, Time last, int most);

}  // namespace unroll::plot
