#include "src/tasks/baselines.h"

#include <algorithm>

#include "src/tasks/statistics.h"

namespace unroll::tasks {

namespace {

/// f(position of the last known value) for each row.
template <class F>
std::vector<double> for_each(const Origin& rows, F f) {
  std::vector<double> forecasts;
  forecasts.reserve(static_cast<std::size_t>(rows.last - rows.first));
  for (Index row = rows.first; row < rows.last; ++row) {
    forecasts.push_back(f(static_cast<std::size_t>(row - rows.horizon)));
  }
  return forecasts;
}

}  // namespace

std::vector<double> persistence(std::span<const double> values, const Origin& rows) {
  return for_each(rows, [&](std::size_t at) { return values[at]; });
}

std::vector<double> drift(std::span<const double> values, const Origin& rows) {
  return for_each(rows, [&](std::size_t at) {
    if (at == 0) return values[0];
    const double change = (values[at] - values[0]) / static_cast<double>(at);
    return values[at] + static_cast<double>(rows.horizon) * change;
  });
}

std::vector<double> moving_average(std::span<const double> values, const Origin& rows,
                                   Index count) {
  return for_each(rows, [&](std::size_t at) {
    const std::size_t known = std::min(at + 1, static_cast<std::size_t>(count));
    return mean(values.subspan(at + 1 - known, known));
  });
}

std::vector<double> seasonal_naive(std::span<const double> values, const Origin& rows,
                                   Index period) {
  const Index back = (rows.horizon + period - 1) / period * period;
  const auto further = static_cast<std::size_t>(back - rows.horizon);
  return for_each(rows, [&](std::size_t at) { return values[at - further]; });
}

}  // namespace unroll::tasks
