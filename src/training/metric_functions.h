// The functions of each metric, one overload an option struct; metrics.cpp chooses among them.
#pragma once

#include <concepts>
#include <span>
#include <vector>

#include "src/training/loss_functions.h"
#include "unroll/metrics.h"

namespace unroll::training {

/// What metric_update is given: weights is null or (samples).
template <class T>
struct Seen : Samples<T> {
  const T* weights = nullptr;

  double weight(Index s) const { return weights ? static_cast<double>(weights[s]) : 1; }
};

/// A quotient of sums; 0 where nothing was seen.
inline double quotient(double sum, double of) noexcept { return of == 0 ? 0 : sum / of; }

/// Receives a metric's values; keeps them only where there is room.
struct Values {
  std::vector<double>* all = nullptr;
  double sum = 0;
  Index count = 0;

  void operator()(double value) {
    sum += value;
    ++count;
    if (all != nullptr) all->push_back(value);
  }
};

template <class Option, class... Options>
concept OneOf = (std::same_as<Option, Options> || ...);

/// Metrics that count true and false positives and negatives above thresholds.
template <class Option>
concept CountMetric =
    OneOf<Option, Precision, Recall, TruePositives, TrueNegatives, FalsePositives, FalseNegatives>;
/// Metrics of histograms of the predictions.
template <class Option>
concept HistogramMetric = OneOf<Option, AUC, SensitivityAtSpecificity, SpecificityAtSensitivity,
                                PrecisionAtRecall, RecallAtPrecision>;
template <class Option>
concept ScoreMetric = OneOf<Option, F1Score, FBetaScore>;
/// Metrics whose state is (the weighted sum of a value a sample, the sum of weights).
template <class Option>
concept MeanMetric = !CountMetric<Option> && !HistogramMetric<Option> && !ScoreMetric<Option> &&
                     !std::same_as<Option, R2Score>;

#define UNROLL_METRICS(Kind)                                               \
  template <Kind Option>                                                   \
  Index state_size(const Option& o, Index n) noexcept;                     \
  template <Kind Option, class T>                                          \
  void update(const Option& o, const Seen<T>& s, std::span<double> state); \
  template <Kind Option>                                                   \
  void result(const Option& o, Index n, std::span<const double> state, Values& out)

UNROLL_METRICS(MeanMetric);
UNROLL_METRICS(CountMetric);
UNROLL_METRICS(HistogramMetric);
UNROLL_METRICS(ScoreMetric);
UNROLL_METRICS(std::same_as<R2Score>);
#undef UNROLL_METRICS

/// For the files that define them.
#define UNROLL_INSTANTIATE_METRIC(Option)                                      \
  template Index state_size(const Option&, Index) noexcept;                    \
  template void update(const Option&, const Seen<float>&, std::span<double>);  \
  template void update(const Option&, const Seen<double>&, std::span<double>); \
  template void result(const Option&, Index, std::span<const double>, Values&)

}  // namespace unroll::training
