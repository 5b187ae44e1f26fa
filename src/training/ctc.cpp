// Connectionist temporal classification by forward and backward sums in logarithms.
//
// Letters: N classes, L labels. Between the labels, before and after them stand blanks: 2
// L + 1 places. a[t][s] is the log probability of all beginnings that stand at place s after step
// t, b[t][s] that of all ends that go on from there. Steps are those that the mask keeps.
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
    if (steps == 0) return;
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
    if (steps == 0) return;
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
    // No step at all reads as no label.
    if (steps == 0) return L == 0 ? T{0} : -std::numeric_limits<T>::infinity();
    const T* last = a + (steps - 1) * places(L);
    return L == 0 ? last[0] : log_add(last[2 * L], last[2 * L - 1]);
  }
};

/// Calls f(t) for the steps of a row that count.
template <class T, class F>
void for_each_step(const CtcBatch<T>& batch, Index row, const F& f) {
  for (Index t = 0; t < batch.steps; ++t) {
    if (batch.mask != nullptr && !batch.mask[row * batch.mask_row + t * batch.mask_step]) continue;
    f(t);
  }
}

template <class T>
Sequence<T> sequence(const CtcBatch<T>& batch, Index row, T* scratch) {
  const T* labels = batch.y_true + row * batch.length;
  for (Index i = 0; i < batch.length; ++i) {
    if (labels[i] >= 0 && labels[i] < static_cast<T>(batch.n)) continue;
    throw Error(ErrorKind::value, "ctc: a label names no class",
                {.got = "label " + std::to_string(static_cast<Index>(labels[i])) + " in row " +
                        std::to_string(row),
                 .want = "0 (the blank) to " + std::to_string(batch.n - 1)});
  }
  // Keras's rule: as many labels, from the first on, as are not padding.
  const Index count = batch.length - std::count(labels, labels + batch.length, T{0});
  Index kept = 0;
  for_each_step(batch, row, [&](Index t) {
    const T* logits = batch.y_pred + row * batch.row_stride + t * batch.step_stride;
    kernels::log_softmax(1, batch.n, logits, scratch + kept++ * batch.n);
  });
  T* a = scratch + batch.steps * batch.n;
  return {kept, batch.n, count, labels, scratch, a, a + batch.steps * places(count)};
}

}  // namespace

Index ctc_scratch_size(Index steps, Index n, Index length) noexcept {
  return steps * (n + 2 * places(length));
}

template <class T>
void ctc_values(const CtcBatch<T>& batch, T* values, T* scratch) {
  for (Index row = 0; row < batch.rows; ++row) {
    const Sequence<T> s = sequence(batch, row, scratch);
    s.forward();
    values[row] = -s.total();
  }
}

template <class T>
void ctc_gradient(const CtcBatch<T>& batch, const T* dvalues, T* dpred, T* scratch) {
  for (Index row = 0; row < batch.rows; ++row) {
    const Sequence<T> q = sequence(batch, row, scratch);
    const Index S = places(q.L);
    q.forward();
    q.backward();
    const T total = q.total(), d = dvalues[row];
    if (total == -std::numeric_limits<T>::infinity()) continue;
    Index kept = 0;
    for_each_step(batch, row, [&](Index t) {
      T* dp = dpred + row * batch.row_stride + t * batch.step_stride;
      for (Index k = 0; k < q.N; ++k) dp[k] += d * std::exp(q.logs[kept * q.N + k]);
      // Less the probability of standing there, given that the labels are read.
      for (Index s = 0; s < S; ++s) {
        dp[q.symbol(s)] -= d * std::exp(q.a[kept * S + s] + q.b[kept * S + s] - total);
      }
      ++kept;
    });
  }
}

#define UNROLL_INSTANTIATE(T)                           \
  template void ctc_values(const CtcBatch<T>&, T*, T*); \
  template void ctc_gradient(const CtcBatch<T>&, const T*, T*, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll
