// Arithmetic on rows of numbers. n is a count; x, y are read, out is written (and may be x or y).
#pragma once

#include <string>

#include "unroll/activation.h"
#include "unroll/index.h"

namespace unroll::kernels {

/// The instruction set that this processor runs: "AVX2", "SSE4", "AVX3", ... and all that were
/// built.
std::string simd_target();
std::string simd_targets_built();

// --- element by element ---
template <class T>
void add(Index n, const T* x, const T* y, T* out);
template <class T>
void subtract(Index n, const T* x, const T* y, T* out);
template <class T>
void multiply(Index n, const T* x, const T* y, T* out);
template <class T>
void divide(Index n, const T* x, const T* y, T* out);
/// out += a x
template <class T>
void add_scaled(Index n, T a, const T* x, T* out);
/// out += x y
template <class T>
void add_product(Index n, const T* x, const T* y, T* out);
/// out = a x + b
template <class T>
void scale_shift(Index n, T a, T b, const T* x, T* out);

// --- sums, in a fixed order of eight virtual lanes whatever the vector width ---
template <class T>
T sum(Index n, const T* x);
template <class T>
T dot(Index n, const T* x, const T* y);

// --- functions, at most 3 ulp (float) for exp, tanh, sigmoid ---
template <class T>
void exp(Index n, const T* x, T* out);
template <class T>
void tanh(Index n, const T* x, T* out);
template <class T>
void sigmoid(Index n, const T* x, T* out);
template <class T>
void log(Index n, const T* x, T* out);  // may be scalar libm
template <class T>
void sqrt(Index n, const T* x, T* out);

// --- activations, `rows` rows of `n` (a row matters from softmax on) ---
/// out = activation(x).
template <class T>
void activate(Activation activation, Index rows, Index n, const T* x, T* out);
/// dx += dy activation'(x), where y = activation(x) is given too.
/// At a kink the derivative is the one Keras's automatic differentiation gives.
template <class T>
void activate_backward(Activation activation, Index rows, Index n, const T* x, const T* y,
                       const T* dy, T* dx);
/// Whether activation' can be had from y alone; then x may be null above.
bool derivative_from_output(Activation activation) noexcept;

}  // namespace unroll::kernels
