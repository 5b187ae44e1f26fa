#include "src/kernels/recurrent_table.h"

#include <algorithm>

#include "src/kernels/recurrent_layout.h"

namespace unroll::kernels {

namespace {

/// f(Keras's first column of a gate, its first column among the products).
template <class T, class F>
void for_gates(const RecurrentShape& shape, F f) {
  const RecurrentLayout<T> l(shape);
  for (Index gate = 0; gate < l.G; ++gate) f(l.keras_gate(gate) * l.U, gate * l.padded);
}

}  // namespace

template <class T>
Index recurrent_table_width(const RecurrentShape& shape) {
  return RecurrentLayout<T>::spread(recurrent_table_columns<T>(shape));
}
template <class T>
Index recurrent_table_columns(const RecurrentShape& shape) {
  const RecurrentLayout<T> l(shape);
  return l.G * l.padded;
}

template <class T>
void recurrent_table_kernel(const RecurrentShape& shape, const T* kernel, T* arranged) {
  const Index U = shape.units, ld = gates(shape.cell) * U,
              width = recurrent_table_columns<T>(shape);
  std::fill_n(arranged, shape.features * width, T{0});
  for (Index f = 0; f < shape.features; ++f) {
    for_gates<T>(shape, [&](Index from, Index to) {
      std::copy_n(kernel + f * ld + from, U, arranged + f * width + to);
    });
  }
}

template <class T>
void recurrent_table_bias(const RecurrentShape& shape, const T* bias, T* arranged) {
  const Index U = shape.units;
  std::fill_n(arranged, recurrent_table_columns<T>(shape), T{0});
  if (bias == nullptr) return;
  const bool two_rows = shape.cell == CellKind::gru_reset_after;
  Index gate = 0;
  for_gates<T>(shape, [&](Index from, Index to) {
    std::copy_n(bias + from, U, arranged + to);
    // Of the second row, z and r take theirs here; the candidate's is for h R alone.
    for (Index u = 0; two_rows && gate < 2 && u < U; ++u)
      arranged[to + u] += bias[3 * U + from + u];
    ++gate;
  });
}

template <class T>
void recurrent_table_gradient(const RecurrentShape& shape, const T* arranged, T* dkernel) {
  const Index U = shape.units, ld = gates(shape.cell) * U,
              width = recurrent_table_columns<T>(shape);
  for (Index f = 0; f < shape.features; ++f) {
    for_gates<T>(shape, [&](Index to, Index from) {
      for (Index u = 0; u < U; ++u) dkernel[f * ld + to + u] += arranged[f * width + from + u];
    });
  }
}

#define UNROLL_INSTANTIATE(T)                                                \
  template Index recurrent_table_width<T>(const RecurrentShape&);            \
  template Index recurrent_table_columns<T>(const RecurrentShape&);          \
  template void recurrent_table_kernel(const RecurrentShape&, const T*, T*); \
  template void recurrent_table_bias(const RecurrentShape&, const T*, T*);   \
  template void recurrent_table_gradient(const RecurrentShape&, const T*, T*);
UNROLL_INSTANTIATE(float) UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
