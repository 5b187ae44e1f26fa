// Exp, Tanh and Sigmoid of a vector, for every Highway target.
//
//   const hn::ScalableTag<float> d;
//   auto y = Tanh(d, hn::LoadU(d, x));
//
// All three stand on one reduction: v = k ln 2 + r with |r| <= ln 2 / 2, and exp(r) - 1 by a
// polynomial. ln 2 is split so that k * (its first part) is exact without fused arithmetic too.
// Infinities, NaN, overflow and denormal results are those of libm; tests/kernels/math_test.cpp
// states and checks the accuracy: 3 ulp in float, 2e-15 relative in double.

// An include guard for each target: this text is compiled once for every one.
#if defined(UNROLL_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_MATH_INL_H_
#undef UNROLL_KERNELS_MATH_INL_H_
#else
#define UNROLL_KERNELS_MATH_INL_H_
#endif

#include <hwy/highway.h>

#include <array>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The numbers that the functions below are made of, for float and for double.
template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr int mantissa_bits = 23;
  // Adding it rounds to an integer; the integer plus the bias of the exponent is in the low bits
  // then.
  static constexpr float magic = 0x1.8p23f + 127.0f;
  static constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
  static constexpr float exp_low = -105.0f, exp_high = 89.0f;  // exp is 0, or infinite, beyond
  static constexpr float tanh_high = 20.0f;                    // of 2 |v|; tanh is 1 beyond
  // (exp(r) - 1 - r) / r^2, lowest power first: interpolated at Chebyshev nodes.
  static constexpr std::array<float, 5> exp_terms{0x1p-1f, 0x1.5554dcp-3f, 0x1.555518p-5f,
                                                  0x1.120c4ap-7f, 0x1.6d11e4p-10f};
};

template <>
struct MathConstants<double> {
  static constexpr int mantissa_bits = 52;
  static constexpr double magic = 0x1.8p52 + 1023.0;
  static constexpr double ln2_high = 0x1.62e42fefa0000p-1, ln2_low = 0x1.cf79abc9e3b3ap-40;
  static constexpr double exp_low = -747.0, exp_high = 710.0;
  static constexpr double tanh_high = 44.0;
  static constexpr std::array<double, 10> exp_terms{
      0x1.0000000000001p-1,  0x1.5555555555556p-3,  0x1.5555555553d0fp-5,  0x1.1111111110999p-7,
      0x1.6c16c178acac2p-10, 0x1.a01a01a7d84f0p-13, 0x1.a019b88de00b4p-16, 0x1.71de0d6013f59p-19,
      0x1.28921c7d9842dp-22, 0x1.af39639ed0cfcp-26};
};

/// 2^k, where `shifted` is k + magic and 2^k is a normal number.
template <class D, class V = hn::VFromD<D>>
HWY_INLINE V PowerOfTwo(D d, V shifted) {
  const hn::RebindToUnsigned<D> du;
  using Constants = MathConstants<hn::TFromD<D>>;
  return hn::BitCast(d, hn::ShiftLeft<Constants::mantissa_bits>(hn::BitCast(du, shifted)));
}

/// v = k ln 2 + r. Returns exp(r) - 1; `shifted` becomes k + magic.
template <class D, class V = hn::VFromD<D>>
HWY_INLINE V ReducedExpm1(D d, V v, V& shifted) {
  using T = hn::TFromD<D>;
  using Constants = MathConstants<T>;
  constexpr auto& terms = Constants::exp_terms;
  const V magic = hn::Set(d, Constants::magic);
  shifted = hn::MulAdd(v, hn::Set(d, static_cast<T>(1.44269504088896340736)), magic);
  const V k = hn::Sub(shifted, magic);
  V r = hn::NegMulAdd(k, hn::Set(d, Constants::ln2_high), v);
  r = hn::NegMulAdd(k, hn::Set(d, Constants::ln2_low), r);
  V q = hn::Set(d, terms.back());
  for (std::size_t i = terms.size() - 1; i-- > 0;) q = hn::MulAdd(q, r, hn::Set(d, terms[i]));
  return hn::MulAdd(hn::Mul(r, r), q, r);
}

/// e^v.
template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Exp(D d, V v) {
  using T = hn::TFromD<D>;
  using Constants = MathConstants<T>;
  // Comparisons rather than Min and Max: what those do with NaN differs between targets.
  const V low = hn::Set(d, Constants::exp_low), high = hn::Set(d, Constants::exp_high);
  v = hn::IfThenElse(hn::Lt(v, low), low, v);
  v = hn::IfThenElse(hn::Gt(v, high), high, v);
  V shifted;
  const V y = hn::Add(ReducedExpm1(d, v, shifted), hn::Set(d, T{1}));
  // 2^k in two factors: k may be one too large for the exponent, or reach into the denormals.
  const V magic = hn::Set(d, Constants::magic);
  const V k = hn::Sub(shifted, magic);
  const V half = hn::Add(hn::Mul(k, hn::Set(d, T{0.5})), magic);
  const V rest = hn::Add(hn::Sub(k, hn::Sub(half, magic)), magic);
  return hn::Mul(hn::Mul(y, PowerOfTwo(d, half)), PowerOfTwo(d, rest));
}

/// e^v - 1 for v <= 0, exact to a few ulp near zero too.
template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Expm1OfNegative(D d, V v) {
  using T = hn::TFromD<D>;
  const V low = hn::Set(d, -MathConstants<T>::tanh_high);  // -1 below
  v = hn::IfThenElse(hn::Lt(v, low), low, v);
  V shifted;
  const V p = ReducedExpm1(d, v, shifted);
  const V scale = PowerOfTwo(d, shifted);
  return hn::MulAdd(scale, p, hn::Sub(scale, hn::Set(d, T{1})));
}

/// tanh v = t / (t + 2) with t = exp(2 |v|) - 1, which has no cancellation anywhere.
template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Tanh(D d, V v) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T{1});
  const V high = hn::Set(d, MathConstants<T>::tanh_high);
  const V magnitude = hn::Abs(v);
  V twice = hn::Add(magnitude, magnitude);
  twice = hn::IfThenElse(hn::Gt(twice, high), high, twice);
  V shifted;
  const V p = ReducedExpm1(d, twice, shifted);
  const V scale = PowerOfTwo(d, shifted);
  const V t = hn::MulAdd(scale, p, hn::Sub(scale, one));
  return hn::CopySignToAbs(hn::Div(t, hn::Add(t, hn::Set(d, T{2}))), v);
}

/// 1 / (1 + exp(-v)), by exp(-|v|) on both sides: exact to a few ulp in the negative tail too.
template <class D, class V = hn::VFromD<D>>
HWY_INLINE V Sigmoid(D d, V v) {
  const V one = hn::Set(d, hn::TFromD<D>{1});
  const V e = Exp(d, hn::Neg(hn::Abs(v)));
  const V top = hn::IfThenElse(hn::Lt(v, hn::Zero(d)), e, one);
  return hn::Div(top, hn::Add(one, e));
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll::kernels
HWY_AFTER_NAMESPACE();

#endif  // UNROLL_KERNELS_MATH_INL_H_
