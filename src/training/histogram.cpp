// Metrics of how many positives and negatives have which prediction.
// State, for each label (one, unless multi_label) and threshold i: weight of the positives and of
// the negatives whose prediction is above threshold i but not above threshold i + 1.
#include <algorithm>
#include <cmath>
#include <utility>

#include "src/training/metric_functions.h"

namespace unroll::training {
namespace {

/// AUC's first threshold is just below 0 and its last just above 1; given ones stand between them.
Index threshold_count(const AUC& o) {
  return o.thresholds.empty() ? o.num_thresholds : static_cast<Index>(o.thresholds.size()) + 2;
}
template <HistogramMetric Option>
Index threshold_count(const Option& o) {
  return o.num_thresholds;
}

template <HistogramMetric Option>
Index label_count(const Option& o, Index n) {
  if constexpr (std::is_same_v<Option, AUC>) {
    return o.multi_label ? n : 1;
  } else {
    return 1;
  }
}

/// The last threshold that p is above; -1 for none.
template <HistogramMetric Option, class T>
Index bucket_of(const Option& o, T p) {
  if constexpr (std::is_same_v<Option, AUC>) {
    if (!o.thresholds.empty()) {
      return std::count_if(o.thresholds.begin(), o.thresholds.end(),
                           [&](double bound) { return p > static_cast<T>(bound); });
    }
  } else if (o.num_thresholds < 3) {  // 0.5, or 0 and 1
    return o.num_thresholds == 1 ? (p > T(0.5) ? 0 : -1) : (p > 0 ? 0 : -1);
  }
  // Keras's rule for even thresholds, which counts a prediction of 0 as above the first.
  const T steps = static_cast<T>(o.num_thresholds - 1);
  const T place = std::ceil(std::clamp(p, T{0}, T{1}) * steps) - 1;
  return static_cast<Index>(std::max(place, T{0}));
}

}  // namespace

template <HistogramMetric Option>
Index state_size(const Option& o, Index n) noexcept {
  // One place more, for what is above no threshold at all.
  return 2 * (threshold_count(o) + 1) * label_count(o, n);
}

template <HistogramMetric Option, class T>
void update(const Option& o, const Seen<T>& s, std::span<double> state) {
  const Index buckets = threshold_count(o) + 1;
  Index first = 0, last = s.n;
  if constexpr (!std::is_same_v<Option, AUC>) {
    if (o.class_id) first = *o.class_id, last = first + 1;
  }
  for (Index i = 0; i < s.samples; ++i) {
    const double weight = s.weight(i);
    for (Index j = first; j < last; ++j) {
      T p = s.p[i * s.n + j];
      if constexpr (std::is_same_v<Option, AUC>) {
        if (o.from_logits) p = 1 / (1 + std::exp(-p));
      }
      if (std::isnan(p) || weight == 0) continue;
      const Index label = label_count(o, s.n) == 1 ? 0 : j;
      const auto at = static_cast<std::size_t>(2 * (label * buckets + bucket_of(o, p) + 1));
      const double positive = static_cast<double>(s.y[i * s.n + j]);
      state[at] += weight * positive;
      state[at + 1] += weight * (1 - positive);
    }
  }
}

namespace {

/// Weights of positives and negatives above a threshold.
struct Above {
  double positive = 0, negative = 0;
  double all() const { return positive + negative; }
};

/// Calls f(above) for each threshold from the highest down; returns the weights of all.
template <class F>
Above for_each_threshold(std::span<const double> state, F f) {
  Above above;
  for (std::size_t i = state.size(); i > 2; i -= 2) {
    above.positive += state[i - 2];
    above.negative += state[i - 1];
    f(above);
  }
  above.positive += state[0];
  above.negative += state[1];
  return above;
}

/// Area between two points of a curve by its width and its heights at the ends.
double strip(SummationKind kind, double width, double y0, double y1) {
  switch (kind) {
    case SummationKind::minoring:
      return width * std::min(y0, y1);
    case SummationKind::majoring:
      return width * std::max(y0, y1);
    default:
      return width * (y0 + y1) / 2;
  }
}

/// Precision between two thresholds, where true positives grow in proportion to all positives.
/// Source: Davis and Goadrich, 2006.
double precision_recall_strip(const Above& low, const Above& high, double positives) {
  const double gained = low.positive - high.positive;
  const double slope = quotient(gained, std::max(low.all() - high.all(), 0.0));
  const double intercept = high.positive - slope * high.all();
  const double ratio = low.all() > 0 && high.all() > 0 ? low.all() / high.all() : 1;
  return quotient(slope * (gained + intercept * std::log(ratio)), positives);
}

double area(const AUC& o, std::span<const double> state) {
  const SummationKind summation = o.summation_method.kind();
  const Above total = for_each_threshold(state, [](const Above&) {});
  double area = 0;
  Above high;
  bool begun = false;
  for_each_threshold(state, [&](const Above& low) {
    if (!std::exchange(begun, true)) {
      high = low;
      return;
    }
    const double recall_width = quotient(low.positive - high.positive, total.positive);
    if (o.curve.kind() == CurveKind::ROC) {
      area +=
          strip(summation, quotient(low.negative - high.negative, total.negative),
                quotient(low.positive, total.positive), quotient(high.positive, total.positive));
    } else if (summation == SummationKind::interpolation) {
      area += precision_recall_strip(low, high, total.positive);
    } else {
      area += strip(summation, recall_width, quotient(low.positive, low.all()),
                    quotient(high.positive, high.all()));
    }
    high = low;
  });
  return area;
}

/// The largest `value` where `bound` is at least `least`.
template <class Bound, class Value>
double best(std::span<const double> state, double least, Bound bound, Value value) {
  const Above total = for_each_threshold(state, [](const Above&) {});
  double most = 0;
  for_each_threshold(state, [&](const Above& above) {
    if (bound(above, total) >= least) most = std::max(most, value(above, total));
  });
  return most;
}

double recall(const Above& above, const Above& total) {
  return quotient(above.positive, total.positive);
}
double precision(const Above& above, const Above&) { return quotient(above.positive, above.all()); }
double specificity(const Above& above, const Above& total) {
  return quotient(total.negative - above.negative, total.negative);
}

double value_of(const SensitivityAtSpecificity& o, std::span<const double> state) {
  return best(state, o.specificity, specificity, recall);
}
double value_of(const SpecificityAtSensitivity& o, std::span<const double> state) {
  return best(state, o.sensitivity, recall, specificity);
}
double value_of(const PrecisionAtRecall& o, std::span<const double> state) {
  return best(state, o.recall, recall, precision);
}
double value_of(const RecallAtPrecision& o, std::span<const double> state) {
  return best(state, o.precision, precision, recall);
}

}  // namespace

template <HistogramMetric Option>
void result(const Option& o, Index n, std::span<const double> state, Values& out) {
  if constexpr (std::is_same_v<Option, AUC>) {
    const Index labels = label_count(o, n);
    const std::size_t each = state.size() / static_cast<std::size_t>(labels);
    double sum = 0, weights = 0;
    for (std::size_t label = 0; label < static_cast<std::size_t>(labels); ++label) {
      const double weight = o.label_weights.empty() ? 1 : o.label_weights[label];
      sum += weight * area(o, state.subspan(label * each, each));
      weights += weight;
    }
    out(quotient(sum, weights));
  } else {
    out(value_of(o, state));
  }
}

UNROLL_INSTANTIATE_METRIC(AUC);
UNROLL_INSTANTIATE_METRIC(SensitivityAtSpecificity);
UNROLL_INSTANTIATE_METRIC(SpecificityAtSensitivity);
UNROLL_INSTANTIATE_METRIC(PrecisionAtRecall);
UNROLL_INSTANTIATE_METRIC(RecallAtPrecision);

}  // namespace unroll::training
