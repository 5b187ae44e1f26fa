// Forecasts that need no learning: what a network has to beat.
#pragma once

#include <span>
#include <vector>

#include "unroll/index.h"

namespace unroll::tasks {

/// The rows that are forecast: [first, last), each from what is known `horizon` rows before.
struct Origin {
  Index first, last;
  Index horizon;
};

/// Each gives one forecast a row of `rows`. Requires: rows.first >= rows.horizon.
/// The last known value: "tomorrow = today".
std::vector<double> persistence(std::span<const double> values, const Origin& rows);
/// The last known value and the mean change so far, horizon times.
std::vector<double> drift(std::span<const double> values, const Origin& rows);
/// The mean of the last `count` known values, or of as many as there are.
std::vector<double> moving_average(std::span<const double> values, const Origin& rows, Index count);
/// The value one period before, or as many periods as are needed for it to be known.
/// Requires: rows.first >= period * ceil(horizon / period).
std::vector<double> seasonal_naive(std::span<const double> values, const Origin& rows,
                                   Index period);

}  // namespace unroll::tasks
