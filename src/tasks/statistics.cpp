#include "src/tasks/statistics.h"

#include <math.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace unroll::tasks {

namespace {

double log_gamma(double x) {
  int sign = 0;  // std::lgamma would write it to a global variable
  return ::lgamma_r(x, &sign);
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= 10'000; ++m) {
    const double m2 = 2.0 * m;
    const double even = m * (b - m) * x / ((a + m2 - 1) * (a + m2));
    const double odd = -(a + m) * (a + b + m) * x / ((a + m2) * (a + m2 + 1));
    double change = 1;
    for (const double term : {even, odd}) {
      d = 1 / away_from_zero(1 + term * d);
      c = away_from_zero(1 + term / c);
      change = c * d;
      fraction *= change;
    }
    if (std::abs(change - 1) < 1e-15) break;
  }
  return fraction;
}

/// The regularised incomplete beta function I_x(a, b).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) +
                                b * std::log1p(-x));
  // The fraction converges quickly on one side only.
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double autocovariance(std::span<const double> d, double center, Index lag) {
  double sum = 0;
  for (auto t = static_cast<std::size_t>(lag); t < d.size(); ++t) {
    sum += (d[t] - center) * (d[t - static_cast<std::size_t>(lag)] - center);
  }
  return sum / static_cast<double>(d.size());
}

/// The variance of sqrt(n) mean(d) when neighbours within `horizon` depend on each other.
double long_run_variance(std::span<const double> d, double center, Index horizon) {
  const double own = autocovariance(d, center, 0);
  double equal = own, falling = own;
  for (Index lag = 1; lag < horizon; ++lag) {
    const double both = 2 * autocovariance(d, center, lag);
    equal += both;
    falling += both * (1 - static_cast<double>(lag) / static_cast<double>(horizon));
  }
  return equal > 0 ? equal : falling;
}

}  // namespace

double mean(std::span<const double> x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double correlation(std::span<const double> x, std::span<const double> y) {
  const double mx = mean(x), my = mean(y);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  if (xx == 0 || yy == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

double two_sided_p(double t, double df) { return incomplete_beta(df / 2, 0.5, df / (df + t * t)); }

DieboldMariano diebold_mariano(std::span<const double> loss_differences, Index horizon) {
  const auto n = static_cast<double>(loss_differences.size());
  const auto h = static_cast<double>(horizon);
  const double squared_correction = (n + 1 - 2 * h + h * (h - 1) / n) / n;
  if (loss_differences.size() < 2 || horizon >= static_cast<Index>(loss_differences.size()) ||
      squared_correction <= 0) {
    return {};
  }
  const double difference = mean(loss_differences);
  const double variance = long_run_variance(loss_differences, difference, horizon);
  if (!(variance > 0)) {
    // The same difference in every row: certain, unless it is none.
    if (difference == 0) return {};
    const double infinite = std::numeric_limits<double>::infinity();
    return {.statistic = difference < 0 ? -infinite : infinite, .p_value = 0};
  }
  const double t = std::sqrt(squared_correction) * difference / std::sqrt(variance / n);
  return {.statistic = t, .p_value = two_sided_p(t, n - 1)};
}

Index find_period(std::span<const double> values, Index longest) {
  constexpr double least_peak = 0.3;
  constexpr double nearly = 0.9;
  constexpr std::size_t most = 100'000;
  if (values.size() > most) values = values.last(most);
  if (values.size() < 7) return 0;
  std::vector<double> changes(values.size() - 1);
  for (std::size_t i = 0; i < changes.size(); ++i) changes[i] = values[i + 1] - values[i];
  const Index last = std::min(longest, static_cast<Index>(changes.size()) / 3);
  const double center = mean(changes), own = autocovariance(changes, center, 0);
  if (!(own > 0)) return 0;
  std::vector<double> r;
  for (Index lag = 0; lag <= last + 1; ++lag) {
    r.push_back(autocovariance(changes, center, lag) / own);
  }
  std::vector<std::size_t> peaks;
  double highest = least_peak;
  for (std::size_t lag = 2; lag <= static_cast<std::size_t>(last); ++lag) {
    if (r[lag] < least_peak || r[lag] < r[lag - 1] || r[lag] < r[lag + 1]) continue;
    peaks.push_back(lag);
    highest = std::max(highest, r[lag]);
  }
  for (const std::size_t lag : peaks) {
    if (r[lag] >= nearly * highest) return static_cast<Index>(lag);
  }
  return 0;
}

}  // namespace unroll::tasks
