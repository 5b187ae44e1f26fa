// Losses of probabilities that something is so.
#include <algorithm>
#include <cmath>

#include "src/training/terms.h"

namespace unroll::training {
namespace {

template <class T>
T logistic(T x) {
  const T e = std::exp(-std::abs(x));
  return (x < 0 ? e : T{1}) / (1 + e);
}

/// -y log p - (1 - y) log(1 - p) of a clipped probability. The bounds are those of the precision:
/// in float32 1 - 1e-7 is 1 - 2^-23, and Keras's numbers show it.
template <class T>
struct Bernoulli {
  static constexpr T low = epsilon<T>, high = 1 - epsilon<T>;
  static T value(T y, T p) {
    p = std::clamp(p, low, high);
    return -(y * std::log(p) + (1 - y) * std::log(1 - p));
  }
  static T slope(T y, T p) { return p < low || p > high ? T{0} : (p - y) / (p * (1 - p)); }
};

template <class T>
struct SmoothedLabel {
  T keep, add;
  explicit SmoothedLabel(double smoothing)
      : keep(static_cast<T>(1 - smoothing)), add(static_cast<T>(smoothing / 2)) {}
  T operator()(T y) const { return y * keep + add; }
};

template <class T>
struct ProbabilityTerms {
  SmoothedLabel<T> label;
  explicit ProbabilityTerms(const BinaryCrossentropy& loss) : label(loss.label_smoothing) {}
  T value(T y, T p) const { return Bernoulli<T>::value(label(y), p); }
  T slope(T y, T p) const { return Bernoulli<T>::slope(label(y), p); }
};

template <class T>
struct LogitTerms {
  SmoothedLabel<T> label;
  explicit LogitTerms(const BinaryCrossentropy& loss) : label(loss.label_smoothing) {}
  T value(T y, T x) const {
    return std::max(x, T{0}) - x * label(y) + std::log1p(std::exp(-std::abs(x)));
  }
  T slope(T y, T x) const { return logistic(x) - label(y); }
};

/// w (1 - q)^gamma b, with q the probability of the truth and b the cross-entropy.
template <class T>
struct FocalTerms {
  SmoothedLabel<T> label;
  T alpha, gamma;
  bool balanced, logits;

  explicit FocalTerms(const BinaryFocalCrossentropy& loss)
      : label(loss.label_smoothing),
        alpha(static_cast<T>(loss.alpha)),
        gamma(static_cast<T>(loss.gamma)),
        balanced(loss.apply_class_balancing),
        logits(loss.from_logits) {}

  T value(T y, T x) const {
    y = label(y);
    const T p = logits ? logistic(x) : x;
    return weight(y) * std::pow(miss(y, p), gamma) * Bernoulli<T>::value(y, p);
  }
  T slope(T y, T x) const {
    y = label(y);
    const T p = logits ? logistic(x) : x, m = miss(y, p);
    const T dm = 1 - 2 * y;  // of miss by p
    const T d =
        std::pow(m, gamma) * Bernoulli<T>::slope(y, p) +
        (gamma == 0 ? T{0} : gamma * std::pow(m, gamma - 1)) * dm * Bernoulli<T>::value(y, p);
    return weight(y) * d * (logits ? p * (1 - p) : T{1});
  }

 private:
  static T miss(T y, T p) { return 1 - (y * p + (1 - y) * (1 - p)); }
  T weight(T y) const { return balanced ? y * alpha + (1 - y) * (1 - alpha) : T{1}; }
};

}  // namespace

template <class T>
void values(const BinaryCrossentropy& loss, const Samples<T>& s, T* out) {
  if (loss.from_logits) {
    add_terms(Of::mean, s, LogitTerms<T>(loss), out);
  } else {
    add_terms(Of::mean, s, ProbabilityTerms<T>(loss), out);
  }
}
template <class T>
void gradient(const BinaryCrossentropy& loss, const Samples<T>& s, const T* dvalues, T* dp) {
  if (loss.from_logits) {
    add_slopes(Of::mean, s, LogitTerms<T>(loss), dvalues, dp);
  } else {
    add_slopes(Of::mean, s, ProbabilityTerms<T>(loss), dvalues, dp);
  }
}
UNROLL_INSTANTIATE_LOSS(BinaryCrossentropy);

UNROLL_LOSS_OF_TERMS(Of::mean, BinaryFocalCrossentropy, FocalTerms);

}  // namespace unroll::training
