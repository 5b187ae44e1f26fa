#include "src/layers/convolve.h"

#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"

namespace unroll {

void Convolve::prepare(const kernels::ConvolutionShape& s, const Parameter& kernel, DType dtype,
                       bool training) {
  with_float(dtype, [&]<class T>() {
    const Index numbers = kernels::convolution_packed_size<T>(s, training);
    const Index bytes = numbers * static_cast<Index>(sizeof(T));
    packed_.refresh(kernel.version(), dtype, training, bytes, [&](void* memory) {
      kernels::convolution_pack(s, kernel.value().template values<T>().data(), training,
                                static_cast<T*>(memory));
    });
  });
}

Var Convolve::operator()(Call& call, const Var& x, const Shape& shape,
                         const kernels::ConvolutionShape& s, const Parameter& kernel,
                         const Parameter* bias, Activation activation) {
  Tape& tape = call.tape();
  const Var w = call.use(kernel);
  const Var b = bias != nullptr ? call.use(*bias) : Var();
  if (!packed_.fits(kernel.version(), x.dtype(), tape.recording())) {
    prepare(s, kernel, x.dtype(), tape.recording());
  }
  // An activation that needs its input, or the whole row, comes as an entry of its own.
  const bool fuses =
      kernels::derivative_from_output(activation) && activation.kind() < ActivationKind::softmax;
  const Activation fused = fuses ? activation : Activation();
  Var y = b ? tape.result(shape, {x, w, b}) : tape.result(shape, {x, w});
  y.set_time_first(x.time_first());
  with_float(x.dtype(), [&]<class T>() {
    const auto before = tape.arena().mark();
    T* scratch = tape.arena().take<T>(kernels::convolution_scratch_size<T>(s));
    kernels::convolution(s, x.data<T>(), packed_.data<T>(), b ? b.data<T>() : nullptr, fused,
                         y.data<T>(), scratch);
    tape.arena().release(before);
  });
  tape.record(y, [this, s, x, w, b, y, fused] {
    with_float(x.dtype(), [&]<class T>() { backward<T>(s, x, w, b, y, fused); });
  });
  return fuses ? y : activate(y, activation);
}

template <class T>
void Convolve::backward(const kernels::ConvolutionShape& s, const Var& x, const Var& w,
                        const Var& b, const Var& y, Activation activation) const {
  // Asked for first: what is taken from the arena below is given back.
  T* dx = x.needs_gradient() ? x.gradient<T>() : nullptr;
  T* dw = w.needs_gradient() ? w.gradient<T>() : nullptr;
  T* db = b && b.needs_gradient() ? b.gradient<T>() : nullptr;
  base::Arena& arena = y.tape().arena();
  const auto before = arena.mark();
  const Index windows = s.windows(), N = s.filters;
  const T* dz = y.gradient<T>();
  if (activation.kind() != ActivationKind::linear) {
    T* scaled = arena.take<T>(y.elements());
    std::fill_n(scaled, y.elements(), T{0});
    kernels::activate_backward<T>(activation, windows, N, nullptr, y.data<T>(), dz, scaled);
    dz = scaled;
  }
  T* scratch = arena.take<T>(kernels::convolution_scratch_size<T>(s));
  if (dw != nullptr) kernels::convolution_kernel_gradient(s, x.data<T>(), dz, dw, scratch);
  if (db != nullptr) kernels::add_rows(windows, N, dz, N, db);
  if (dx != nullptr) {
    kernels::convolution_input_gradient(s, dz, packed_.data<T>(), dx, scratch);
  }
  arena.release(before);
}

}  // namespace unroll
