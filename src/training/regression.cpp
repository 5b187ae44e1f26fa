// Losses of numbers that should be equal.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "src/training/terms.h"

namespace unroll::training {
namespace {

template <class T>
struct SquaredTerms {
  explicit SquaredTerms(const MeanSquaredError&) {}
  T value(T y, T p) const { return (p - y) * (p - y); }
  T slope(T y, T p) const { return 2 * (p - y); }
};

template <class T>
struct AbsoluteTerms {
  explicit AbsoluteTerms(const MeanAbsoluteError&) {}
  T value(T y, T p) const { return std::abs(p - y); }
  T slope(T y, T p) const { return sign(p - y); }
};

template <class T>
struct PercentageTerms {
  explicit PercentageTerms(const MeanAbsolutePercentageError&) {}
  T value(T y, T p) const { return 100 * std::abs((y - p) / below(y)); }
  T slope(T y, T p) const { return 100 * sign(p - y) / below(y); }
  static T below(T y) { return std::max(std::abs(y), epsilon<T>); }
};

template <class T>
struct LogarithmicTerms {
  explicit LogarithmicTerms(const MeanSquaredLogarithmicError&) {}
  T value(T y, T p) const { return distance(y, p) * distance(y, p); }
  T slope(T y, T p) const { return p < epsilon<T> ? T{0} : 2 * distance(y, p) / (p + 1); }
  static T distance(T y, T p) {
    return std::log(std::max(p, epsilon<T>) + 1) - std::log(std::max(y, epsilon<T>) + 1);
  }
};

template <class T>
struct HuberTerms {
  T delta;
  explicit HuberTerms(const Huber& loss) : delta(static_cast<T>(loss.delta)) {}
  T value(T y, T p) const {
    const T e = std::abs(p - y);
    return e <= delta ? e * e / 2 : delta * (e - delta / 2);
  }
  T slope(T y, T p) const { return std::clamp(p - y, -delta, delta); }
};

template <class T>
struct LogCoshTerms {
  explicit LogCoshTerms(const LogCosh&) {}
  // |e| + log((1 + exp(-2 |e|)) / 2), which does not overflow.
  T value(T y, T p) const {
    const T e = std::abs(p - y);
    return e + std::log1p(std::exp(-2 * e)) - std::numbers::ln2_v<T>;
  }
  T slope(T y, T p) const { return std::tanh(p - y); }
};

template <class T>
struct QuantileTerms {
  T quantile;
  explicit QuantileTerms(const Quantile& loss) : quantile(static_cast<T>(loss.quantile)) {}
  T value(T y, T p) const { return slope(y, p) * (p - y); }
  T slope(T y, T p) const { return y > p ? -quantile : (p > y ? 1 - quantile : T{0}); }
};

template <class T>
struct SymmetricTerms {
  explicit SymmetricTerms(const SymmetricMeanAbsolutePercentageError&) {}
  T value(T y, T p) const {
    const T size = std::abs(y) + std::abs(p);
    return size == 0 ? T{0} : 200 * std::abs(p - y) / size;
  }
  T slope(T y, T p) const {
    const T size = std::abs(y) + std::abs(p);
    return size == 0 ? T{0} : 200 * (sign(p - y) - std::abs(p - y) * sign(p) / size) / size;
  }
};

template <class T>
struct ScaledTerms {
  T scale;
  explicit ScaledTerms(const MeanAbsoluteScaledError& loss) : scale(static_cast<T>(loss.scale)) {}
  T value(T y, T p) const { return std::abs(p - y) / scale; }
  T slope(T y, T p) const { return sign(p - y) / scale; }
};

template <class T>
struct PoissonTerms {
  explicit PoissonTerms(const Poisson&) {}
  T value(T y, T p) const { return p - y * std::log(p + epsilon<T>); }
  T slope(T y, T p) const { return 1 - y / (p + epsilon<T>); }
};

}  // namespace

UNROLL_LOSS_OF_TERMS(Of::mean, MeanSquaredError, SquaredTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, MeanAbsoluteError, AbsoluteTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, MeanAbsolutePercentageError, PercentageTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, MeanSquaredLogarithmicError, LogarithmicTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, Huber, HuberTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, LogCosh, LogCoshTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, Quantile, QuantileTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, SymmetricMeanAbsolutePercentageError, SymmetricTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, MeanAbsoluteScaledError, ScaledTerms);
UNROLL_LOSS_OF_TERMS(Of::mean, Poisson, PoissonTerms);

}  // namespace unroll::training
