// Clipping of gradients.
#include <algorithm>
#include <cmath>

#include "src/kernels/vector.h"
#include "unroll/optimizers.h"

namespace unroll {
namespace {

struct Bounds {
  double norm = 0, value = 0, global_norm = 0;  // 0: none
};

Bounds bounds(const Optimizer& optimizer) noexcept {
  return std::visit(
      [](const auto& o) {
        return Bounds{o.clipnorm.value_or(0), o.clipvalue.value_or(0),
                      o.global_clipnorm.value_or(0)};
      },
      optimizer.options());
}

/// In pieces whose sums are added in double: neither the length nor threads cost exactness.
template <class T>
double sum_of_squares(const GradientRange<T>& g) {
  constexpr Index piece = 4096;
  double total = 0;
  for (Index first = 0; first < g.size; first += piece) {
    const Index count = std::min(piece, g.size - first);
    total += static_cast<double>(kernels::dot(count, g.data + first, g.data + first));
  }
  return total;
}

template <class T>
void scale(const GradientRange<T>& g, double factor) {
  if (factor == 1) return;
  kernels::scale_shift(g.size, static_cast<T>(factor), T{0}, g.data, g.data);
}

}  // namespace

bool clips(const Optimizer& optimizer) noexcept {
  const Bounds bound = bounds(optimizer);
  return bound.norm > 0 || bound.value > 0 || bound.global_norm > 0;
}

template <class T>
void clip(const Optimizer& optimizer, std::span<const GradientRange<T>> variables) {
  const Bounds bound = bounds(optimizer);
  if (bound.norm > 0) {
    for (const GradientRange<T>& g : variables) {
      scale(g, bound.norm / std::max(std::sqrt(sum_of_squares(g)), bound.norm));
    }
  } else if (bound.global_norm > 0) {
    double total = 0;
    for (const GradientRange<T>& g : variables) total += sum_of_squares(g);
    const double norm = std::sqrt(total);
    // An infinite gradient becomes NaN rather than 0, so that it is seen.
    const double factor =
        std::isfinite(norm) ? bound.global_norm / std::max(norm, bound.global_norm) : std::nan("");
    for (const GradientRange<T>& g : variables) scale(g, factor);
  } else if (bound.value > 0) {
    const T most = static_cast<T>(bound.value);
    for (const GradientRange<T>& g : variables) {
      for (Index i = 0; i < g.size; ++i) g.data[i] = std::clamp(g.data[i], -most, most);
    }
  }
}

template void clip(const Optimizer&, std::span<const GradientRange<float>>);
template void clip(const Optimizer&, std::span<const GradientRange<double>>);

}  // namespace unroll
