// Metrics that are the mean of one value a sample.
#include <algorithm>
#include <cmath>

#include "src/training/metric_functions.h"

namespace unroll::training {
namespace {

/// The first place of the largest number.
template <class T>
Index argmax(Index n, const T* x) {
  return std::max_element(x, x + n) - x;
}

/// The mean over a sample's numbers of f(y, p).
template <class T, class F>
double mean_of(Index n, const T* y, const T* p, F f) {
  double total = 0;
  for (Index j = 0; j < n; ++j) total += static_cast<double>(f(y[j], p[j]));
  return quotient(total, static_cast<double>(n));
}

/// Whether fewer than k numbers are larger than the one at `place`; never where there is none.
template <class T>
double in_top(Index k, Index n, const T* p, Index place) {
  if (place < 0 || place >= n) return 0;
  const auto above = std::count_if(p, p + n, [&](T x) { return x > p[place]; });
  return above < k ? 1 : 0;
}

// value(option, n, y, p): of one sample. y points to its n numbers or to its label.

template <class T>
double value(const Accuracy&, Index n, const T* y, const T* p) {
  return mean_of(n, y, p, [](T a, T b) { return a == b ? 1 : 0; });
}

template <class T>
double value(const BinaryAccuracy& o, Index n, const T* y, const T* p) {
  const T threshold = static_cast<T>(o.threshold);
  return mean_of(n, y, p, [&](T a, T b) { return a == (b > threshold ? T{1} : T{0}) ? 1 : 0; });
}

template <class T>
double value(const CategoricalAccuracy&, Index n, const T* y, const T* p) {
  return argmax(n, y) == argmax(n, p) ? 1 : 0;
}

template <class T>
double value(const SparseCategoricalAccuracy&, Index n, const T* y, const T* p) {
  return *y == static_cast<T>(argmax(n, p)) ? 1 : 0;
}

template <class T>
double value(const TopKCategoricalAccuracy& o, Index n, const T* y, const T* p) {
  return in_top(o.k, n, p, argmax(n, y));
}

template <class T>
double value(const SparseTopKCategoricalAccuracy& o, Index n, const T* y, const T* p) {
  if (o.from_sorted_ids) return std::find(p, p + std::min(o.k, n), *y) < p + std::min(o.k, n);
  return in_top(o.k, n, p, static_cast<Index>(*y));
}

template <class T>
double value(const Mean&, Index n, const T* y, const T* p) {
  return mean_of(n, y, p, [](T, T b) { return b; });
}

template <class T>
double value(const RootMeanSquaredError&, Index n, const T* y, const T* p) {
  return mean_of(n, y, p, [](T a, T b) { return (a - b) * (a - b); });
}

template <class T>
double value(const Sum&, Index n, const T*, const T* p) {
  double total = 0;
  for (Index j = 0; j < n; ++j) total += static_cast<double>(p[j]);
  return total;
}

/// Means, variances and the covariance of a sample's numbers.
struct Moments {
  double mean_y = 0, mean_p = 0, variance_y = 0, variance_p = 0, covariance = 0;

  template <class T>
  Moments(Index n, const T* y, const T* p) {
    const double share = quotient(1, static_cast<double>(n));
    for (Index j = 0; j < n; ++j) {
      mean_y += share * static_cast<double>(y[j]);
      mean_p += share * static_cast<double>(p[j]);
    }
    for (Index j = 0; j < n; ++j) {
      const double dy = static_cast<double>(y[j]) - mean_y, dp = static_cast<double>(p[j]) - mean_p;
      variance_y += share * dy * dy;
      variance_p += share * dp * dp;
      covariance += share * dy * dp;
    }
  }
};

template <class T>
double value(const PearsonCorrelation&, Index n, const T* y, const T* p) {
  const Moments m(n, y, p);
  return m.covariance / std::sqrt(m.variance_y * m.variance_p);
}

template <class T>
double value(const ConcordanceCorrelation&, Index n, const T* y, const T* p) {
  const Moments m(n, y, p);
  const double apart = m.mean_y - m.mean_p;
  return 2 * m.covariance / (m.variance_y + m.variance_p + apart * apart + epsilon<double>);
}

/// Adds the losses of samples, a few at a time, with the weights that `weight_of(s)` gives.
template <class T, class Weight>
void add_losses(const Loss& loss, const Seen<T>& s, const Weight& weight_of,
                std::span<double> state) {
  constexpr Index piece = 64;
  T values[piece];
  const Index size = target_size(loss, s.n);
  for (Index first = 0; first < s.samples; first += piece) {
    const Index count = std::min(piece, s.samples - first);
    loss_values(loss, count, s.n, s.y + first * size, s.p + first * s.n, values);
    for (Index i = 0; i < count; ++i) {
      const double weight = weight_of(first + i);
      if (weight == 0) continue;  // a masked sample may be anything
      state[0] += weight * static_cast<double>(values[i]);
      state[1] += weight;
    }
  }
}

template <class Option>
constexpr bool labels = std::is_same_v<Option, SparseCategoricalAccuracy> ||
                        std::is_same_v<Option, SparseTopKCategoricalAccuracy>;

}  // namespace

template <MeanMetric Option>
Index state_size(const Option&, Index) noexcept {
  return 2;
}

template <MeanMetric Option, class T>
void update(const Option& o, const Seen<T>& s, std::span<double> state) {
  if constexpr (std::is_same_v<Option, Loss>) {
    const auto weight = [&](Index i) { return s.weight(i); };
    add_losses(o, s, weight, state);
  } else if constexpr (std::is_same_v<Option, Perplexity>) {
    const auto weight = [&](Index i) {
      const bool ignored = o.ignore_class && s.y[i] == static_cast<T>(*o.ignore_class);
      return ignored ? 0 : s.weight(i);
    };
    add_losses(
        SparseCategoricalCrossentropy{.from_logits = o.from_logits, .ignore_class = o.ignore_class},
        s, weight, state);
  } else if constexpr (!std::is_same_v<Option, AnyAccuracy>) {
    for (Index i = 0; i < s.samples; ++i) {
      const double weight = s.weight(i);
      if (weight == 0) continue;
      const T* y = labels<Option> ? s.y + i : s.y + i * s.n;
      state[0] += weight * value(o, s.n, y, s.p + i * s.n);
      state[1] += weight;
    }
  }
}

template <MeanMetric Option>
void result(const Option& o, Index, std::span<const double> state, Values& out) {
  const double mean = quotient(state[0], state[1]);
  if constexpr (std::is_same_v<Option, Sum>) {
    out(state[0]);
  } else if constexpr (std::is_same_v<Option, RootMeanSquaredError>) {
    out(std::sqrt(mean));
  } else if constexpr (std::is_same_v<Option, Perplexity>) {
    out(state[1] == 0 ? 0 : std::exp(mean));
  } else if constexpr (std::is_same_v<Option, Loss>) {
    // As a loss minus the cosine falls; as a metric the cosine is meant.
    out(std::holds_alternative<CosineSimilarity>(o.options()) ? -mean : mean);
  } else {
    out(mean);
  }
}

UNROLL_INSTANTIATE_METRIC(AnyAccuracy);
UNROLL_INSTANTIATE_METRIC(Accuracy);
UNROLL_INSTANTIATE_METRIC(BinaryAccuracy);
UNROLL_INSTANTIATE_METRIC(CategoricalAccuracy);
UNROLL_INSTANTIATE_METRIC(SparseCategoricalAccuracy);
UNROLL_INSTANTIATE_METRIC(TopKCategoricalAccuracy);
UNROLL_INSTANTIATE_METRIC(SparseTopKCategoricalAccuracy);
UNROLL_INSTANTIATE_METRIC(Mean);
UNROLL_INSTANTIATE_METRIC(RootMeanSquaredError);
UNROLL_INSTANTIATE_METRIC(Sum);
UNROLL_INSTANTIATE_METRIC(PearsonCorrelation);
UNROLL_INSTANTIATE_METRIC(ConcordanceCorrelation);
UNROLL_INSTANTIATE_METRIC(Perplexity);
UNROLL_INSTANTIATE_METRIC(Loss);

}  // namespace unroll::training
