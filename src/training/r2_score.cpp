// R2Score: state (weight, sum y, sum y^2, sum (y - p)^2) of each output.
#include "src/training/metric_functions.h"

namespace unroll::training {

Index state_size(const R2Score&, Index n) noexcept { return 4 * n; }

template <class T>
void update(const R2Score&, const Seen<T>& s, std::span<double> state) {
  for (Index i = 0; i < s.samples; ++i) {
    const double weight = s.weight(i);
    for (Index j = 0; j < s.n; ++j) {
      const double y = static_cast<double>(s.y[i * s.n + j]);
      const double e = y - static_cast<double>(s.p[i * s.n + j]);
      double* sums = state.data() + 4 * j;
      sums[0] += weight;
      sums[1] += weight * y;
      sums[2] += weight * y * y;
      sums[3] += weight * e * e;
    }
  }
}

double result(const R2Score& o, Index n, std::span<const double> state) {
  double scores = 0, weighted = 0, variances = 0;
  for (Index j = 0; j < n; ++j) {
    const double* sums = state.data() + 4 * j;
    const double variance = sums[2] - quotient(sums[1] * sums[1], sums[0]);
    const double score = variance == 0 ? 0 : 1 - sums[3] / variance;
    scores += score;
    weighted += score * variance;
    variances += variance;
  }
  return o.class_aggregation.kind() == AggregationKind::uniform_average
             ? quotient(scores, static_cast<double>(n))
             : quotient(weighted, variances);
}
UNROLL_INSTANTIATE_METRIC(R2Score);

}  // namespace unroll::training
