// Statistics of forecasts.
#pragma once

#include <span>

#include "unroll/index.h"

namespace unroll::tasks {

double mean(std::span<const double> x);

/// Pearson's correlation; NaN where one of the two is constant. Requires: as many of both.
double correlation(std::span<const double> x, std::span<const double> y);

/// The share of a t distribution beyond -t and t: the two-sided p-value. Requires: df > 0.
double two_sided_p(double t, double df);

/// Whether two forecasts differ in accuracy.
struct DieboldMariano {
  double statistic = 0;  ///< below 0: the first is the better one
  double p_value = 1;    ///< two-sided
};

/// The Diebold-Mariano test on the differences of two forecasts' losses (first minus second), row
/// by row in order of time, for forecasts `horizon` steps ahead.
///   statistic = c mean(d) / sqrt(v / n),  v = g_0 + 2 (g_1 + ... + g_{h-1}),
///   g_k the autocovariance of d at lag k,  c = sqrt((n + 1 - 2h + h (h - 1) / n) / n)
/// against a t distribution of n - 1 degrees of freedom. Where v is not positive, which a sum with
/// equal weights may be, the weights fall linearly instead (Bartlett). No difference in any row, or
/// too few rows for the horizon: statistic 0, p-value 1.
/// Source: Diebold, Mariano, 1995; corrected as in Harvey, Leybourne, Newbold, 1997.
DieboldMariano diebold_mariano(std::span<const double> loss_differences, Index horizon);

/// The period of a series, in rows: the lag from 2 to `longest` at which the changes repeat
/// themselves; 0 where there is none. A lag counts where the changes' autocorrelation has a peak of
/// at least 0.3 there; of peaks that are nearly as high as the highest, the first: 24 rather than
/// 48. Looks at no more than the last 100,000 values, and for at least three whole periods.
Index find_period(std::span<const double> values, Index longest = 400);

}  // namespace unroll::tasks
