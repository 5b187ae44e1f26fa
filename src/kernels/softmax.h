// Activations of a row: softmax, log_softmax and sparsemax. `rows` rows of `n`; x, y, dy are read,
// out is written (and may be x), dx is added to.
#pragma once

#include "unroll/index.h"

namespace unroll::kernels {

/// out = e^(x - m) / sum e^(x - m), m the largest x of the row.
template <class T>
void softmax(Index rows, Index n, const T* x, T* out);
template <class T>
void softmax_backward(Index rows, Index n, const T* y, const T* dy, T* dx);

/// out = x - m - log(sum e^(x - m)).
template <class T>
void log_softmax(Index rows, Index n, const T* x, T* out);
template <class T>
void log_softmax_backward(Index rows, Index n, const T* y, const T* dy, T* dx);

/// The point of the probability simplex that is nearest to x: out = max(x - t, 0), with the t that
/// makes its sum 1. Source: Martins and Astudillo 2016, "From Softmax to Sparsemax".
template <class T>
void sparsemax(Index rows, Index n, const T* x, T* out);
template <class T>
void sparsemax_backward(Index rows, Index n, const T* y, const T* dy, T* dx);

/// log(sum e^x) of one row.
template <class T>
T log_sum_exp(Index n, const T* x);

}  // namespace unroll::kernels
