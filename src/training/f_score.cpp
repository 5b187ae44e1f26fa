// F1Score and FBetaScore.
// State, of each class: true positives, false positives, false negatives, weight of positives.
#include <algorithm>
#include <cmath>

#include "src/training/metric_functions.h"

namespace unroll::training {

template <ScoreMetric Option>
Index state_size(const Option&, Index n) noexcept {
  return 4 * n;
}

template <ScoreMetric Option, class T>
void update(const Option& o, const Seen<T>& s, std::span<double> state) {
  for (Index i = 0; i < s.samples; ++i) {
    const T *y = s.y + i * s.n, *p = s.p + i * s.n;
    const T largest = *std::max_element(p, p + s.n);
    const double weight = s.weight(i);
    for (Index j = 0; j < s.n; ++j) {
      const bool predicted = o.threshold ? p[j] > static_cast<T>(*o.threshold)
                                         : p[j] >= largest && std::abs(p[j]) > T(1e-9);
      const double positive = static_cast<double>(y[j]);
      double* of_class = state.data() + 4 * j;
      if (predicted) {
        of_class[0] += weight * positive;
        of_class[1] += weight * (1 - positive);
      } else {
        of_class[2] += weight * positive;
      }
      of_class[3] += weight * positive;
    }
  }
}

namespace {

/// Keras keeps its quotients finite by an epsilon rather than by cases.
double f_score(const double* of_class, double beta) {
  constexpr double tiny = epsilon<double>;
  const double precision = of_class[0] / (of_class[0] + of_class[1] + tiny);
  const double recall = of_class[0] / (of_class[0] + of_class[2] + tiny);
  const double square = beta * beta;
  return (1 + square) * precision * recall / (square * precision + recall + tiny);
}

}  // namespace

template <ScoreMetric Option>
void result(const Option& o, Index n, std::span<const double> state, Values& out) {
  double beta = 1;
  if constexpr (std::is_same_v<Option, FBetaScore>) beta = o.beta;
  const AverageKind average = o.average.kind();
  double all[4] = {}, sum = 0, weighted = 0;
  for (Index j = 0; j < n; ++j) {
    const double* of_class = state.data() + 4 * j;
    for (int i = 0; i < 4; ++i) all[i] += of_class[i];
    const double score = f_score(of_class, beta);
    if (average == AverageKind::none) out(score);
    sum += score;
    weighted += of_class[3] * score;
  }
  if (average == AverageKind::macro) out(quotient(sum, static_cast<double>(n)));
  if (average == AverageKind::micro) out(f_score(all, beta));
  if (average == AverageKind::weighted) out(weighted / (all[3] + epsilon<double>));
}

UNROLL_INSTANTIATE_METRIC(F1Score);
UNROLL_INSTANTIATE_METRIC(FBetaScore);

}  // namespace unroll::training
