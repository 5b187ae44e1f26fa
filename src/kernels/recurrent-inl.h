// What the recurrent kernels share for one instruction set: activations of tiles, their derivatives
// from the output, rows.

#if defined(UNROLL_KERNELS_RECURRENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_RECURRENT_INL_H_
#undef UNROLL_KERNELS_RECURRENT_INL_H_
#else
#define UNROLL_KERNELS_RECURRENT_INL_H_
#endif

#include <hwy/highway.h>

#include "src/kernels/gemm_tile-inl.h"
#include "src/kernels/hard_sigmoid.h"
#include "src/kernels/math-inl.h"
#include "src/kernels/recurrent_layout.h"
#include "src/kernels/team.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

/// Sigmoid for gates: as Sigmoid() of math-inl.h, but at its end, exp(-87) or exp(-708), rather
/// than in the denormals. That takes half as many instructions.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V gate_sigmoid(D d, V v) {
  using T = hn::TFromD<D>;
  constexpr T end = sizeof(T) == 4 ? T{-87} : T{-708};
  const V one = hn::Set(d, T{1});
  V shifted;
  const V p = ReducedExpm1(d, hn::Max(hn::Set(d, end), hn::Or(v, hn::SignBit(d))), shifted);
  const V scale = PowerOfTwo(d, shifted);
  const V e = hn::MulAdd(scale, p, scale);
  return hn::Div(hn::IfThenElse(hn::Lt(v, hn::Zero(d)), e, one), hn::Add(one, e));
}

/// One of the activations that fused() lists.
template <ActivationKind kind, class D, class V = hn::Vec<D>>
HWY_INLINE V activated(D d, V v) {
  using T = hn::TFromD<D>;
  if constexpr (kind == ActivationKind::relu) return hn::Max(hn::Zero(d), v);
  if constexpr (kind == ActivationKind::sigmoid) return gate_sigmoid(d, v);
  if constexpr (kind == ActivationKind::tanh) return Tanh(d, v);
  if constexpr (kind == ActivationKind::hard_sigmoid) {
    const V six = hn::Set(d, T{6});
    const V shifted = hn::Add(v, hn::Set(d, T{3}));
    return hn::Div(hn::Min(six, hn::Max(hn::Zero(d), shifted)), six);
  }
  return v;
}

/// dy times the derivative where the activation's output is y.
template <ActivationKind kind, class D, class V = hn::Vec<D>>
HWY_INLINE V through(D d, V dy, V y) {
  using T = hn::TFromD<D>;
  const V zero = hn::Zero(d), one = hn::Set(d, T{1});
  if constexpr (kind == ActivationKind::relu) return hn::IfThenElseZero(hn::Gt(y, zero), dy);
  if constexpr (kind == ActivationKind::sigmoid) return hn::Mul(dy, hn::Mul(y, hn::Sub(one, y)));
  if constexpr (kind == ActivationKind::tanh) return hn::Mul(dy, hn::NegMulAdd(y, y, one));
  if constexpr (kind == ActivationKind::hard_sigmoid) {
    const auto inside = hn::And(hn::Gt(y, zero), hn::Lt(y, one));
    return hn::IfThenElseZero(inside, hn::Mul(dy, hn::Set(d, static_cast<T>(hard_sigmoid_slope))));
  }
  return dy;
}

template <ActivationKind kind>
struct Kind {
  static constexpr ActivationKind value = kind;
};

/// Calls f(Kind<k>()) for an activation that is known when the program runs.
template <class F>
HWY_INLINE auto with_kind(Activation activation, F f) {
  switch (activation.kind()) {
    case ActivationKind::relu:
      return f(Kind<ActivationKind::relu>());
    case ActivationKind::sigmoid:
      return f(Kind<ActivationKind::sigmoid>());
    case ActivationKind::tanh:
      return f(Kind<ActivationKind::tanh>());
    case ActivationKind::hard_sigmoid:
      return f(Kind<ActivationKind::hard_sigmoid>());
    default:
      return f(Kind<ActivationKind::linear>());
  }
}

/// An activation and its derivative as an object: one that is compiled in, and any.
template <ActivationKind kind>
struct Compiled {
  Compiled() = default;
  explicit Compiled(Kind<kind>) {}
  template <class D, class V>
  HWY_INLINE V operator()(D d, V v) const {
    return activated<kind>(d, v);
  }
  template <class D, class V>
  HWY_INLINE V back(D d, V dy, V y) const {
    return through<kind>(d, dy, y);
  }
};
struct Any {
  Activation activation;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V v) const {
    return with_kind(activation,
                     [&](auto kind) HWY_ATTR { return activated<decltype(kind)::value>(d, v); });
  }
  template <class D, class V>
  HWY_INLINE V back(D d, V dy, V y) const {
    return with_kind(activation,
                     [&](auto kind) HWY_ATTR { return through<decltype(kind)::value>(d, dy, y); });
  }
};

/// Calls f with a cell's two activations: compiled in where they are the usual ones.
template <class F>
HWY_INLINE void with_activations(const RecurrentShape& shape, F f) {
  if (shape.activation == Activation("tanh") &&
      shape.recurrent_activation == Activation("sigmoid")) {
    return f(Compiled<ActivationKind::tanh>(), Compiled<ActivationKind::sigmoid>());
  }
  f(Any{shape.activation}, Any{shape.recurrent_activation});
}

template <ActivationKind kind, class T>
HWY_NOINLINE void activate_numbers(Index n, T* v) {
  const Tag<T> d;
  for (Index i = 0; i < n; i += lanes<T>)
    hn::StoreU(activated<kind>(d, hn::LoadU(d, v + i)), d, v + i);
}

template <ActivationKind kind, class T>
HWY_NOINLINE void activate_rows(Index count, Index columns, Rows<T> rows) {
  const Tag<T> d;
  for (Index row = 0; row < count; ++row) {
    T* v = rows.at(row);
    for (Index i = 0; i < columns; i += lanes<T>)
      hn::StoreU(activated<kind>(d, hn::LoadU(d, v + i)), d, v + i);
  }
}

/// v = activation(v); n is a multiple of the vector.
template <class T>
void activate_tile(Activation activation, Index n, T* v) {
  with_kind(activation, [&](auto kind) { activate_numbers<decltype(kind)::value>(n, v); });
}

template <class T>
HWY_INLINE void zero_row(Index n, T* to) {
  for (Index i = 0; i < n; ++i) to[i] = 0;
}
template <class T>
HWY_INLINE void copy_or_zero_row(Index n, const T* from, T* to) {
  if (from) {
    copy_row(n, from, to);
  } else {
    zero_row(n, to);
  }
}

/// The rows that a step's mask keeps.
struct Kept {
  Index count = 0;
  const Index* which = nullptr;  // null: all

  Index row(Index i) const noexcept { return which ? which[i] : i; }
};
inline Kept kept_rows(const std::uint8_t* mask, Index rows, Index* which) {
  if (!mask) return {rows, nullptr};
  Index count = 0;
  for (Index row = 0; row < rows; ++row) {
    which[count] = row;
    count += mask[row] != 0;
  }
  return {count, count == rows ? nullptr : which};
}

/// `count` rows from the first-th kept one on.
template <class T>
Rows<T> rows_from(T* base, Index ld, const Kept& kept, Index first) {
  return kept.which ? Rows<T>{base, ld, kept.which + first} : Rows<T>{base + first * ld, ld};
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
