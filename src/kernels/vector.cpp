// Arithmetic, sums and functions of rows of numbers: one table of functions for each target.

#include "src/kernels/vector.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/vector.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "src/kernels/map-inl.h"
#include "src/kernels/math-inl.h"

#ifndef UNROLL_KERNELS_VECTOR_TABLE
#define UNROLL_KERNELS_VECTOR_TABLE
namespace unroll::kernels {
namespace {

template <class T>
struct VectorTable {
  using Unary = void (*)(Index, const T*, T*);
  using Binary = void (*)(Index, const T*, const T*, T*);
  Binary add, subtract, multiply, divide, add_product;
  void (*add_scaled)(Index, T, const T*, T*);
  void (*scale_shift)(Index, T, T, const T*, T*);
  Unary exp, tanh, sigmoid, sqrt;
  T (*sum)(Index, const T*);
  T (*dot)(Index, const T*, const T*);
};

}  // namespace
}  // namespace unroll::kernels
#endif  // UNROLL_KERNELS_VECTOR_TABLE

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels {
namespace HWY_NAMESPACE {
namespace {

// What is done with vectors; structs, as a lambda would not be compiled for the target.
#define UNROLL_UNARY(Name, expression)        \
  struct Name {                               \
    template <class D, class V>               \
    HWY_INLINE V operator()(D d, V x) const { \
      static_cast<void>(d);                   \
      return expression;                      \
    }                                         \
  }
#define UNROLL_BINARY(Name, expression)          \
  struct Name {                                  \
    template <class D, class V>                  \
    HWY_INLINE V operator()(D, V x, V y) const { \
      return expression;                         \
    }                                            \
  }
#define UNROLL_TERNARY(Name, expression)              \
  struct Name {                                       \
    template <class D, class V>                       \
    HWY_INLINE V operator()(D, V x, V y, V z) const { \
      return expression;                              \
    }                                                 \
  }
UNROLL_UNARY(ExpOp, Exp(d, x));
UNROLL_UNARY(TanhOp, Tanh(d, x));
UNROLL_UNARY(SigmoidOp, Sigmoid(d, x));
UNROLL_UNARY(SqrtOp, hn::Sqrt(x));
UNROLL_BINARY(AddOp, hn::Add(x, y));
UNROLL_BINARY(SubtractOp, hn::Sub(x, y));
UNROLL_BINARY(MultiplyOp, hn::Mul(x, y));
UNROLL_BINARY(DivideOp, hn::Div(x, y));
UNROLL_TERNARY(AddProductOp, hn::MulAdd(x, y, z));
UNROLL_TERNARY(AddProductToSum, hn::MulAdd(y, z, x));
#undef UNROLL_UNARY
#undef UNROLL_BINARY
#undef UNROLL_TERNARY

template <class T>
struct AddScaledOp {
  T a;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x, V out) const {
    return hn::MulAdd(hn::Set(d, a), x, out);
  }
};

template <class T>
struct ScaleShiftOp {
  T a, b;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::MulAdd(hn::Set(d, a), x, hn::Set(d, b));
  }
};

template <class T, class Op>
void MapOne(Index n, const T* x, T* out) {
  Map(n, Op{}, out, x);
}
template <class T, class Op>
void MapTwo(Index n, const T* x, const T* y, T* out) {
  Map(n, Op{}, out, x, y);
}
template <class T>
void AddProduct(Index n, const T* x, const T* y, T* out) {
  Map(n, AddProductOp{}, out, x, y, static_cast<const T*>(out));
}
template <class T>
void AddScaled(Index n, T a, const T* x, T* out) {
  Map(n, AddScaledOp<T>{a}, out, x, static_cast<const T*>(out));
}
template <class T>
void ScaleShift(Index n, T a, T b, const T* x, T* out) {
  Map(n, ScaleShiftOp<T>{a, b}, out, x);
}
template <class T>
T Sum(Index n, const T* x) {
  return Reduce<T>(n, AddOp{}, x);
}
template <class T>
T Dot(Index n, const T* x, const T* y) {
  return Reduce<T>(n, AddProductToSum{}, x, y);
}

template <class T>
constexpr VectorTable<T> table{&MapTwo<T, AddOp>,
                               &MapTwo<T, SubtractOp>,
                               &MapTwo<T, MultiplyOp>,
                               &MapTwo<T, DivideOp>,
                               &AddProduct<T>,
                               &AddScaled<T>,
                               &ScaleShift<T>,
                               &MapOne<T, ExpOp>,
                               &MapOne<T, TanhOp>,
                               &MapOne<T, SigmoidOp>,
                               &MapOne<T, SqrtOp>,
                               &Sum<T>,
                               &Dot<T>};

const VectorTable<float>* FloatVectors() { return &table<float>; }
const VectorTable<double>* DoubleVectors() { return &table<double>; }
std::int64_t ThisTarget() { return HWY_TARGET; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace unroll::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {
namespace {

HWY_EXPORT(FloatVectors);
HWY_EXPORT(DoubleVectors);
HWY_EXPORT(ThisTarget);

template <class T>
const VectorTable<T>& vectors() {
  if constexpr (std::is_same_v<T, float>) {
    return *HWY_DYNAMIC_DISPATCH(FloatVectors)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(DoubleVectors)();
  }
}

}  // namespace

std::string simd_target() { return hwy::TargetName(HWY_DYNAMIC_DISPATCH(ThisTarget)()); }

std::string simd_targets_built() {
  std::string names;
  // Better targets have lower bits.
  for (std::int64_t left = HWY_TARGETS; left != 0; left &= left - 1) {
    if (!names.empty()) names += ", ";
    names += hwy::TargetName(left & -left);
  }
  return names;
}

template <class T>
void add(Index n, const T* x, const T* y, T* out) {
  vectors<T>().add(n, x, y, out);
}
template <class T>
void subtract(Index n, const T* x, const T* y, T* out) {
  vectors<T>().subtract(n, x, y, out);
}
template <class T>
void multiply(Index n, const T* x, const T* y, T* out) {
  vectors<T>().multiply(n, x, y, out);
}
template <class T>
void divide(Index n, const T* x, const T* y, T* out) {
  vectors<T>().divide(n, x, y, out);
}
template <class T>
void add_scaled(Index n, T a, const T* x, T* out) {
  vectors<T>().add_scaled(n, a, x, out);
}
template <class T>
void add_product(Index n, const T* x, const T* y, T* out) {
  vectors<T>().add_product(n, x, y, out);
}
template <class T>
void scale_shift(Index n, T a, T b, const T* x, T* out) {
  vectors<T>().scale_shift(n, a, b, x, out);
}
template <class T>
T sum(Index n, const T* x) {
  return vectors<T>().sum(n, x);
}
template <class T>
T dot(Index n, const T* x, const T* y) {
  return vectors<T>().dot(n, x, y);
}
template <class T>
void exp(Index n, const T* x, T* out) {
  vectors<T>().exp(n, x, out);
}
template <class T>
void tanh(Index n, const T* x, T* out) {
  vectors<T>().tanh(n, x, out);
}
template <class T>
void sigmoid(Index n, const T* x, T* out) {
  vectors<T>().sigmoid(n, x, out);
}
template <class T>
void log(Index n, const T* x, T* out) {
  for (Index i = 0; i < n; ++i) out[i] = std::log(x[i]);
}
template <class T>
void sqrt(Index n, const T* x, T* out) {
  vectors<T>().sqrt(n, x, out);
}

#define UNROLL_INSTANTIATE(T)                               \
  template void add(Index, const T*, const T*, T*);         \
  template void subtract(Index, const T*, const T*, T*);    \
  template void multiply(Index, const T*, const T*, T*);    \
  template void divide(Index, const T*, const T*, T*);      \
  template void add_scaled(Index, T, const T*, T*);         \
  template void add_product(Index, const T*, const T*, T*); \
  template void scale_shift(Index, T, T, const T*, T*);     \
  template T sum(Index, const T*);                          \
  template T dot(Index, const T*, const T*);                \
  template void exp(Index, const T*, T*);                   \
  template void tanh(Index, const T*, T*);                  \
  template void sigmoid(Index, const T*, T*);               \
  template void log(Index, const T*, T*);                   \
  template void sqrt(Index, const T*, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
#endif  // HWY_ONCE
