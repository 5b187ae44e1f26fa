// Metrics that count true and false positives and negatives above thresholds.
// State, for each threshold: weight of true positives, false positives, false and true negatives.
#include <algorithm>
#include <limits>

#include "src/training/metric_functions.h"

namespace unroll::training {
namespace {

enum Place : std::size_t { true_positives, false_positives, false_negatives, true_negatives };

template <CountMetric Option>
constexpr bool picks = requires(const Option& o) {
  o.top_k;
};

/// How many thresholds, and which; 0.5 unless given, and with top_k alone being among the largest
/// is enough.
template <CountMetric Option>
std::size_t threshold_count(const Option& o) {
  return std::max<std::size_t>(o.thresholds.size(), 1);
}
template <CountMetric Option>
double threshold(const Option& o, std::size_t i) {
  if (!o.thresholds.empty()) return o.thresholds[i];
  if constexpr (picks<Option>) {
    if (o.top_k) return -std::numeric_limits<double>::infinity();
  }
  return 0.5;
}

/// Whether number j is among the k largest of a row; of equal ones the first are in.
template <class T>
bool among_largest(Index k, Index n, const T* p, Index j) {
  Index before = 0;
  for (Index i = 0; i < n; ++i) before += p[i] > p[j] || (p[i] == p[j] && i < j) ? 1 : 0;
  return before < k;
}

}  // namespace

template <CountMetric Option>
Index state_size(const Option& o, Index) noexcept {
  return 4 * static_cast<Index>(threshold_count(o));
}

template <CountMetric Option, class T>
void update(const Option& o, const Seen<T>& s, std::span<double> state) {
  Index first = 0, last = s.n, k = s.n;
  if constexpr (picks<Option>) {
    if (o.class_id) first = *o.class_id, last = first + 1;
    k = o.top_k.value_or(s.n);
  }
  for (Index i = 0; i < s.samples; ++i) {
    const T *y = s.y + i * s.n, *p = s.p + i * s.n;
    const double weight = s.weight(i);
    if (weight == 0) continue;
    for (Index j = first; j < last; ++j) {
      const bool may = k >= s.n || among_largest(k, s.n, p, j);
      for (std::size_t t = 0; t < threshold_count(o); ++t) {
        const bool predicted = may && p[j] > static_cast<T>(threshold(o, t));
        const Place place = predicted ? (y[j] != 0 ? true_positives : false_positives)
                                      : (y[j] != 0 ? false_negatives : true_negatives);
        state[4 * t + place] += weight;
      }
    }
  }
}

template <CountMetric Option>
void result(const Option& o, Index, std::span<const double> state, Values& out) {
  for (std::size_t t = 0; t < threshold_count(o); ++t) {
    const std::span<const double> at = state.subspan(4 * t, 4);
    if constexpr (std::is_same_v<Option, Precision>) {
      out(quotient(at[true_positives], at[true_positives] + at[false_positives]));
    } else if constexpr (std::is_same_v<Option, Recall>) {
      out(quotient(at[true_positives], at[true_positives] + at[false_negatives]));
    } else if constexpr (std::is_same_v<Option, TruePositives>) {
      out(at[true_positives]);
    } else if constexpr (std::is_same_v<Option, FalsePositives>) {
      out(at[false_positives]);
    } else if constexpr (std::is_same_v<Option, TrueNegatives>) {
      out(at[true_negatives]);
    } else {
      out(at[false_negatives]);
    }
  }
}

UNROLL_INSTANTIATE_METRIC(Precision);
UNROLL_INSTANTIATE_METRIC(Recall);
UNROLL_INSTANTIATE_METRIC(TruePositives);
UNROLL_INSTANTIATE_METRIC(TrueNegatives);
UNROLL_INSTANTIATE_METRIC(FalsePositives);
UNROLL_INSTANTIATE_METRIC(FalseNegatives);

}  // namespace unroll::training
