// Losses of probabilities of one class among n. Each is a function of the log probabilities; how a
// row of predictions gives these (divided by its sum and clipped, or by softmax) is the same for
// all.
#include <algorithm>
#include <cmath>
#include <string>

#include "src/kernels/softmax.h"
#include "src/kernels/vector.h"
#include "src/training/loss_functions.h"
#include "src/training/numbers.h"
#include "unroll/error.h"

namespace unroll::training {
namespace {

/// A row of predictions that are divided by their sum and clipped.
template <class T>
struct Normalized {
  const T* p;
  T total;

  Normalized(Index n, const T* row) : p(row), total(kernels::sum(n, row)) {}
  T probability(Index j) const { return std::clamp(p[j] / total, low, high); }
  T log(Index j) const { return std::log(probability(j)); }
  bool clipped(Index j) const { return p[j] / total < low || p[j] / total > high; }

  static constexpr T low = epsilon<T>, high = 1 - epsilon<T>;
};

/// Adds the gradient of a row given slope(j, probability) = the derivative by the clipped
/// probability j: through the clipping and the division by the sum.
template <class T, class Slope>
void add_normalized(Index n, const Normalized<T>& row, const Slope& slope, T* dp) {
  T along = 0;
  for (Index j = 0; j < n; ++j) {
    if (!row.clipped(j)) along += slope(j, row.probability(j)) * row.p[j] / row.total;
  }
  for (Index j = 0; j < n; ++j) {
    const T d = row.clipped(j) ? T{0} : slope(j, row.probability(j));
    dp[j] += (d - along) / row.total;
  }
}

/// dp += scale softmax(x).
template <class T>
void add_softmax(Index n, const T* x, T log_sum, T scale, T* dp) {
  constexpr Index piece = 256;
  T e[piece];
  for (Index first = 0; first < n; first += piece) {
    const Index count = std::min(piece, n - first);
    kernels::scale_shift(count, T{1}, -log_sum, x + first, e);
    kernels::exp(count, e, e);
    kernels::add_scaled(count, scale, e, dp + first);
  }
}

template <class T>
struct SmoothedRow {
  const T* y;
  T keep, add;
  SmoothedRow(Index n, const T* row, double smoothing)
      : y(row),
        keep(static_cast<T>(1 - smoothing)),
        add(static_cast<T>(smoothing / static_cast<double>(n))) {}
  T operator()(Index j) const { return y[j] * keep + add; }
};

/// The label of a sample, or nothing where it is the ignored one.
template <class T>
std::optional<Index> label_of(const SparseCategoricalCrossentropy& loss, Index n, T y) {
  if (loss.ignore_class && y == static_cast<T>(*loss.ignore_class)) return std::nullopt;
  const bool whole = y >= 0 && y < static_cast<T>(n) && y == std::floor(y);
  if (whole) return static_cast<Index>(y);
  throw Error(ErrorKind::value, "sparse_categorical_crossentropy: a label names no class",
              {.got = "label " + short_number(static_cast<double>(y)),
               .want = "a whole number from 0 to " + std::to_string(n - 1) +
                       ", as the predictions have " + std::to_string(n) + " classes",
               .hint = "labels of padding are left out by a mask, or by .ignore_class"});
}

}  // namespace

template <class T>
void values(const CategoricalCrossentropy& loss, const Samples<T>& s, T* out) {
  for (Index i = 0; i < s.samples; ++i) {
    const T* p = s.p + i * s.n;
    const SmoothedRow<T> y(s.n, s.y + i * s.n, loss.label_smoothing);
    double total = 0;
    if (loss.from_logits) {
      const T log_sum = kernels::log_sum_exp(s.n, p);
      for (Index j = 0; j < s.n; ++j) total -= static_cast<double>(y(j) * (p[j] - log_sum));
    } else {
      const Normalized<T> row(s.n, p);
      for (Index j = 0; j < s.n; ++j) {
        if (y(j) != 0) total -= static_cast<double>(y(j) * row.log(j));
      }
    }
    out[i] = static_cast<T>(total);
  }
}

template <class T>
void gradient(const CategoricalCrossentropy& loss, const Samples<T>& s, const T* dvalues, T* dp) {
  for (Index i = 0; i < s.samples; ++i, dp += s.n) {
    const T* p = s.p + i * s.n;
    const SmoothedRow<T> y(s.n, s.y + i * s.n, loss.label_smoothing);
    if (loss.from_logits) {
      T all = 0;
      for (Index j = 0; j < s.n; ++j) all += y(j);
      add_softmax(s.n, p, kernels::log_sum_exp(s.n, p), dvalues[i] * all, dp);
      for (Index j = 0; j < s.n; ++j) dp[j] -= dvalues[i] * y(j);
    } else {
      add_normalized(
          s.n, Normalized<T>(s.n, p), [&](Index j, T q) { return -dvalues[i] * y(j) / q; }, dp);
    }
  }
}

UNROLL_INSTANTIATE_LOSS(CategoricalCrossentropy);

template <class T>
void values(const CategoricalFocalCrossentropy& loss, const Samples<T>& s, T* out) {
  const T alpha = static_cast<T>(loss.alpha), gamma = static_cast<T>(loss.gamma);
  for (Index i = 0; i < s.samples; ++i) {
    const T* p = s.p + i * s.n;
    const SmoothedRow<T> y(s.n, s.y + i * s.n, loss.label_smoothing);
    const Normalized<T> row(s.n, p);
    const T log_sum = loss.from_logits ? kernels::log_sum_exp(s.n, p) : T{0};
    double total = 0;
    for (Index j = 0; j < s.n; ++j) {
      const T q = loss.from_logits ? std::clamp(std::exp(p[j] - log_sum), row.low, row.high)
                                   : row.probability(j);
      total -= static_cast<double>(alpha * std::pow(1 - q, gamma) * y(j) * std::log(q));
    }
    out[i] = static_cast<T>(total);
  }
}

template <class T>
void gradient(const CategoricalFocalCrossentropy& loss, const Samples<T>& s, const T* dvalues,
              T* dp) {
  const T alpha = static_cast<T>(loss.alpha), gamma = static_cast<T>(loss.gamma);
  for (Index i = 0; i < s.samples; ++i, dp += s.n) {
    const T* p = s.p + i * s.n;
    const SmoothedRow<T> y(s.n, s.y + i * s.n, loss.label_smoothing);
    const auto slope = [&](Index j, T q) {
      const T inner = gamma == 0 ? T{0} : gamma * std::pow(1 - q, gamma - 1) * std::log(q);
      return dvalues[i] * alpha * y(j) * (inner - std::pow(1 - q, gamma) / q);
    };
    if (!loss.from_logits) {
      add_normalized(s.n, Normalized<T>(s.n, p), slope, dp);
      continue;
    }
    const T log_sum = kernels::log_sum_exp(s.n, p);
    const auto by_logit = [&](Index j) {  // q times the slope by q, 0 where q is clipped
      const T q = std::exp(p[j] - log_sum);
      return q < Normalized<T>::low || q > Normalized<T>::high ? T{0} : q * slope(j, q);
    };
    T along = 0;
    for (Index j = 0; j < s.n; ++j) along += by_logit(j);
    for (Index j = 0; j < s.n; ++j) dp[j] += by_logit(j);
    add_softmax(s.n, p, log_sum, -along, dp);
  }
}

UNROLL_INSTANTIATE_LOSS(CategoricalFocalCrossentropy);

/// What a label weighs, and what every class does beside it.
template <class T>
struct SmoothedLabel {
  T keep, add;
  SmoothedLabel(Index n, double smoothing)
      : keep(static_cast<T>(1 - smoothing)),
        add(static_cast<T>(smoothing / static_cast<double>(n))) {}
};

template <class T>
void values(const SparseCategoricalCrossentropy& loss, const Samples<T>& s, T* out) {
  const SmoothedLabel<T> y(s.n, loss.label_smoothing);
  for (Index i = 0; i < s.samples; ++i) {
    const T* p = s.p + i * s.n;
    const std::optional<Index> label = label_of(loss, s.n, s.y[i]);
    if (!label) {
      out[i] = 0;
    } else if (loss.from_logits) {
      out[i] = kernels::log_sum_exp(s.n, p) - y.keep * p[*label];
      if (y.add != 0) out[i] -= y.add * kernels::sum(s.n, p);
    } else {
      const Normalized<T> row(s.n, p);
      out[i] = -y.keep * row.log(*label);
      for (Index j = 0; y.add != 0 && j < s.n; ++j) out[i] -= y.add * row.log(j);
    }
  }
}

template <class T>
void gradient(const SparseCategoricalCrossentropy& loss, const Samples<T>& s, const T* dvalues,
              T* dp) {
  const SmoothedLabel<T> y(s.n, loss.label_smoothing);
  for (Index i = 0; i < s.samples; ++i, dp += s.n) {
    const T* p = s.p + i * s.n;
    const std::optional<Index> label = label_of(loss, s.n, s.y[i]);
    if (!label || dvalues[i] == 0) continue;
    if (loss.from_logits) {
      add_softmax(s.n, p, kernels::log_sum_exp(s.n, p), dvalues[i], dp);
      dp[*label] -= dvalues[i] * y.keep;
      if (y.add != 0) kernels::scale_shift(s.n, T{1}, -dvalues[i] * y.add, dp, dp);
      continue;
    }
    const Normalized<T> row(s.n, p);
    if (y.add != 0) {
      const auto slope = [&](Index j, T q) {
        return -dvalues[i] * (y.add + (j == *label ? y.keep : T{0})) / q;
      };
      add_normalized(s.n, row, slope, dp);
      continue;
    }
    // One probability matters: d / dp_j of -log(p_k / total) is 1 / total, less 1 / p_k at j = k.
    if (row.clipped(*label)) continue;
    for (Index j = 0; j < s.n; ++j) dp[j] += dvalues[i] / row.total;
    dp[*label] -= dvalues[i] / p[*label];
  }
}

UNROLL_INSTANTIATE_LOSS(SparseCategoricalCrossentropy);

}  // namespace unroll::training
