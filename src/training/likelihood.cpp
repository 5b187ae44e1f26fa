// Losses of predicted distributions: p has n locations, then n numbers about their spread.
#include <cmath>
#include <numbers>
#include <string>

#include "src/training/loss_functions.h"
#include "unroll/error.h"

namespace unroll::training {
namespace {

/// The share of one number: minus its log density, and the derivatives of that.
template <class T>
struct Share {
  T value, by_location, by_spread;
};

/// spread: the log of the variance.
template <class T>
Share<T> share(const GaussianNegativeLogLikelihood&, T y, T mean, T spread) {
  const T log_two_pi = std::log(2 * std::numbers::pi_v<T>);
  const T e = mean - y, precision = std::exp(-spread);
  return {(log_two_pi + spread + e * e * precision) / 2, e * precision,
          (1 - e * e * precision) / 2};
}

/// spread: the log of the scale.
template <class T>
Share<T> share(const StudentTNegativeLogLikelihood& loss, T y, T location, T spread) {
  const double nu = loss.degrees_of_freedom;
  const double constant =
      std::lgamma(nu / 2) - std::lgamma((nu + 1) / 2) + std::log(nu * std::numbers::pi) / 2;
  const T df = static_cast<T>(nu), scale = std::exp(spread), z = (location - y) / scale;
  const T pull = (df + 1) / (df + z * z);  // far away points pull less
  return {static_cast<T>(constant) + spread + (df + 1) / 2 * std::log1p(z * z / df),
          pull * z / scale, 1 - pull * z * z};
}

void check_even(std::string_view loss, Index n) {
  if (n % 2 == 0) return;
  throw Error(
      ErrorKind::shape, std::string(loss) + ": an odd number of outputs",
      {.got = std::to_string(n), .want = "two for each target: all locations, then all spreads"});
}

template <class Option, class T>
void all_values(const Option& loss, const Samples<T>& s, T* out) {
  check_even(loss.class_name, s.n);
  const Index n = s.n / 2;
  for (Index i = 0; i < s.samples; ++i) {
    const T *y = s.y + i * n, *p = s.p + i * s.n;
    double total = 0;
    for (Index j = 0; j < n; ++j) {
      total += static_cast<double>(share(loss, y[j], p[j], p[n + j]).value);
    }
    out[i] = static_cast<T>(total / static_cast<double>(n));
  }
}

template <class Option, class T>
void all_gradients(const Option& loss, const Samples<T>& s, const T* dvalues, T* dp) {
  check_even(loss.class_name, s.n);
  const Index n = s.n / 2;
  for (Index i = 0; i < s.samples; ++i, dp += s.n) {
    const T *y = s.y + i * n, *p = s.p + i * s.n;
    const T d = dvalues[i] / static_cast<T>(n);
    for (Index j = 0; j < n; ++j) {
      const Share<T> one = share(loss, y[j], p[j], p[n + j]);
      dp[j] += d * one.by_location;
      dp[n + j] += d * one.by_spread;
    }
  }
}

}  // namespace

#define UNROLL_LIKELIHOOD(Option)                                                   \
  template <class T>                                                                \
  void values(const Option& loss, const Samples<T>& s, T* out) {                    \
    all_values(loss, s, out);                                                       \
  }                                                                                 \
  template <class T>                                                                \
  void gradient(const Option& loss, const Samples<T>& s, const T* dvalues, T* dp) { \
    all_gradients(loss, s, dvalues, dp);                                            \
  }                                                                                 \
  UNROLL_INSTANTIATE_LOSS(Option)

UNROLL_LIKELIHOOD(GaussianNegativeLogLikelihood);
UNROLL_LIKELIHOOD(StudentTNegativeLogLikelihood);
#undef UNROLL_LIKELIHOOD

}  // namespace unroll::training
