// Sizes, and the packing of weights.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/recurrent.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

#include "src/kernels/gemm_tile-inl.h"
#include "src/kernels/recurrent_layout.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

template <class T, class F>
HWY_INLINE void for_panels(Index columns, F f) {
  Index column = 0;
  for (Index left = vectors_for(columns, lanes<T>), now; left > 0; left -= now) {
    now = panel_vectors(left);
    f(column, std::min(columns - column, now * lanes<T>), now * lanes<T>);
    column += now * lanes<T>;
  }
}

// What the accumulators of each part start from. With reset_after both rows of Keras's bias go into
// z and r; the candidate's stay apart.
template <class T>
void pack_bias(const RecurrentLayout<T>& l, const T* bias, T* packed) {
  std::fill_n(packed, l.parts() * l.padded, T{0});
  if (!bias) return;
  const bool two_rows = l.shape.cell == CellKind::gru_reset_after;
  for (Index part = 0; part < l.parts(); ++part) {
    T* to = packed + part * l.padded;
    const Index gate = two_rows ? std::min<Index>(part, 2) : l.keras_gate(part);
    const T* from = bias + gate * l.U + (two_rows && part == 2 ? l.G * l.U : 0);
    std::copy_n(from, l.U, to);
    for (Index u = 0; two_rows && part < 2 && u < l.U; ++u) to[u] += from[l.G * l.U + u];
  }
}

template <class T>
void pack_weights(const RecurrentLayout<T>& l, const T* kernel, const T* recurrent_kernel, T* to) {
  const Index ld = l.G * l.U;
  for_panels<T>(l.U, [&](Index unit, Index columns, Index width) {
    for (Index i = 0; i < l.G; ++i) {
      const Index from = l.keras_gate(i) * l.U + unit;
      pack_panel(l.U, columns, width, recurrent_kernel + from, ld, false, to);
      pack_panel(l.F, columns, width, kernel + from, ld, false, to + l.U * width);
      to += l.K * width;
    }
  });
}

/// The transpose of a kernel (N, G U), in panels of its N rows.
template <class T>
void pack_transposed(const RecurrentLayout<T>& l, Index N, const T* kernel, T* to) {
  const Index ld = l.G * l.U;
  for_panels<T>(N, [&](Index row, Index columns, Index width) {
    for (Index i = 0; i < l.G; ++i) {
      pack_panel(l.U, columns, width, kernel + row * ld + l.keras_gate(i) * l.U, ld, true, to);
      to += l.U * width;
    }
  });
}

template <class T>
void pack_all(const RecurrentShape& shape, const T* kernel, const T* recurrent_kernel,
              const T* bias, bool training, T* packed) {
  const RecurrentLayout<T> l(shape, lanes<T>);
  pack_bias(l, bias, packed);
  pack_weights(l, kernel, recurrent_kernel, packed + l.weights_at());
  if (!training) return;
  pack_transposed(l, l.U, recurrent_kernel, packed + l.recurrent_transposed_at());
  pack_transposed(l, l.F, kernel, packed + l.kernel_transposed_at());
}

}  // namespace

void RecurrentPackFloat(const RecurrentShape& shape, const float* kernel,
                        const float* recurrent_kernel, const float* bias, bool training,
                        float* packed) {
  pack_all(shape, kernel, recurrent_kernel, bias, training, packed);
}
void RecurrentPackDouble(const RecurrentShape& shape, const double* kernel,
                         const double* recurrent_kernel, const double* bias, bool training,
                         double* packed) {
  pack_all(shape, kernel, recurrent_kernel, bias, training, packed);
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

HWY_EXPORT(RecurrentPackFloat);
HWY_EXPORT(RecurrentPackDouble);

bool fused(const RecurrentShape& shape) noexcept {
  const auto known = [](Activation activation) {
    using enum ActivationKind;
    const ActivationKind kind = activation.kind();
    return kind == linear || kind == relu || kind == sigmoid || kind == tanh ||
           kind == hard_sigmoid;
  };
  return known(shape.activation) &&
         (shape.cell == CellKind::simple_rnn || known(shape.recurrent_activation));
}

template <class T>
Index recurrent_packed_size(const RecurrentShape& shape) {
  return RecurrentLayout<T>(shape).packed_size(true);
}
template <class T>
Index recurrent_saved_size(const RecurrentShape& shape) {
  return RecurrentLayout<T>(shape).saved_size();
}
template <class T>
Index recurrent_scratch_size(const RecurrentShape& shape, bool training) {
  const RecurrentLayout<T> layout(shape);
  const Index forward = ForwardScratch<T>(layout, training, nullptr).size;
  if (!training) return forward;
  return std::max(forward, BackwardScratch<T>(layout, true, nullptr).size);
}
template <class T>
void recurrent_pack(const RecurrentShape& shape, const T* kernel, const T* recurrent_kernel,
                    const T* bias, bool training, T* packed) {
  if constexpr (std::is_same_v<T, float>) {
    HWY_DYNAMIC_DISPATCH(RecurrentPackFloat)
    (shape, kernel, recurrent_kernel, bias, training, packed);
  } else {
    HWY_DYNAMIC_DISPATCH(RecurrentPackDouble)
    (shape, kernel, recurrent_kernel, bias, training, packed);
  }
}

#define UNROLL_INSTANTIATE(T)                                            \
  template Index recurrent_packed_size<T>(const RecurrentShape&);        \
  template Index recurrent_saved_size<T>(const RecurrentShape&);         \
  template Index recurrent_scratch_size<T>(const RecurrentShape&, bool); \
  template void recurrent_pack(const RecurrentShape&, const T*, const T*, const T*, bool, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)

}  // namespace unroll::kernels
#endif
