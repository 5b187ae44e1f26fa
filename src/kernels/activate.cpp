// The activations that are functions of one number, and their derivatives.
//
// A function is a struct: value(d, x) and slope(d, at), where `at` is y if derivative_from_output
// says so and x otherwise. Slopes at kinks are those of Keras's automatic differentiation.

#include <array>
#include <cmath>
#include <numbers>

#include "src/kernels/hard_sigmoid.h"
#include "src/kernels/softmax.h"
#include "src/kernels/vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/activate.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "src/kernels/map-inl.h"
#include "src/kernels/math-inl.h"

#ifndef UNROLL_KERNELS_ACTIVATION_NUMBERS
#define UNROLL_KERNELS_ACTIVATION_NUMBERS
namespace unroll::kernels {
// Klambauer et al. 2017, "Self-Normalizing Neural Networks", appendix A.
inline constexpr double selu_alpha = 1.6732632423543772848;
inline constexpr double selu_scale = 1.0507009873554804934;
}  // namespace unroll::kernels
#endif  // UNROLL_KERNELS_ACTIVATION_NUMBERS

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels {
namespace HWY_NAMESPACE {
namespace {

template <class D>
HWY_INLINE hn::VFromD<D> Number(D d, double value) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(value));
}

/// x where low < x < high, else the bound; NaN stays.
template <class D, class V>
HWY_INLINE V Clip(D d, V x, double low, double high) {
  x = hn::IfThenElse(hn::Lt(x, Number(d, low)), Number(d, low), x);
  return hn::IfThenElse(hn::Gt(x, Number(d, high)), Number(d, high), x);
}

/// `slope` where low < at < high, else 0.
template <class D, class V>
HWY_INLINE V Inside(D d, V at, double low, double high, double slope) {
  const auto inside = hn::And(hn::Gt(at, Number(d, low)), hn::Lt(at, Number(d, high)));
  return hn::IfThenElseZero(inside, Number(d, slope));
}

struct LinearFunction {
  template <class D, class V>
  static HWY_INLINE V value(D, V x) {
    return x;
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V) {
    return Number(d, 1);
  }
};

struct ReluFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::IfThenElse(hn::Le(x, hn::Zero(d)), hn::Zero(d), x);  // not Max: NaN must stay
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), Number(d, 1));
  }
};

struct SigmoidFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return Sigmoid(d, x);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::Mul(y, hn::Sub(Number(d, 1), y));
  }
};

struct TanhFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return Tanh(d, x);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::NegMulAdd(y, y, Number(d, 1));
  }
};

/// elu and celu, whose alpha is 1.
struct EluFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, Expm1OfNegative(d, x));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::IfThenElse(hn::Gt(y, hn::Zero(d)), Number(d, 1), hn::Add(y, Number(d, 1)));
  }
};

struct SeluFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    const V negative = hn::Mul(Number(d, selu_alpha), Expm1OfNegative(d, x));
    return hn::Mul(Number(d, selu_scale), hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, negative));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::IfThenElse(hn::Gt(y, hn::Zero(d)), Number(d, selu_scale),
                          hn::Add(y, Number(d, selu_scale * selu_alpha)));
  }
};

struct SiluFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Mul(x, Sigmoid(d, x));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V x) {
    const V s = Sigmoid(d, x), one = Number(d, 1);
    return hn::Mul(s, hn::MulAdd(x, hn::Sub(one, s), one));
  }
};

struct HardSigmoidFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Div(Clip(d, hn::Add(x, Number(d, 3)), 0, 6), Number(d, 6));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return Inside(d, y, 0, 1, hard_sigmoid_slope);
  }
};

struct SoftsignFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Div(x, hn::Add(hn::Abs(x), Number(d, 1)));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    const V rest = hn::Sub(Number(d, 1), hn::Abs(y));
    return hn::Mul(rest, rest);
  }
};

struct ExponentialFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return Exp(d, x);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D, V y) {
    return y;
  }
};

struct LeakyReluFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Mul(x, slope(d, x));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::IfThenElse(hn::Gt(y, hn::Zero(d)), Number(d, 1), Number(d, 0.2));
  }
};

struct Relu6Function {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return Clip(d, x, 0, 6);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return Inside(d, y, 0, 6, 1);
  }
};

/// x tanh(log(1 + e^x)): the tanh is n / (n + 2) with n = e^x (e^x + 2).
struct MishFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    const V n = numerator(d, x);
    return hn::Mul(x, hn::Div(n, hn::Add(n, Number(d, 2))));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V x) {
    const V n = numerator(d, x), m = hn::Add(n, Number(d, 2));
    // 1 - tanh^2, without its cancellation.
    const V rest = hn::Div(hn::MulAdd(Number(d, 4), n, Number(d, 4)), hn::Mul(m, m));
    return hn::MulAdd(hn::Mul(x, rest), Sigmoid(d, x), hn::Div(n, m));
  }

 private:
  template <class D, class V>
  static HWY_INLINE V numerator(D d, V x) {
    const V bound = Number(d, 20);  // the quotient is 1 beyond, and the squares stay finite
    const V e = Exp(d, hn::IfThenElse(hn::Gt(x, bound), bound, x));
    return hn::Mul(e, hn::Add(e, Number(d, 2)));
  }
};

struct HardSiluFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Mul(x, HardSigmoidFunction::value(d, x));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V x) {
    const V between = hn::MulAdd(x, Number(d, 1.0 / 3), Number(d, 0.5));
    const V right = hn::IfThenElse(hn::Lt(x, Number(d, 3)), between, Number(d, 1));
    return hn::IfThenZeroElse(hn::Lt(x, Number(d, -3)), right);
  }
};

struct HardTanhFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return Clip(d, x, -1, 1);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return Inside(d, y, -1, 1, 1);
  }
};

struct SoftShrinkFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Sub(x, Clip(d, x, -0.5, 0.5));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::IfThenZeroElse(hn::Eq(y, hn::Zero(d)), Number(d, 1));
  }
};

struct HardShrinkFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::IfThenZeroElse(hn::Le(hn::Abs(x), Number(d, 0.5)), x);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return SoftShrinkFunction::slope(d, y);
  }
};

struct TanhShrinkFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Sub(x, Tanh(d, x));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V x) {
    const V t = Tanh(d, x);
    return hn::Mul(t, t);
  }
};

/// (x + sqrt(x^2 + 4)) / 2, for negative x as 2 / (sqrt(x^2 + 4) - x).
struct SquareplusFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    const V larger = hn::Add(hn::Abs(x), root(d, x));
    const V half = hn::Mul(larger, Number(d, 0.5));
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Div(Number(d, 2), larger), half);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V x) {
    return hn::Div(value(d, x), root(d, x));
  }

 private:
  template <class D, class V>
  static HWY_INLINE V root(D d, V x) {
    return hn::Sqrt(hn::MulAdd(x, x, Number(d, 4)));
  }
};

struct SparsePlusFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    const V next = hn::Add(x, Number(d, 1));
    const V square = hn::Mul(hn::Mul(next, next), Number(d, 0.25));
    const V left = hn::IfThenZeroElse(hn::Le(x, Number(d, -1)), square);
    return hn::IfThenElse(hn::Lt(x, Number(d, 1)), left, x);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V x) {
    return Clip(d, hn::MulAdd(x, Number(d, 0.5), Number(d, 0.5)), 0, 1);
  }
};

struct SparseSigmoidFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return SparsePlusFunction::slope(d, x);
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return Inside(d, y, 0, 1, 0.5);
  }
};

/// max(x, 0) + log(1 + e^-|x|). The logarithm is libm's: these two are rare.
struct SoftplusFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    using T = hn::TFromD<D>;
    HWY_ALIGN T numbers[hn::MaxLanes(D())];
    hn::Store(Exp(d, hn::Neg(hn::Abs(x))), d, numbers);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) numbers[i] = std::log1p(numbers[i]);
    return hn::Add(ReluFunction::value(d, x), hn::Load(d, numbers));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::Neg(Expm1OfNegative(d, hn::Neg(y)));
  }
};

struct LogSigmoidFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Neg(SoftplusFunction::value(d, hn::Neg(x)));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V y) {
    return hn::Neg(Expm1OfNegative(d, y));
  }
};

/// x P(X <= x) for a standard normal X: Keras's default, not its tanh approximation.
struct GeluFunction {
  template <class D, class V>
  static HWY_INLINE V value(D d, V x) {
    return hn::Mul(x, probability(d, x));
  }
  template <class D, class V>
  static HWY_INLINE V slope(D d, V x) {
    const V density = hn::Mul(Exp(d, hn::Mul(hn::Mul(x, x), Number(d, -0.5))),
                              Number(d, std::numbers::inv_sqrtpi / std::numbers::sqrt2));
    return hn::MulAdd(x, density, probability(d, x));
  }

 private:
  template <class D, class V>
  static HWY_INLINE V probability(D d, V x) {
    using T = hn::TFromD<D>;
    HWY_ALIGN T numbers[hn::MaxLanes(D())];
    hn::Store(hn::Mul(x, Number(d, -1 / std::numbers::sqrt2)), d, numbers);
    for (std::size_t i = 0; i < hn::Lanes(d); ++i) numbers[i] = std::erfc(numbers[i]) / 2;
    return hn::Load(d, numbers);
  }
};

template <class Function>
struct ValueOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Function::value(d, x);
  }
};

template <class Function>
struct AddSlopeOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V at, V dy, V dx) const {
    return hn::MulAdd(dy, Function::slope(d, at), dx);
  }
};

template <class T, class Function>
void Forward(Index n, const T* x, T* out) {
  Map(n, ValueOp<Function>{}, out, x);
}
template <class T, class Function>
void Backward(Index n, const T* at, const T* dy, T* dx) {
  Map(n, AddSlopeOp<Function>{}, dx, at, dy, static_cast<const T*>(dx));
}

/// One entry a kind, in the order of ActivationKind.
template <class T, class... F>
struct Tables {
  static constexpr std::array<void (*)(Index, const T*, T*), sizeof...(F)> forward{
      &Forward<T, F>...};
  static constexpr std::array<void (*)(Index, const T*, const T*, T*), sizeof...(F)> backward{
      &Backward<T, F>...};
};

template <class T>
using AllTables =
    Tables<T, LinearFunction, ReluFunction, SigmoidFunction, TanhFunction, EluFunction,
           SeluFunction, GeluFunction, SiluFunction, SoftplusFunction, HardSigmoidFunction,
           SoftsignFunction, ExponentialFunction, LeakyReluFunction, Relu6Function, MishFunction,
           HardSiluFunction, HardTanhFunction, EluFunction, LogSigmoidFunction, SoftShrinkFunction,
           HardShrinkFunction, TanhShrinkFunction, SquareplusFunction, SparsePlusFunction,
           SparseSigmoidFunction>;
static_assert(AllTables<float>::forward.size() ==
              static_cast<std::size_t>(ActivationKind::softmax));

void ForwardFloat(std::size_t kind, Index n, const float* x, float* out) {
  AllTables<float>::forward[kind](n, x, out);
}
void ForwardDouble(std::size_t kind, Index n, const double* x, double* out) {
  AllTables<double>::forward[kind](n, x, out);
}
void BackwardFloat(std::size_t kind, Index n, const float* at, const float* dy, float* dx) {
  AllTables<float>::backward[kind](n, at, dy, dx);
}
void BackwardDouble(std::size_t kind, Index n, const double* at, const double* dy, double* dx) {
  AllTables<double>::backward[kind](n, at, dy, dx);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace unroll::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {
namespace {

HWY_EXPORT(ForwardFloat);
HWY_EXPORT(ForwardDouble);
HWY_EXPORT(BackwardFloat);
HWY_EXPORT(BackwardDouble);

}  // namespace

template <class T>
void activate(Activation activation, Index rows, Index n, const T* x, T* out) {
  switch (activation.kind()) {
    case ActivationKind::softmax:
      return softmax(rows, n, x, out);
    case ActivationKind::log_softmax:
      return log_softmax(rows, n, x, out);
    case ActivationKind::sparsemax:
      return sparsemax(rows, n, x, out);
    default:
      break;
  }
  const auto kind = static_cast<std::size_t>(activation.kind());
  if constexpr (std::is_same_v<T, float>) {
    HWY_DYNAMIC_DISPATCH(ForwardFloat)(kind, rows * n, x, out);
  } else {
    HWY_DYNAMIC_DISPATCH(ForwardDouble)(kind, rows * n, x, out);
  }
}

template <class T>
void activate_backward(Activation activation, Index rows, Index n, const T* x, const T* y,
                       const T* dy, T* dx) {
  switch (activation.kind()) {
    case ActivationKind::softmax:
      return softmax_backward(rows, n, y, dy, dx);
    case ActivationKind::log_softmax:
      return log_softmax_backward(rows, n, y, dy, dx);
    case ActivationKind::sparsemax:
      return sparsemax_backward(rows, n, y, dy, dx);
    default:
      break;
  }
  const auto kind = static_cast<std::size_t>(activation.kind());
  const T* at = derivative_from_output(activation) ? y : x;
  if constexpr (std::is_same_v<T, float>) {
    HWY_DYNAMIC_DISPATCH(BackwardFloat)(kind, rows * n, at, dy, dx);
  } else {
    HWY_DYNAMIC_DISPATCH(BackwardDouble)(kind, rows * n, at, dy, dx);
  }
}

template void activate(Activation, Index, Index, const float*, float*);
template void activate(Activation, Index, Index, const double*, double*);
template void activate_backward(Activation, Index, Index, const float*, const float*, const float*,
                                float*);
template void activate_backward(Activation, Index, Index, const double*, const double*,
                                const double*, double*);

}  // namespace unroll::kernels
#endif  // HWY_ONCE
