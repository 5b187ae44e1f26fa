// Connectionist temporal classification by forward and backward sums in logarithms.
//
// Letters: N classes, L labels. Between the labels, before and after them stand blanks: 2
// L + 1 places. a[t][s] is the log probability of all beginnings that stand at place s after step
// t, b[t][s] that of all ends that go on from there.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "src/kernels/softmax.h"
#include "unroll/error.h"
#include "unroll/losses.h"

namespace unroll {
namespace {

constexpr Index places(Index L) noexcept { return 2 * L + 1; }

template <class T>
T log_add(T x, T y) {
  if (x < y) std::swap(x, y);
  return x == -std::numeric_limits<T>::infinity() ? x : x + std::log1p(std::exp(y - x));
}

/// One sequence and its labels.
template <class T>
struct Sequence {
  Index steps, N, L;
  const T* labels;
  T* logs;   // (T, N) log probabilities
  T *a, *b;  // (T, 2 L + 1)

  Index symbol(Index s) const { return s % 2 == 0 ? 0 : static_cast<Index>(labels[s / 2]); }
  T log(Index t, Index s) const { return logs[t * N + symbol(s)]; }
  /// Whether a path may jump over the blank before place s.
  bool jumps(Index s) const { return s >= 2 && s % 2 == 1 && symbol(s) != symbol(s - 2); }

  void forward() const {
    constexpr T never = -std::numeric_limits<T>::infinity();
    const Index S = places(L);
    for (Index s = 0; s < S; ++s) a[s] = s < 2 ? log(0, s) : never;
    for (Index t = 1; t < steps; ++t) {
      const T* before = a + (t - 1) * S;
      for (Index s = 0; s < S; ++s) {
        T sum = before[s];
        if (s >= 1) sum = log_add(sum, before[s - 1]);
        if (jumps(s)) sum = log_add(sum, before[s - 2]);
        a[t * S + s] = sum + log(t, s);
      }
    }
  }

  void backward() const {
    constexpr T never = -std::numeric_limits<T>::infinity();
    const Index S = places(L);
    for (Index s = 0; s < S; ++s) b[(steps - 1) * S + s] = s + 2 >= S ? T{0} : never;
    for (Index t = steps - 1; t > 0; --t) {
      const T* after = b + t * S;
      for (Index s = 0; s < S; ++s) {
        T sum = after[s] + log(t, s);
        if (s + 1 < S) sum = log_add(sum, after[s + 1] + log(t, s + 1));
        if (s + 2 < S && jumps(s + 2)) sum = log_add(sum, after[s + 2] + log(t, s + 2));
        b[(t - 1) * S + s] = sum;
      }
    }
  }

  T total() const {
    const T* last = a + (steps - 1) * places(L);
    return L == 0 ? last[0] : log_add(last[2 * L], last[2 * L - 1]);
  }
};

template <class T>
Sequence<T> sequence(Index row, Index time, Index n, Index length, const T* y_true, const T* y_pred,
                     T* scratch) {
  const T* labels = y_true + row * length;
  for (Index i = 0; i < length; ++i) {
    if (labels[i] >= 0 && labels[i] < static_cast<T>(n)) continue;
    throw Error(ErrorKind::value, "ctc: a label names no class",
                {.got = "label " + std::to_string(static_cast<Index>(labels[i])) + " in row " +
                        std::to_string(row),
                 .want = "0 (the blank) to " + std::to_string(n - 1)});
  }
  // Keras's rule: as many labels, from the first on, as are not padding.
  const Index count = length - std::count(labels, labels + length, T{0});
  kernels::log_softmax(time, n, y_pred + row * time * n, scratch);
  T* a = scratch + time * n;
  return {time, n, count, labels, scratch, a, a + time * places(count)};
}

}  // namespace

Index ctc_scratch_size(Index time, Index n, Index length) noexcept {
  return time * (n + 2 * places(length));
}

template <class T>
void ctc_values(Index batch, Index time, Index n, Index length, const T* y_true, const T* y_pred,
                T* values, T* scratch) {
  for (Index row = 0; row < batch; ++row) {
    const Sequence<T> s = sequence(row, time, n, length, y_true, y_pred, scratch);
    s.forward();
    values[row] = -s.total();
  }
}

template <class T>
void ctc_gradient(Index batch, Index time, Index n, Index length, const T* y_true, const T* y_pred,
                  const T* dvalues, T* dpred, T* scratch) {
  for (Index row = 0; row < batch; ++row) {
    const Sequence<T> q = sequence(row, time, n, length, y_true, y_pred, scratch);
    const Index S = places(q.L);
    q.forward();
    q.backward();
    const T total = q.total(), d = dvalues[row];
    for (Index t = 0; t < time; ++t) {
      T* dp = dpred + (row * time + t) * n;
      for (Index k = 0; k < n; ++k) dp[k] += d * std::exp(q.logs[t * n + k]);
      // Less the probability of standing there, given that the labels are read.
      for (Index s = 0; s < S; ++s) {
        dp[q.symbol(s)] -= d * std::exp(q.a[t * S + s] + q.b[t * S + s] - total);
      }
    }
  }
}

#define UNROLL_INSTANTIATE(T)                                                       \
  template void ctc_values(Index, Index, Index, Index, const T*, const T*, T*, T*); \
  template void ctc_gradient(Index, Index, Index, Index, const T*, const T*, const T*, T*, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll
