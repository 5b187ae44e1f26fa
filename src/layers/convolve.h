// A convolution as one entry on the tape.
#pragma once

#include "src/kernels/convolution.h"
#include "src/layers/packed.h"
#include "unroll/layer.h"

namespace unroll {

/// The packed copy of a kernel, and what is computed with it. `s` may leave rows and sizes of the
/// input and the result open wherever only the kernel's own are looked at.
class Convolve {
 public:
  /// Packs the kernel if it has changed.
  void prepare(const kernels::ConvolutionShape& s, const Parameter& kernel, DType dtype,
               bool training);

  /// y = activation(x * kernel + bias), of this shape; bias may be null.
  Var operator()(Call& call, const Var& x, const Shape& shape, const kernels::ConvolutionShape& s,
                 const Parameter& kernel, const Parameter* bias, Activation activation = {});

 private:
  template <class T>
  void backward(const kernels::ConvolutionShape& s, const Var& x, const Var& w, const Var& b,
                const Var& y, Activation activation) const;

  PackedCopy packed_;
};

}  // namespace unroll
