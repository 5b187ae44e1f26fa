// max_norm, non_neg, unit_norm, min_max_norm.
#include <algorithm>
#include <array>
#include <cmath>

#include "src/autograd/dispatch.h"
#include "unroll/initializers.h"

namespace unroll {

namespace {

constexpr std::array<std::pair<std::string_view, ConstraintKind>, 8> constraint_names{{
    {"max_norm", ConstraintKind::max_norm},
    {"non_neg", ConstraintKind::non_neg},
    {"unit_norm", ConstraintKind::unit_norm},
    {"min_max_norm", ConstraintKind::min_max_norm},
    {"MaxNorm", ConstraintKind::max_norm},
    {"NonNeg", ConstraintKind::non_neg},
    {"UnitNorm", ConstraintKind::unit_norm},
    {"MinMaxNorm", ConstraintKind::min_max_norm},
}};

/// What a group of numbers with this norm is multiplied by. Keras adds 1e-7 to what it divides by.
template <class T>
T factor(const Constraint& c, T norm) {
  const T low = static_cast<T>(c.min_value), high = static_cast<T>(c.max_value);
  const T divisor = norm + static_cast<T>(1e-7);
  switch (c.kind) {
    case ConstraintKind::max_norm:
      return std::clamp(norm, T{0}, high) / divisor;
    case ConstraintKind::unit_norm:
      return 1 / divisor;
    default: {
      const T rate = static_cast<T>(c.rate);
      return (rate * std::clamp(norm, low, high) + (1 - rate) * norm) / divisor;
    }
  }
}

/// The axes of a weight, split into those that a norm runs over and those that number the norms.
class NormWalk {
 public:
  NormWalk(const Shape& shape, const Shape& reduced) {
    std::array<bool, Shape::max_rank> inside{};
    for (const Index given : reduced) {
      const Index axis = given < 0 ? given + shape.rank() : given;
      if (axis < 0 || axis >= shape.rank()) {
        throw Error(ErrorKind::shape, "a constraint's axis is not one of the weight's",
                    {.got = std::to_string(given) + " of " + shape.to_string()});
      }
      inside[static_cast<std::size_t>(axis)] = true;
    }
    Index stride = 1;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const bool over = inside[static_cast<std::size_t>(axis)];
      // Norms that lie side by side are computed side by side.
      if (axis == shape.rank() - 1 && !over) {
        width_ = shape[axis];
      } else {
        (over ? over_ : kept_).add(shape[axis], stride);
      }
      stride *= shape[axis];
    }
  }

  /// Norms that lie side by side from the first number of a group on.
  Index width() const noexcept { return width_; }

  /// f(offset) for the first number of each group; g likewise inside a group.
  template <class F>
  void for_each_group(F f) const {
    kept_.walk(0, f);
  }
  template <class F>
  void for_each_member(Index group, F f) const {
    over_.walk(group, f);
  }

 private:
  /// Some axes, the innermost first.
  struct Axes {
    std::array<Index, Shape::max_rank> sizes{}, strides{};
    std::size_t count = 0;

    void add(Index size, Index stride) {
      sizes[count] = size;
      strides[count++] = stride;
    }
    template <class F>
    void walk(Index offset, F f) const {
      walk_axis(count, offset, f);
    }
    template <class F>
    void walk_axis(std::size_t axes, Index offset, F& f) const {
      if (axes == 0) return f(offset);
      for (Index i = 0; i < sizes[axes - 1]; ++i) {
        walk_axis(axes - 1, offset + i * strides[axes - 1], f);
      }
    }
  };

  Axes over_, kept_;
  Index width_ = 1;
};

template <class T>
void bound_norms(const Constraint& c, const Shape& shape, T* w) {
  const NormWalk walk(shape, c.axis);
  constexpr Index most = 64;
  std::array<T, most> scale;
  walk.for_each_group([&](Index group) {
    for (Index first = 0; first < walk.width(); first += most) {
      const auto width = static_cast<std::size_t>(std::min(most, walk.width() - first));
      scale.fill(T{0});
      walk.for_each_member(group + first, [&](Index at) {
        for (std::size_t i = 0; i < width; ++i) scale[i] += w[at + Index(i)] * w[at + Index(i)];
      });
      for (std::size_t i = 0; i < width; ++i) scale[i] = factor(c, std::sqrt(scale[i]));
      walk.for_each_member(group + first, [&](Index at) {
        for (std::size_t i = 0; i < width; ++i) w[at + Index(i)] *= scale[i];
      });
    }
  });
}

}  // namespace

std::string_view to_string(ConstraintKind kind) noexcept {
  for (const auto& [name, known] : constraint_names) {
    if (known == kind) return name;
  }
  return "";
}

Constraint parse_constraint(std::string_view name) {
  for (const auto& [known, kind] : constraint_names) {
    if (known != name) continue;
    return kind == ConstraintKind::max_norm ? max_norm() : Constraint{.kind = kind};
  }
  throw Error(ErrorKind::value, "no constraint has this name",
              {.got = "\"" + std::string(name) + "\"",
               .want = "one of max_norm, non_neg, unit_norm, min_max_norm"});
}

void apply_constraint(const Constraint& constraint, Tensor& weights) {
  if (!constraint) return;
  with_float(weights.dtype(), [&]<class T>() {
    const auto numbers = weights.values<T>();
    if (constraint.kind == ConstraintKind::non_neg) {
      for (T& w : numbers) w = w >= 0 ? w : T{0};
    } else {
      bound_norms(constraint, weights.shape(), numbers.data());
    }
  });
}

}  // namespace unroll
