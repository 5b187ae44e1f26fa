#include "src/kernels/softmax.h"

#include <cmath>
#include <limits>

#include "src/kernels/vector.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "src/kernels/map-inl.h"
#include "src/kernels/math-inl.h"

#ifndef UNROLL_KERNELS_ROW_TABLE
#define UNROLL_KERNELS_ROW_TABLE
namespace unroll::kernels {
namespace {

/// What a target does with a row, given one number of it.
template <class T>
struct RowTable {
  void (*shifted_exp)(Index, T, const T*, T*);
  T (*sum_shifted_exp)(Index, T, const T*);
  void (*divide_by)(Index, T, const T*, T*);
  void (*softmax_slope)(Index, T, const T*, const T*, T*);
  void (*log_softmax_slope)(Index, T, const T*, const T*, T*);
};

}  // namespace
}  // namespace unroll::kernels
#endif  // UNROLL_KERNELS_ROW_TABLE

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels {
namespace HWY_NAMESPACE {
namespace {

template <class T>
struct ShiftedExpOp {
  T shift;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Exp(d, hn::Sub(x, hn::Set(d, shift)));
  }
};

template <class T>
struct AddShiftedExpOp {
  T shift;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V sum, V x) const {
    return hn::Add(sum, ShiftedExpOp<T>{shift}(d, x));
  }
};

template <class T>
struct DivideByOp {
  T by;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Div(x, hn::Set(d, by));
  }
};

/// dx + y (dy - mean), where mean = sum y dy.
template <class T>
struct SoftmaxSlopeOp {
  T mean;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V y, V dy, V dx) const {
    return hn::MulAdd(y, hn::Sub(dy, hn::Set(d, mean)), dx);
  }
};

/// dx + dy - e^y sum, where sum = sum dy.
template <class T>
struct LogSoftmaxSlopeOp {
  T sum;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V y, V dy, V dx) const {
    return hn::Add(dx, hn::NegMulAdd(Exp(d, y), hn::Set(d, sum), dy));
  }
};

template <class T>
void ShiftedExp(Index n, T shift, const T* x, T* out) {
  Map(n, ShiftedExpOp<T>{shift}, out, x);
}
template <class T>
T SumShiftedExp(Index n, T shift, const T* x) {
  return Reduce<T>(n, AddShiftedExpOp<T>{shift}, x);
}
template <class T>
void DivideBy(Index n, T by, const T* x, T* out) {
  Map(n, DivideByOp<T>{by}, out, x);
}
template <class T>
void SoftmaxSlope(Index n, T mean, const T* y, const T* dy, T* dx) {
  Map(n, SoftmaxSlopeOp<T>{mean}, dx, y, dy, static_cast<const T*>(dx));
}
template <class T>
void LogSoftmaxSlope(Index n, T sum, const T* y, const T* dy, T* dx) {
  Map(n, LogSoftmaxSlopeOp<T>{sum}, dx, y, dy, static_cast<const T*>(dx));
}

template <class T>
constexpr RowTable<T> row_table{&ShiftedExp<T>, &SumShiftedExp<T>, &DivideBy<T>, &SoftmaxSlope<T>,
                                &LogSoftmaxSlope<T>};

const RowTable<float>* FloatRows() { return &row_table<float>; }
const RowTable<double>* DoubleRows() { return &row_table<double>; }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace unroll::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {
namespace {

HWY_EXPORT(FloatRows);
HWY_EXPORT(DoubleRows);

template <class T>
const RowTable<T>& row_functions() {
  if constexpr (std::is_same_v<T, float>) {
    return *HWY_DYNAMIC_DISPATCH(FloatRows)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(DoubleRows)();
  }
}

/// NaN where the row has one: everything that follows is NaN then.
template <class T>
T largest(Index n, const T* x) {
  constexpr Index lanes = 16;
  T most = x[0];
  Index i = 0;
  if (n >= lanes) {
    std::array<T, lanes> best;
    std::array<std::int32_t, lanes> odd{};
    std::copy_n(x, lanes, best.begin());
    for (; i + lanes <= n; i += lanes) {
      for (std::size_t j = 0; j < lanes; ++j) {
        const T v = x[i + static_cast<Index>(j)];
        best[j] = v > best[j] ? v : best[j];
        odd[j] |= v != v;
      }
    }
    for (std::size_t j = 0; j < lanes; ++j) {
      if (odd[j] != 0) return std::numeric_limits<T>::quiet_NaN();
      most = best[j] > most ? best[j] : most;
    }
  }
  for (; i < n; ++i) most = x[i] > most || std::isnan(x[i]) ? x[i] : most;
  return most;
}

/// The t of sparsemax: start with all numbers, and drop those that are below the t of the rest
/// until none is (Michelot 1986). Each round only raises t, so it ends after n at most.
template <class T>
T sparsemax_threshold(Index n, const T* x) {
  const T top = largest(n, x);
  T t = -std::numeric_limits<T>::infinity();
  for (Index kept = n + 1;;) {
    T total = 0;
    Index count = 0;
    for (Index i = 0; i < n; ++i) {
      if (x[i] > t) total += x[i] - top, ++count;
    }
    if (count == kept || count == 0) return t;
    kept = count;
    t = top + (total - 1) / static_cast<T>(count);
  }
}

}  // namespace

template <class T>
void softmax(Index rows, Index n, const T* x, T* out) {
  const RowTable<T>& row = row_functions<T>();
  for (Index r = 0; r < rows; ++r, x += n, out += n) {
    if (n == 0) return;
    row.shifted_exp(n, largest(n, x), x, out);
    row.divide_by(n, sum(n, out), out, out);
  }
}

template <class T>
void softmax_backward(Index rows, Index n, const T* y, const T* dy, T* dx) {
  const RowTable<T>& row = row_functions<T>();
  for (Index r = 0; r < rows; ++r, y += n, dy += n, dx += n) {
    row.softmax_slope(n, dot(n, y, dy), y, dy, dx);
  }
}

template <class T>
T log_sum_exp(Index n, const T* x) {
  const T most = largest(n, x);
  return most + std::log(row_functions<T>().sum_shifted_exp(n, most, x));
}

template <class T>
void log_softmax(Index rows, Index n, const T* x, T* out) {
  const RowTable<T>& row = row_functions<T>();
  for (Index r = 0; r < rows; ++r, x += n, out += n) {
    if (n == 0) return;
    // In two steps: x - (m + log sum) would lose the digits of the logarithm beside a large m.
    const T most = largest(n, x);
    const T rest = std::log(row.sum_shifted_exp(n, most, x));
    for (Index i = 0; i < n; ++i) out[i] = (x[i] - most) - rest;
  }
}

template <class T>
void log_softmax_backward(Index rows, Index n, const T* y, const T* dy, T* dx) {
  const RowTable<T>& row = row_functions<T>();
  for (Index r = 0; r < rows; ++r, y += n, dy += n, dx += n) {
    row.log_softmax_slope(n, sum(n, dy), y, dy, dx);
  }
}

template <class T>
void sparsemax(Index rows, Index n, const T* x, T* out) {
  for (Index r = 0; r < rows; ++r, x += n, out += n) {
    if (n == 0) return;
    const T t = sparsemax_threshold(n, x);
    for (Index i = 0; i < n; ++i) out[i] = x[i] <= t ? T{0} : x[i] - t;
  }
}

template <class T>
void sparsemax_backward(Index rows, Index n, const T* y, const T* dy, T* dx) {
  for (Index r = 0; r < rows; ++r, y += n, dy += n, dx += n) {
    T total = 0;
    Index count = 0;
    for (Index i = 0; i < n; ++i) {
      if (y[i] > 0) total += dy[i], ++count;
    }
    if (count == 0) continue;
    const T mean = total / static_cast<T>(count);
    for (Index i = 0; i < n; ++i) {
      if (y[i] > 0) dx[i] += dy[i] - mean;
    }
  }
}

#define UNROLL_INSTANTIATE(T)                                               \
  template void softmax(Index, Index, const T*, T*);                        \
  template void softmax_backward(Index, Index, const T*, const T*, T*);     \
  template void log_softmax(Index, Index, const T*, T*);                    \
  template void log_softmax_backward(Index, Index, const T*, const T*, T*); \
  template void sparsemax(Index, Index, const T*, T*);                      \
  template void sparsemax_backward(Index, Index, const T*, const T*, T*);   \
  template T log_sum_exp(Index, const T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
#endif  // HWY_ONCE
