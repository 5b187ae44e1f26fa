// Metrics that count true and false positives and negatives.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/training/metric_functions.h"

namespace unroll::training {

// --- Precision, Recall: state (weight of true positives, weight of what they are a part of)
// ----------
namespace {

/// Which predictions are positive.
template <class T>
struct Positive {
  T threshold;
  Index k;  // 0: all of a row may be

  template <class Option>
  explicit Positive(const Option& o)
      : threshold(static_cast<T>(o.thresholds.value_or(0.5))), k(o.top_k.value_or(0)) {
    // With top_k alone being among the largest is enough.
    if (k > 0 && !o.thresholds) threshold = -std::numeric_limits<T>::infinity();
  }
  bool operator()(Index n, const T* p, Index j) const {
    if (!(p[j] > threshold)) return false;
    if (k == 0) return true;
    // Of equal numbers the first ones are in.
    Index before = 0;
    for (Index i = 0; i < n; ++i) before += p[i] > p[j] || (p[i] == p[j] && i < j) ? 1 : 0;
    return before < k;
  }
};

/// counts(predicted positive, positive, weight) for each number.
template <class Option, class T, class Count>
void count_all(const Option& o, const Seen<T>& s, const Count& count) {
  const Positive<T> positive(o);
  for (Index i = 0; i < s.samples; ++i) {
    const T *y = s.y + i * s.n, *p = s.p + i * s.n;
    const Index first = o.class_id.value_or(0), last = o.class_id ? first + 1 : s.n;
    for (Index j = first; j < last; ++j) count(positive(s.n, p, j), y[j] != 0, s.weight(i));
  }
}

}  // namespace

Index state_size(const Precision&, Index) noexcept { return 2; }
template <class T>
void update(const Precision& o, const Seen<T>& s, std::span<double> state) {
  count_all(o, s, [&](bool predicted, bool positive, double weight) {
    if (predicted && positive) state[0] += weight;
    if (predicted) state[1] += weight;
  });
}
double result(const Precision&, Index, std::span<const double> state) {
  return quotient(state[0], state[1]);
}
UNROLL_INSTANTIATE_METRIC(Precision);

Index state_size(const Recall&, Index) noexcept { return 2; }
template <class T>
void update(const Recall& o, const Seen<T>& s, std::span<double> state) {
  count_all(o, s, [&](bool predicted, bool positive, double weight) {
    if (predicted && positive) state[0] += weight;
    if (positive) state[1] += weight;
  });
}
double result(const Recall&, Index, std::span<const double> state) {
  return quotient(state[0], state[1]);
}
UNROLL_INSTANTIATE_METRIC(Recall);

// --- AUC: state (weight of positives, weight of negatives) whose prediction is above threshold i
// but not above threshold i + 1. The first threshold is just below 0, the last just above 1.

Index state_size(const AUC& o, Index) noexcept { return 2 * o.num_thresholds; }

template <class T>
void update(const AUC& o, const Seen<T>& s, std::span<double> state) {
  const T steps = static_cast<T>(o.num_thresholds - 1);
  for (Index i = 0; i < s.samples * s.n; ++i) {
    T p = s.p[i];
    if (o.from_logits) p = 1 / (1 + std::exp(-p));
    if (std::isnan(p)) continue;
    const T place = std::ceil(std::clamp(p, T{0}, T{1}) * steps) - 1;
    const auto bucket = static_cast<std::size_t>(std::max(place, T{0}));
    const double weight = s.weight(i / s.n), positive = static_cast<double>(s.y[i]);
    state[2 * bucket] += weight * positive;
    state[2 * bucket + 1] += weight * (1 - positive);
  }
}

namespace {

/// Weights of positives and negatives above a threshold.
struct Above {
  double positive = 0, negative = 0;
  double all() const { return positive + negative; }
};

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

}  // namespace

double result(const AUC& o, Index, std::span<const double> state) {
  const SummationKind summation = o.summation_method.kind();
  Above total;
  for (std::size_t i = 0; i < state.size(); i += 2) {
    total.positive += state[i];
    total.negative += state[i + 1];
  }
  double area = 0;
  Above high;
  for (std::size_t i = state.size(); i > 2; i -= 2) {  // from the highest threshold down
    Above low = high;
    low.positive += state[i - 4];
    low.negative += state[i - 3];
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
  }
  return area;
}
UNROLL_INSTANTIATE_METRIC(AUC);

// --- F1Score: state (true positives, false positives, false negatives, weight) of each class
// --------------

Index state_size(const F1Score&, Index n) noexcept { return 4 * n; }

template <class T>
void update(const F1Score& o, const Seen<T>& s, std::span<double> state) {
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
double f1(const double* of_class) {
  constexpr double tiny = epsilon<double>;
  const double precision = of_class[0] / (of_class[0] + of_class[1] + tiny);
  const double recall = of_class[0] / (of_class[0] + of_class[2] + tiny);
  return 2 * precision * recall / (precision + recall + tiny);
}

}  // namespace

double result(const F1Score& o, Index n, std::span<const double> state) {
  double all[4] = {}, sum = 0, weighted = 0;
  for (Index j = 0; j < n; ++j) {
    const double* of_class = state.data() + 4 * j;
    for (int i = 0; i < 4; ++i) all[i] += of_class[i];
    sum += f1(of_class);
    weighted += of_class[3] * f1(of_class);
  }
  switch (o.average.kind()) {
    case AverageKind::micro:
      return f1(all);
    case AverageKind::weighted:
      return weighted / (all[3] + epsilon<double>);
    default:
      return quotient(sum, static_cast<double>(n));
  }
}
UNROLL_INSTANTIATE_METRIC(F1Score);

}  // namespace unroll::training
