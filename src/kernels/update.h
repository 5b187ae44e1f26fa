// One pass over flat vectors: the arithmetic of the optimisers. n numbers; g is the gradient
// (read), w the weight, the rest are slots. Element-wise, so any cut of the range gives the same
// bits. Formulas and the place of epsilon are Keras's.
#pragma once

#include "unroll/index.h"

namespace unroll::kernels {

/// w -= rate * g, with momentum: v = momentum v - rate g; w += v, or, Nesterov, w += momentum v -
/// rate g.
template <class T>
void update_sgd(Index n, T rate, T momentum, bool nesterov, const T* g, T* w, T* v);

/// v = rho v + (1 - rho) g^2; [mean = rho mean + (1 - rho) g;] step = rate g / (sqrt(v [- mean^2] +
/// epsilon)); with momentum: m = momentum m + step, w -= m. `mean` is null unless centered, m null
/// without momentum.
template <class T>
void update_rmsprop(Index n, T rate, T rho, T momentum, T epsilon, const T* g, T* w, T* v, T* mean,
                    T* m);

/// m += (g - m)(1 - beta1); v += (g^2 - v)(1 - beta2); w -= alpha m / (sqrt(v) + epsilon), where
/// alpha = rate sqrt(1 - beta2^t) / (1 - beta1^t). `v_max` is null unless amsgrad.
template <class T>
void update_adam(Index n, T alpha, T beta1, T beta2, T epsilon, const T* g, T* w, T* m, T* v,
                 T* v_max);

}  // namespace unroll::kernels
