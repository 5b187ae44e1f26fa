#include "src/kernels/normalization.h"

#include <cmath>

#include "src/kernels/vector.h"

namespace unroll::kernels {

template <class T>
void normalize(Index rows, Index n, bool centred, T epsilon, const T* x, const T* gamma,
               const T* beta, T* y, T* means, T* factors) {
  const T share = T{1} / static_cast<T>(n);
  for (Index r = 0; r < rows; ++r, x += n, y += n) {
    means[r] = centred ? sum(n, x) * share : T{0};
    scale_shift(n, T{1}, -means[r], x, y);
    factors[r] = 1 / std::sqrt(dot(n, y, y) * share + epsilon);
    scale_shift(n, factors[r], T{0}, y, y);
    if (gamma != nullptr) multiply(n, y, gamma, y);
    if (beta != nullptr) add(n, y, beta, y);
  }
}

template <class T>
void normalize_gradient(Index rows, Index n, bool centred, const T* x, const T* gamma,
                        const T* means, const T* factors, const T* dy, T* dx, T* d_gamma, T* d_beta,
                        T* scratch) {
  const T share = T{1} / static_cast<T>(n);
  T *hat = scratch, *g = scratch + n;  // the normalised row, and the gradient of it
  for (Index r = 0; r < rows; ++r, x += n, dy += n) {
    const T factor = factors[r];
    scale_shift(n, factor, -means[r] * factor, x, hat);
    if (d_gamma != nullptr) add_product(n, dy, hat, d_gamma);
    if (d_beta != nullptr) add(n, d_beta, dy, d_beta);
    if (dx == nullptr) continue;
    const T* d = dy;
    if (gamma != nullptr) {
      multiply(n, dy, gamma, g);
      d = g;
    }
    const T along = dot(n, d, hat) * share;
    const T level = centred ? sum(n, d) * share : T{0};
    for (Index i = 0; i < n; ++i) dx[i] += factor * (d[i] - level - along * hat[i]);
    dx += n;
  }
}

#define UNROLL_INSTANTIATE(T)                                                                     \
  template void normalize<T>(Index, Index, bool, T, const T*, const T*, const T*, T*, T*, T*);    \
  template void normalize_gradient<T>(Index, Index, bool, const T*, const T*, const T*, const T*, \
                                      const T*, T*, T*, T*, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
