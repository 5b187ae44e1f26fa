#include "src/recurrent/gates.h"

#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/kernels/vector.h"

namespace unroll {

namespace {

/// What one place (a row of a dense LSTM, a pixel of a convolutional one) is computed from. U
/// units.
template <class T>
struct Place {
  T *before, *gates;    // (4 U): sums, and what the activations make of them
  T *c, *squashed, *h;  // (U)
};

template <class T>
void forward(Index U, const GateActivations& kinds, const T* c_before, const Place<T>& p) {
  kernels::activate(kinds.recurrent_activation, 2, U, p.before, p.gates);
  kernels::activate(kinds.activation, 1, U, p.before + 2 * U, p.gates + 2 * U);
  kernels::activate(kinds.recurrent_activation, 1, U, p.before + 3 * U, p.gates + 3 * U);
  const T *i = p.gates, *f = i + U, *g = f + U;
  for (Index u = 0; u < U; ++u) p.c[u] = f[u] * c_before[u] + i[u] * g[u];
  kernels::activate(kinds.activation, 1, U, p.c, p.squashed);
  kernels::multiply(U, i + 3 * U, p.squashed, p.h);
}

/// dh and dc may be null: zero. Adds to d_before (4 U) and, unless null, dc_before.
template <class T>
void backward(Index U, const GateActivations& kinds, const T* c_before, const Place<T>& p,
              const T* dh, const T* dc, T* d_before, T* dc_before, T* scratch) {
  const T *i = p.gates, *f = i + U, *g = f + U, *o = g + U;
  T *d = scratch, *d_squashed = d + 4 * U, *d_cell = d_squashed + U;
  std::fill_n(scratch, 6 * U, T{0});
  if (dc != nullptr) std::copy_n(dc, U, d_cell);
  if (dh != nullptr) {
    kernels::multiply(U, dh, o, d_squashed);
    kernels::multiply(U, dh, p.squashed, d + 3 * U);
    kernels::activate_backward(kinds.activation, 1, U, p.c, p.squashed, d_squashed, d_cell);
  }
  for (Index u = 0; u < U; ++u) {
    d[u] = d_cell[u] * g[u];
    d[U + u] = d_cell[u] * c_before[u];
    d[2 * U + u] = d_cell[u] * i[u];
  }
  kernels::activate_backward(kinds.recurrent_activation, 2, U, p.before, p.gates, d, d_before);
  kernels::activate_backward(kinds.activation, 1, U, p.before + 2 * U, p.gates + 2 * U, d + 2 * U,
                             d_before + 2 * U);
  kernels::activate_backward(kinds.recurrent_activation, 1, U, p.before + 3 * U, p.gates + 3 * U,
                             d + 3 * U, d_before + 3 * U);
  if (dc_before != nullptr) kernels::add_product(U, d_cell, f, dc_before);
}

}  // namespace

LSTMState lstm_gates(const Var& x, const Var& r, const Var& c, const GateActivations& kinds) {
  Tape& tape = x.tape();
  const Index U = c.shape()[-1], places = c.elements() / U;
  LSTMState next{tape.result(c.shape(), {x, r, c}), tape.result(c.shape(), {x, r, c})};
  with_float(x.dtype(), [&]<class T>() {
    T* before = tape.arena().take<T>(4 * U * places);
    T* gates = tape.arena().take<T>(4 * U * places);
    T* squashed = tape.arena().take<T>(U * places);
    const auto place = [=](Index p) {
      return Place<T>{before + 4 * U * p, gates + 4 * U * p, next.c.data<T>() + U * p,
                      squashed + U * p, next.h.data<T>() + U * p};
    };
    kernels::add(4 * U * places, x.data<T>(), r.data<T>(), before);
    for (Index p = 0; p < places; ++p) forward(U, kinds, c.data<T>() + U * p, place(p));
    if (!next.h.needs_gradient()) return;
    tape.record_always([=] {
      const T* dh = next.h.has_gradient() ? next.h.gradient<T>() : nullptr;
      const T* dc = next.c.has_gradient() ? next.c.gradient<T>() : nullptr;
      if (dh == nullptr && dc == nullptr) return;
      T* dx = x.needs_gradient() ? x.gradient<T>() : nullptr;
      T* dr = r.needs_gradient() ? r.gradient<T>() : nullptr;
      T* dc_before = c.needs_gradient() ? c.gradient<T>() : nullptr;
      base::Arena& arena = x.tape().arena();
      const auto mark = arena.mark();
      T* scratch = arena.take<T>(10 * U);
      T* d_before = scratch + 6 * U;
      for (Index p = 0; p < places; ++p) {
        std::fill_n(d_before, 4 * U, T{0});
        const auto at = [&](auto* d) { return d != nullptr ? d + U * p : d; };
        backward(U, kinds, c.data<T>() + U * p, place(p), at(dh), at(dc), d_before, at(dc_before),
                 scratch);
        for (T* d : {dx, dr}) {
          if (d != nullptr) kernels::add(4 * U, d + 4 * U * p, d_before, d + 4 * U * p);
        }
      }
      arena.release(mark);
    });
  });
  return next;
}

}  // namespace unroll
