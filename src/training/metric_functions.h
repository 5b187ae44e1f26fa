// The functions of each metric, one overload an option struct; metrics.cpp chooses among them.
#pragma once

#include <concepts>
#include <span>

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

/// Metrics whose state is (the weighted sum of a value a sample, the sum of weights).
template <class Option>
concept MeanMetric =
    !std::same_as<Option, Precision> && !std::same_as<Option, Recall> &&
    !std::same_as<Option, AUC> && !std::same_as<Option, F1Score> && !std::same_as<Option, R2Score>;

template <MeanMetric Option>
Index state_size(const Option&, Index) noexcept {
  return 2;
}
template <MeanMetric Option, class T>
void update(const Option& o, const Seen<T>& s, std::span<double> state);
template <MeanMetric Option>
double result(const Option&, Index, std::span<const double> state) {
  return quotient(state[0], state[1]);
}
double result(const RootMeanSquaredError&, Index, std::span<const double> state);
double result(const Perplexity&, Index, std::span<const double> state);

#define UNROLL_METRIC(Option)                                              \
  Index state_size(const Option& o, Index n) noexcept;                     \
  template <class T>                                                       \
  void update(const Option& o, const Seen<T>& s, std::span<double> state); \
  double result(const Option& o, Index n, std::span<const double> state)

UNROLL_METRIC(Precision);
UNROLL_METRIC(Recall);
UNROLL_METRIC(AUC);
UNROLL_METRIC(F1Score);
UNROLL_METRIC(R2Score);
#undef UNROLL_METRIC

/// For the files that define them.
#define UNROLL_INSTANTIATE_METRIC(Option)                                     \
  template void update(const Option&, const Seen<float>&, std::span<double>); \
  template void update(const Option&, const Seen<double>&, std::span<double>)

}  // namespace unroll::training
