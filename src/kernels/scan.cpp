#include "src/kernels/scan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/scan.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "src/kernels/map-inl.h"
#include "src/kernels/recurrent-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

/// Some units of a row: as many as a vector has, or the fewer that are left at the end.
template <class T>
struct Whole {
  using D = Tag<T>;
  using V = hn::Vec<D>;
  static constexpr D d{};
  HWY_INLINE V load(const T* from) const { return hn::LoadU(d, from); }
  HWY_INLINE void store(V v, T* to) const { hn::StoreU(v, d, to); }
};
template <class T>
struct Part {
  using D = Tag<T>;
  using V = hn::Vec<D>;
  static constexpr D d{};
  Index count;
  HWY_INLINE V load(const T* from) const { return LoadSome(d, from, count); }
  HWY_INLINE void store(V v, T* to) const { StoreSome(d, v, to, count); }
};

/// Calls f(lanes, u) for the units from u on, vector after vector.
template <class T, class F>
HWY_INLINE void for_units(Index U, F f) {
  Index u = 0;
  for (; u + lanes<T> <= U; u += lanes<T>) f(Whole<T>(), u);
  if (u < U) f(Part<T>{U - u}, u);
}

/// Where a row of a step stands; null where there is none. `p`, `dp`: parts are U numbers apart.
template <class T>
struct RowForward {
  T* p;
  const T *v, *c, *s;
  T *next, *y;
  T scale;
};
template <class T>
struct RowBackward {
  const T *gates, *v, *c, *next, *s, *dy;
  T *d, *dp, *dv, *ds;
  T scale;
};

#define UNROLL_V typename Lanes::V

/// lambda c + p, in complex numbers.
struct Complex {
  template <class Lanes, class T>
  HWY_INLINE void forward(const Lanes& at, Index U, Index u, const RowForward<T>& r) const {
    const UNROLL_V a = at.load(r.v + u), b = at.load(r.v + U + u);
    const UNROLL_V re = at.load(r.c + u), im = at.load(r.c + U + u);
    at.store(hn::MulAdd(a, re, hn::NegMulAdd(b, im, at.load(r.p + u))), r.next + u);
    at.store(hn::MulAdd(a, im, hn::MulAdd(b, re, at.load(r.p + U + u))), r.next + U + u);
  }
  template <class Lanes, class T>
  HWY_INLINE void backward(const Lanes& at, Index U, Index u, const RowBackward<T>& r) const {
    const UNROLL_V a = at.load(r.v + u), b = at.load(r.v + U + u);
    const UNROLL_V re = at.load(r.c + u), im = at.load(r.c + U + u);
    UNROLL_V dre = at.load(r.d + u), dim = at.load(r.d + U + u);
    if (r.dy != nullptr) {
      dre = hn::Add(dre, at.load(r.dy + u));
      dim = hn::Add(dim, at.load(r.dy + U + u));
    }
    at.store(dre, r.dp + u);
    at.store(dim, r.dp + U + u);
    at.store(hn::MulAdd(dre, re, hn::MulAdd(dim, im, at.load(r.dv + u))), r.dv + u);
    at.store(hn::MulAdd(dim, re, hn::NegMulAdd(dre, im, at.load(r.dv + U + u))), r.dv + U + u);
    at.store(hn::MulAdd(a, dre, hn::Mul(b, dim)), r.d + u);
    at.store(hn::MulSub(a, dim, hn::Mul(b, dre)), r.d + U + u);
  }
};

/// The gradient of a state that is the output too.
template <class Lanes, class T>
HWY_INLINE UNROLL_V reaching(const Lanes& at, Index u, const RowBackward<T>& r) {
  const UNROLL_V d = at.load(r.d + u);
  return r.dy == nullptr ? d : hn::Add(d, at.load(r.dy + u));
}
/// Through a sigmoid whose output is y.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V through_gate(D d, V dy, V y) {
  return through<ActivationKind::sigmoid>(d, dy, y);
}

template <class Act>
struct MinGRU {
  Act act;

  template <class Lanes, class T>
  HWY_INLINE void forward(const Lanes& at, Index U, Index u, const RowForward<T>& r) const {
    const UNROLL_V z = gate_sigmoid(at.d, at.load(r.p + u)), g = act(at.d, at.load(r.p + U + u));
    const UNROLL_V c = at.load(r.c + u);
    at.store(z, r.p + u);
    at.store(g, r.p + U + u);
    at.store(hn::MulAdd(z, hn::Sub(g, c), c), r.next + u);
  }
  template <class Lanes, class T>
  HWY_INLINE void backward(const Lanes& at, Index U, Index u, const RowBackward<T>& r) const {
    const UNROLL_V z = at.load(r.gates + u), g = at.load(r.gates + U + u), c = at.load(r.c + u);
    const UNROLL_V d = reaching(at, u, r);
    at.store(through_gate(at.d, hn::Mul(d, hn::Sub(g, c)), z), r.dp + u);
    at.store(act.back(at.d, hn::Mul(d, z), g), r.dp + U + u);
    at.store(hn::NegMulAdd(d, z, d), r.d + u);
  }
};

template <class Act>
struct MinLSTM {
  Act act;

  template <class Lanes, class T>
  HWY_INLINE void forward(const Lanes& at, Index U, Index u, const RowForward<T>& r) const {
    const UNROLL_V f = gate_sigmoid(at.d, at.load(r.p + u));
    const UNROLL_V i = gate_sigmoid(at.d, at.load(r.p + U + u));
    const UNROLL_V g = act(at.d, at.load(r.p + 2 * U + u)), c = at.load(r.c + u);
    at.store(f, r.p + u);
    at.store(i, r.p + U + u);
    at.store(g, r.p + 2 * U + u);
    at.store(hn::MulAdd(hn::Div(i, hn::Add(f, i)), hn::Sub(g, c), c), r.next + u);
  }
  template <class Lanes, class T>
  HWY_INLINE void backward(const Lanes& at, Index U, Index u, const RowBackward<T>& r) const {
    const UNROLL_V f = at.load(r.gates + u), i = at.load(r.gates + U + u);
    const UNROLL_V g = at.load(r.gates + 2 * U + u), c = at.load(r.c + u);
    const UNROLL_V d = reaching(at, u, r);
    const UNROLL_V sum = hn::Add(f, i), share = hn::Div(i, sum);
    // share' of i is f / sum^2, of f the same times -i / f.
    const UNROLL_V di = hn::Div(hn::Mul(hn::Mul(d, hn::Sub(g, c)), f), hn::Mul(sum, sum));
    const UNROLL_V df = hn::Div(hn::Mul(hn::Mul(d, hn::Sub(c, g)), i), hn::Mul(sum, sum));
    at.store(through_gate(at.d, df, f), r.dp + u);
    at.store(through_gate(at.d, di, i), r.dp + U + u);
    at.store(act.back(at.d, hn::Mul(d, share), g), r.dp + 2 * U + u);
    at.store(hn::NegMulAdd(d, share, d), r.d + u);
  }
};

template <class Act>
struct QRNN {
  Act act;

  template <class Lanes, class T>
  HWY_INLINE void forward(const Lanes& at, Index U, Index u, const RowForward<T>& r) const {
    const UNROLL_V g = act(at.d, at.load(r.p + u)), c = at.load(r.c + u);
    const UNROLL_V f = gate_sigmoid(at.d, at.load(r.p + U + u));
    const UNROLL_V o = gate_sigmoid(at.d, at.load(r.p + 2 * U + u));
    const UNROLL_V next = hn::MulAdd(f, hn::Sub(c, g), g);
    at.store(g, r.p + u);
    at.store(f, r.p + U + u);
    at.store(o, r.p + 2 * U + u);
    at.store(next, r.next + u);
    at.store(hn::Mul(o, next), r.y + u);
  }
  template <class Lanes, class T>
  HWY_INLINE void backward(const Lanes& at, Index U, Index u, const RowBackward<T>& r) const {
    const UNROLL_V g = at.load(r.gates + u), f = at.load(r.gates + U + u);
    const UNROLL_V o = at.load(r.gates + 2 * U + u), c = at.load(r.c + u);
    const UNROLL_V dy = r.dy == nullptr ? hn::Zero(at.d) : at.load(r.dy + u);
    const UNROLL_V d = hn::MulAdd(dy, o, at.load(r.d + u)), one = hn::Set(at.d, T{1});
    at.store(act.back(at.d, hn::Mul(d, hn::Sub(one, f)), g), r.dp + u);
    at.store(through_gate(at.d, hn::Mul(d, hn::Sub(c, g)), f), r.dp + U + u);
    at.store(through_gate(at.d, hn::Mul(dy, at.load(r.next + u)), o), r.dp + 2 * U + u);
    at.store(hn::Mul(d, f), r.d + u);
  }
};

struct SRU {
  template <class Lanes, class T>
  static HWY_INLINE UNROLL_V carried(const Lanes& at, Index u, const T* s, T scale) {
    return s == nullptr ? hn::Zero(at.d) : hn::Mul(hn::Set(at.d, scale), at.load(s + u));
  }
  template <class Lanes, class T>
  HWY_INLINE void forward(const Lanes& at, Index U, Index u, const RowForward<T>& row) const {
    const UNROLL_V g = at.load(row.p + u), c = at.load(row.c + u);
    const UNROLL_V f =
        gate_sigmoid(at.d, hn::MulAdd(at.load(row.v + u), c, at.load(row.p + U + u)));
    const UNROLL_V r =
        gate_sigmoid(at.d, hn::MulAdd(at.load(row.v + U + u), c, at.load(row.p + 2 * U + u)));
    const UNROLL_V next = hn::MulAdd(f, hn::Sub(c, g), g), s = carried(at, u, row.s, row.scale);
    at.store(f, row.p + U + u);
    at.store(r, row.p + 2 * U + u);
    at.store(next, row.next + u);
    at.store(hn::MulAdd(r, hn::Sub(next, s), s), row.y + u);
  }
  template <class Lanes, class T>
  HWY_INLINE void backward(const Lanes& at, Index U, Index u, const RowBackward<T>& row) const {
    const UNROLL_V g = at.load(row.gates + u), f = at.load(row.gates + U + u);
    const UNROLL_V r = at.load(row.gates + 2 * U + u), c = at.load(row.c + u);
    const UNROLL_V one = hn::Set(at.d, T{1});
    const UNROLL_V dy = row.dy == nullptr ? hn::Zero(at.d) : at.load(row.dy + u);
    const UNROLL_V s = carried(at, u, row.s, row.scale);
    const UNROLL_V d = hn::MulAdd(dy, r, at.load(row.d + u));
    const UNROLL_V df = through_gate(at.d, hn::Mul(d, hn::Sub(c, g)), f);
    const UNROLL_V dr = through_gate(at.d, hn::Mul(dy, hn::Sub(at.load(row.next + u), s)), r);
    at.store(hn::NegMulAdd(d, f, d), row.dp + u);
    at.store(df, row.dp + U + u);
    at.store(dr, row.dp + 2 * U + u);
    at.store(hn::MulAdd(df, c, at.load(row.dv + u)), row.dv + u);
    at.store(hn::MulAdd(dr, c, at.load(row.dv + U + u)), row.dv + U + u);
    UNROLL_V back = hn::MulAdd(df, at.load(row.v + u), hn::Mul(d, f));
    back = hn::MulAdd(dr, at.load(row.v + U + u), back);
    at.store(back, row.d + u);
    if (row.ds == nullptr) return;
    const UNROLL_V ds = hn::Mul(hn::Mul(dy, hn::Sub(one, r)), hn::Set(at.d, row.scale));
    at.store(hn::Add(at.load(row.ds + u), ds), row.ds + u);
  }
};

template <class Act>
struct IndRNN {
  Act act;

  template <class Lanes, class T>
  HWY_INLINE void forward(const Lanes& at, Index, Index u, const RowForward<T>& r) const {
    const UNROLL_V sum = hn::MulAdd(at.load(r.v + u), at.load(r.c + u), at.load(r.p + u));
    at.store(act(at.d, sum), r.next + u);
  }
  template <class Lanes, class T>
  HWY_INLINE void backward(const Lanes& at, Index, Index u, const RowBackward<T>& r) const {
    const UNROLL_V d = act.back(at.d, reaching(at, u, r), at.load(r.next + u));
    at.store(d, r.dp + u);
    at.store(hn::MulAdd(d, at.load(r.c + u), at.load(r.dv + u)), r.dv + u);
    at.store(hn::Mul(d, at.load(r.v + u)), r.d + u);
  }
};

#undef UNROLL_V

/// Calls f with the recurrence of a shape; the usual activations are compiled in.
template <class F>
HWY_INLINE void with_recurrence(const ScanShape& shape, F f) {
  using Linear = Compiled<ActivationKind::linear>;
  using Tanh = Compiled<ActivationKind::tanh>;
  const Any any{shape.activation};
  const bool is_linear = shape.activation == Activation("linear");
  const bool is_tanh = shape.activation == Activation("tanh");
  switch (shape.kind) {
    case ScanKind::complex:
      return f(Complex());
    case ScanKind::min_gru:
      return is_linear ? f(MinGRU<Linear>()) : f(MinGRU<Any>{any});
    case ScanKind::min_lstm:
      return is_linear ? f(MinLSTM<Linear>()) : f(MinLSTM<Any>{any});
    case ScanKind::qrnn:
      return is_tanh ? f(QRNN<Tanh>()) : f(QRNN<Any>{any});
    case ScanKind::sru:
      return f(SRU());
    case ScanKind::ind_rnn:
      return f(IndRNN<Any>{any});
  }
}

/// Distances between rows; a part of p may be the skip.
struct Widths {
  explicit Widths(const ScanShape& s)
      : U(s.units), S(scan_state(s)), P(scan_gates(s) * s.units), skip(s.skips ? P : s.units) {}
  Index U, S, P, skip;
};

template <class T>
void forward(const ScanShape& shape, const ScanForward<T>& c) {
  const Widths w(shape);
  with_recurrence(shape, [&](const auto& recurrence) HWY_ATTR {
    const T* skip = shape.skips ? c.gates + 3 * w.U : c.skip;
    const T* before = c.before;
    for (Index row = 0; row < shape.time * shape.rows; ++row) {
      // The row before is that of the step before, shape.rows rows away.
      const T* state = row < shape.rows ? before + row * w.S : c.states + (row - shape.rows) * w.S;
      T* y = c.y == nullptr ? nullptr : c.y + row * w.U;
      if (c.mask != nullptr && c.mask[row] == 0) {
        copy_row(w.S, state, c.states + row * w.S);
        if (y != nullptr) zero_row(w.U, y);
        continue;
      }
      const RowForward<T> r{c.gates + row * w.P,
                            c.weights,
                            state,
                            skip == nullptr ? nullptr : skip + row * w.skip,
                            c.states + row * w.S,
                            y,
                            c.skip_scale};
      for_units<T>(w.U,
                   [&](const auto& at, Index u) HWY_ATTR { recurrence.forward(at, w.U, u, r); });
    }
  });
}

template <class T>
void backward(const ScanShape& shape, const ScanBackward<T>& c) {
  const Widths w(shape);
  const Index outputs = scan_has_output(shape.kind) ? w.U : w.S;
  with_recurrence(shape, [&](const auto& recurrence) HWY_ATTR {
    const T* skip = shape.skips ? c.gates + 3 * w.U : c.skip;
    T* dskip = shape.skips ? c.dgates + 3 * w.U : c.dskip;
    for (Index row = shape.time * shape.rows; row-- > 0;) {
      T* dp = c.dgates + row * w.P;
      if (shape.skips) zero_row(w.U, dp + 3 * w.U);
      if (c.mask != nullptr && c.mask[row] == 0) {
        zero_row(w.P, dp);
        continue;
      }
      const T* state =
          row < shape.rows ? c.before + row * w.S : c.states + (row - shape.rows) * w.S;
      const RowBackward<T> r{c.gates + row * w.P,
                             c.weights,
                             state,
                             c.states + row * w.S,
                             skip == nullptr ? nullptr : skip + row * w.skip,
                             c.dy == nullptr ? nullptr : c.dy + row * outputs,
                             c.dstate + row % shape.rows * w.S,
                             dp,
                             c.dweights,
                             dskip == nullptr ? nullptr : dskip + row * w.skip,
                             c.skip_scale};
      for_units<T>(w.U,
                   [&](const auto& at, Index u) HWY_ATTR { recurrence.backward(at, w.U, u, r); });
    }
  });
}

template <class T>
void scan(Index time, Index n, const T* a, const T* b, const T* h0, T* h) {
  for_units<T>(n, [&](const auto& at, Index u) HWY_ATTR {
    at.store(h0 == nullptr ? at.load(b + u)
                           : hn::MulAdd(at.load(a + u), at.load(h0 + u), at.load(b + u)),
             h + u);
  });
  for (Index t = 1; t < time; ++t) {
    const T *a_now = a + t * n, *b_now = b + t * n, *before = h + (t - 1) * n;
    T* now = h + t * n;
    for_units<T>(n, [&](const auto& at, Index u) HWY_ATTR {
      at.store(hn::MulAdd(at.load(a_now + u), at.load(before + u), at.load(b_now + u)), now + u);
    });
  }
}

template <class T>
void scan_back(Index time, Index n, const T* a, const T* h0, const T* h, const T* dh, T* carry,
               T* da, T* db) {
  for (Index t = time; t-- > 0;) {
    const T* before = t > 0 ? h + (t - 1) * n : h0;
    for_units<T>(n, [&](const auto& at, Index u) HWY_ATTR {
      const Index i = t * n + u;
      const auto d = hn::Add(at.load(carry + u), at.load(dh + i));
      if (da != nullptr && before != nullptr) {
        at.store(hn::MulAdd(d, at.load(before + u), at.load(da + i)), da + i);
      }
      if (db != nullptr) at.store(hn::Add(at.load(db + i), d), db + i);
      at.store(hn::Mul(d, at.load(a + i)), carry + u);
    });
  }
}

}  // namespace

#define UNROLL_FOR_TYPE(T, Suffix)                                                                \
  void Forward##Suffix(const ScanShape& shape, const ScanForward<T>& c) { forward(shape, c); }    \
  void Backward##Suffix(const ScanShape& shape, const ScanBackward<T>& c) { backward(shape, c); } \
  void Scan##Suffix(Index time, Index n, const T* a, const T* b, const T* h0, T* h) {             \
    scan(time, n, a, b, h0, h);                                                                   \
  }                                                                                               \
  void ScanBack##Suffix(Index time, Index n, const T* a, const T* h0, const T* h, const T* dh,    \
                        T* carry, T* da, T* db) {                                                 \
    scan_back(time, n, a, h0, h, dh, carry, da, db);                                              \
  }
UNROLL_FOR_TYPE(float, Float)
UNROLL_FOR_TYPE(double, Double)
#undef UNROLL_FOR_TYPE

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "src/kernels/dispatch.h"

namespace unroll::kernels {

HWY_EXPORT(ForwardFloat);
HWY_EXPORT(ForwardDouble);
HWY_EXPORT(BackwardFloat);
HWY_EXPORT(BackwardDouble);
HWY_EXPORT(ScanFloat);
HWY_EXPORT(ScanDouble);
HWY_EXPORT(ScanBackFloat);
HWY_EXPORT(ScanBackDouble);

bool can_scan(const ScanShape& shape) noexcept {
  return fused({.cell = CellKind::simple_rnn, .activation = shape.activation});
}

template <class T>
void scan_forward(const ScanShape& shape, const ScanForward<T>& call) {
  UNROLL_DISPATCH(Forward, shape, call)
}
template <class T>
void scan_backward(const ScanShape& shape, const ScanBackward<T>& call) {
  UNROLL_DISPATCH(Backward, shape, call)
}
template <class T>
void linear_scan(Index time, Index n, const T* a, const T* b, const T* h0, T* h) {
  if (time == 0) return;
  UNROLL_DISPATCH(Scan, time, n, a, b, h0, h)
}
template <class T>
void linear_scan_backward(Index time, Index n, const T* a, const T* h0, const T* h, const T* dh,
                          T* carry, T* da,
                          T* db){UNROLL_DISPATCH(ScanBack, time, n, a, h0, h, dh, carry, da, db)}

#define UNROLL_INSTANTIATE(T)                                                                      \
  template void scan_forward(const ScanShape&, const ScanForward<T>&);                             \
  template void scan_backward(const ScanShape&, const ScanBackward<T>&);                           \
  template void linear_scan(Index, Index, const T*, const T*, const T*, T*);                       \
  template void linear_scan_backward(Index, Index, const T*, const T*, const T*, const T*, T*, T*, \
                                     T*);
UNROLL_INSTANTIATE(float) UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
#endif
