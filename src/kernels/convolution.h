// Convolutions over one or two axes, as matrix products.
//
// Letters: R rows of a batch, H x W places of C channels each, N filters, G groups of channels. The
// places under a window, K = (kernel height) (kernel width) C / G numbers, are gathered into a row
// of a small block, a block at a time, and the block is multiplied by the kernel (K, N / G). A
// window of one place reads the input as it lies. A result has one accumulator, its terms in
// ascending place and channel: the same bits whatever rows are computed with it.
#pragma once

#include "unroll/activation.h"
#include "unroll/index.h"

namespace unroll::kernels {

/// The sizes of a convolution. Of two axes the first is 1 high where only time is walked.
struct ConvolutionShape {
  struct Axis {
    Index size = 1;      ///< of the input
    Index out = 1;       ///< of the result
    Index kernel = 1;    ///< taps of the window
    Index stride = 1;    ///< places between windows
    Index dilation = 1;  ///< places between taps
    Index before = 0;    ///< zeros before the first place; those after it follow from `out`
  };
  Index rows = 0;
  Axis y, x;
  Index channels = 0, filters = 0, groups = 1;
  /// Input (W, R, C) and result (W', R, N) instead of (R, H, W, C) and (R, H', W', N). Requires:
  /// one axis.
  bool time_first = false;

  Index places() const noexcept { return rows * y.size * x.size; }
  Index windows() const noexcept { return rows * y.out * x.out; }
  /// Numbers under a window, of one group.
  Index depth() const noexcept { return y.kernel * x.kernel * (channels / groups); }
};

/// Numbers that a packed kernel takes; with `backward` what gradients need is packed too.
template <class T>
Index convolution_packed_size(const ConvolutionShape& s, bool backward);
/// Packs a kernel (kernel height, kernel width, C / G, N).
template <class T>
void convolution_pack(const ConvolutionShape& s, const T* kernel, bool backward, T* packed);

/// Numbers of scratch that each function below takes.
template <class T>
Index convolution_scratch_size(const ConvolutionShape& s);

/// y = activation(x * kernel + bias); bias (N) may be null, the activation is element-wise.
template <class T>
void convolution(const ConvolutionShape& s, const T* x, const T* packed, const T* bias,
                 Activation activation, T* y, T* scratch);
/// d_kernel += the kernel's gradient, from dy, that of the result before its activation.
template <class T>
void convolution_kernel_gradient(const ConvolutionShape& s, const T* x, const T* dy, T* d_kernel,
                                 T* scratch);
/// dx += the input's gradient. Requires: packed with `backward`.
template <class T>
void convolution_input_gradient(const ConvolutionShape& s, const T* dy, const T* packed, T* dx,
                                T* scratch);

}  // namespace unroll::kernels
