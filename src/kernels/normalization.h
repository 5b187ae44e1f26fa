// Normalisation of rows: `rows` of n numbers each. gamma (scale) and beta (shift), each n, may be
// null.
#pragma once

#include "unroll/index.h"

namespace unroll::kernels {

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta; without `centred`, mean is 0 and the
/// variance the mean square. means and factors (1 / sqrt ...), `rows` each, are kept for the
/// gradient.
template <class T>
void normalize(Index rows, Index n, bool centred, T epsilon, const T* x, const T* gamma,
               const T* beta, T* y, T* means, T* factors);

/// dx, d_gamma and d_beta are added to; each may be null. scratch: 2 n numbers.
template <class T>
void normalize_gradient(Index rows, Index n, bool centred, const T* x, const T* gamma,
                        const T* means, const T* factors, const T* dy, T* dx, T* d_gamma, T* d_beta,
                        T* scratch);

}  // namespace unroll::kernels
