// Losses whose value is the mean, or the sum, of one term for each number.
#pragma once

#include "src/training/loss_functions.h"

namespace unroll::training {

enum class Of { mean, sum };

/// terms.value(y, p) is a number's share of the loss. Added in double: a sample may be long.
template <class T, class Terms>
void add_terms(Of of, const Samples<T>& s, const Terms& terms, T* values) {
  const double share = of == Of::mean ? 1 / static_cast<double>(s.n) : 1;
  for (Index i = 0; i < s.samples; ++i) {
    double total = 0;
    for (Index j = i * s.n; j < (i + 1) * s.n; ++j) {
      total += static_cast<double>(terms.value(s.y[j], s.p[j]));
    }
    values[i] = static_cast<T>(total * share);
  }
}

/// terms.slope(y, p) is the derivative of value by p.
template <class T, class Terms>
void add_slopes(Of of, const Samples<T>& s, const Terms& terms, const T* dvalues, T* dp) {
  for (Index i = 0; i < s.samples; ++i) {
    const T d = of == Of::mean ? dvalues[i] / static_cast<T>(s.n) : dvalues[i];
    for (Index j = i * s.n; j < (i + 1) * s.n; ++j) dp[j] += d * terms.slope(s.y[j], s.p[j]);
  }
}

/// Defines values and gradient of a loss from `Terms<T>`, which is made from its options.
#define UNROLL_LOSS_OF_TERMS(of, Option, Terms)                                     \
  template <class T>                                                                \
  void values(const Option& loss, const Samples<T>& s, T* out) {                    \
    add_terms(of, s, Terms<T>(loss), out);                                          \
  }                                                                                 \
  template <class T>                                                                \
  void gradient(const Option& loss, const Samples<T>& s, const T* dvalues, T* dp) { \
    add_slopes(of, s, Terms<T>(loss), dvalues, dp);                                 \
  }                                                                                 \
  UNROLL_INSTANTIATE_LOSS(Option)

template <class T>
constexpr T sign(T x) noexcept {
  return static_cast<T>((x > 0) - (x < 0));
}

}  // namespace unroll::training
