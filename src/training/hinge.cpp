// Losses that ask for a margin of 1.
#include <algorithm>
#include <utility>

#include "src/training/terms.h"

namespace unroll::training {
namespace {

template <class T>
struct HingeTerms {
  explicit HingeTerms(const Hinge&) {}
  T value(T y, T p) const { return std::max(1 - y * p, T{0}); }
  T slope(T y, T p) const { return y * p < 1 ? -y : T{0}; }
};

template <class T>
struct SquaredHingeTerms {
  explicit SquaredHingeTerms(const SquaredHinge&) {}
  T value(T y, T p) const { return margin(y, p) * margin(y, p); }
  T slope(T y, T p) const { return -2 * y * margin(y, p); }
  static T margin(T y, T p) { return std::max(1 - y * p, T{0}); }
};

/// Reads labels 0 and 1 as -1 and 1.
template <class Terms, class T>
struct OfBinaryLabels {
  Terms terms;
  T value(T y, T p) const { return terms.value(2 * y - 1, p); }
  T slope(T y, T p) const { return terms.slope(2 * y - 1, p); }
};

template <class T>
bool binary(const Samples<T>& s) {
  return std::all_of(s.y, s.y + s.samples * s.n, [](T y) { return y == 0 || y == 1; });
}

template <class T, class Terms>
void hinge_values(const Samples<T>& s, const Terms& terms, T* out) {
  if (binary(s)) {
    add_terms(Of::mean, s, OfBinaryLabels<Terms, T>{terms}, out);
  } else {
    add_terms(Of::mean, s, terms, out);
  }
}

template <class T, class Terms>
void hinge_gradient(const Samples<T>& s, const Terms& terms, const T* dvalues, T* dp) {
  if (binary(s)) {
    add_slopes(Of::mean, s, OfBinaryLabels<Terms, T>{terms}, dvalues, dp);
  } else {
    add_slopes(Of::mean, s, terms, dvalues, dp);
  }
}

/// 1 + the largest wrong - the sum of the right predictions, and where that largest stands.
template <class T>
std::pair<T, Index> categorical_margin(Index n, const T* y, const T* p) {
  T right = 0, wrong = (1 - y[0]) * p[0];
  Index worst = 0;
  for (Index j = 0; j < n; ++j) {
    right += y[j] * p[j];
    if ((1 - y[j]) * p[j] > wrong) wrong = (1 - y[j]) * p[j], worst = j;
  }
  return {1 + wrong - right, worst};
}

}  // namespace

template <class T>
void values(const Hinge& loss, const Samples<T>& s, T* out) {
  hinge_values(s, HingeTerms<T>(loss), out);
}
template <class T>
void gradient(const Hinge& loss, const Samples<T>& s, const T* dvalues, T* dp) {
  hinge_gradient(s, HingeTerms<T>(loss), dvalues, dp);
}
UNROLL_INSTANTIATE_LOSS(Hinge);

template <class T>
void values(const SquaredHinge& loss, const Samples<T>& s, T* out) {
  hinge_values(s, SquaredHingeTerms<T>(loss), out);
}
template <class T>
void gradient(const SquaredHinge& loss, const Samples<T>& s, const T* dvalues, T* dp) {
  hinge_gradient(s, SquaredHingeTerms<T>(loss), dvalues, dp);
}
UNROLL_INSTANTIATE_LOSS(SquaredHinge);

template <class T>
void values(const CategoricalHinge&, const Samples<T>& s, T* out) {
  for (Index i = 0; i < s.samples; ++i) {
    out[i] = std::max(categorical_margin(s.n, s.y + i * s.n, s.p + i * s.n).first, T{0});
  }
}
template <class T>
void gradient(const CategoricalHinge&, const Samples<T>& s, const T* dvalues, T* dp) {
  for (Index i = 0; i < s.samples; ++i, dp += s.n) {
    const T* y = s.y + i * s.n;
    const auto [margin, worst] = categorical_margin(s.n, y, s.p + i * s.n);
    if (margin <= 0) continue;
    for (Index j = 0; j < s.n; ++j) dp[j] -= dvalues[i] * y[j];
    dp[worst] += dvalues[i] * (1 - y[worst]);
  }
}
UNROLL_INSTANTIATE_LOSS(CategoricalHinge);

}  // namespace unroll::training
