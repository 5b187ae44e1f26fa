// Pooling: the largest or the mean of each window, channel by channel. Sizes as a convolution's:
// its filters and groups do not matter, and a window is cut where it leaves the input.
#pragma once

#include "src/kernels/convolution.h"

namespace unroll::kernels {

/// y = the largest number under each window.
template <class T>
void max_pooling(const ConvolutionShape& s, const T* x, T* y);
/// dx += dy, at the first place of a window that holds its largest number.
template <class T>
void max_pooling_gradient(const ConvolutionShape& s, const T* x, const T* y, const T* dy, T* dx);

/// y = the mean of the places under each window.
template <class T>
void average_pooling(const ConvolutionShape& s, const T* x, T* y);
template <class T>
void average_pooling_gradient(const ConvolutionShape& s, const T* dy, T* dx);

}  // namespace unroll::kernels
