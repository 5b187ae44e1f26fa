// R2Score: state (weight, sum y, sum y^2, sum (y - p)^2) of each output, then how many y were seen.
#include "src/training/metric_functions.h"

namespace unroll::training {

template <std::same_as<R2Score> Option>
Index state_size(const Option&, Index n) noexcept {
  return 4 * n + 1;
}

template <std::same_as<R2Score> Option, class T>
void update(const Option&, const Seen<T>& s, std::span<double> state) {
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
  state[static_cast<std::size_t>(4 * s.n)] += static_cast<double>(s.samples * s.n);
}

namespace {

/// Keras's adjustment; where there are no more samples than regressors the score stays as it is.
double adjusted(double score, double seen, Index regressors) {
  const auto p = static_cast<double>(regressors);
  if (regressors == 0 || p >= seen - 1) return score;
  return 1 - (1 - score) * (seen - 1) / (seen - p - 1);
}

}  // namespace

template <std::same_as<R2Score> Option>
void result(const Option& o, Index n, std::span<const double> state, Values& out) {
  const AggregationKind kind = o.class_aggregation.kind();
  const double seen = state[static_cast<std::size_t>(4 * n)];
  double scores = 0, weighted = 0, variances = 0;
  for (Index j = 0; j < n; ++j) {
    const double* sums = state.data() + 4 * j;
    const double variance = sums[2] - quotient(sums[1] * sums[1], sums[0]);
    const double score = variance == 0 ? 0 : 1 - sums[3] / variance;
    if (kind == AggregationKind::none) out(adjusted(score, seen, o.num_regressors));
    scores += score;
    weighted += score * variance;
    variances += variance;
  }
  if (kind == AggregationKind::none) return;
  const double score = kind == AggregationKind::uniform_average
                           ? quotient(scores, static_cast<double>(n))
                           : quotient(weighted, variances);
  out(adjusted(score, seen, o.num_regressors));
}
UNROLL_INSTANTIATE_METRIC(R2Score);

}  // namespace unroll::training
