// Losses of rows that should be alike: distributions, directions.
#include <algorithm>
#include <cmath>

#include "src/kernels/vector.h"
#include "src/training/terms.h"

namespace unroll::training {
namespace {

template <class T>
struct DivergenceTerms {
  explicit DivergenceTerms(const KLDivergence&) {}
  T value(T y, T p) const { return inside(y) * std::log(inside(y) / inside(p)); }
  T slope(T y, T p) const { return p < epsilon<T> || p > 1 ? T{0} : -inside(y) / p; }
  static T inside(T x) { return std::clamp(x, epsilon<T>, T{1}); }
};

/// 1 / |x|, at most 1 / epsilon.
template <class T>
T inverse_length(Index n, const T* x) {
  return std::min(1 / std::sqrt(kernels::dot(n, x, x)), 1 / epsilon<T>);
}

}  // namespace

UNROLL_LOSS_OF_TERMS(Of::sum, KLDivergence, DivergenceTerms);

template <class T>
void values(const CosineSimilarity&, const Samples<T>& s, T* out) {
  for (Index i = 0; i < s.samples; ++i) {
    const T *y = s.y + i * s.n, *p = s.p + i * s.n;
    out[i] = -kernels::dot(s.n, y, p) * inverse_length(s.n, y) * inverse_length(s.n, p);
  }
}

template <class T>
void gradient(const CosineSimilarity&, const Samples<T>& s, const T* dvalues, T* dp) {
  for (Index i = 0; i < s.samples; ++i) {
    const T *y = s.y + i * s.n, *p = s.p + i * s.n;
    const T length = inverse_length(s.n, p);
    const T scale = dvalues[i] * inverse_length(s.n, y) * length;
    // Where |p| is held at its bound, it is a constant.
    const T along = length < 1 / epsilon<T> ? kernels::dot(s.n, y, p) * length * length : T{0};
    for (Index j = 0; j < s.n; ++j) dp[i * s.n + j] -= scale * (y[j] - along * p[j]);
  }
}

UNROLL_INSTANTIATE_LOSS(CosineSimilarity);

}  // namespace unroll::training
