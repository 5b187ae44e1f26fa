// Initial values, penalties and bounds of weights, in Keras's words.
//
//   Dense(5, {.kernel_initializer = "he_normal"});
//   Dense(5, {.kernel_initializer = random_uniform(-0.1, 0.1), .kernel_regularizer = l2(0.01)});
//   Dense(5, {.kernel_constraint = max_norm(3)});
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "unroll/tensor.h"

namespace unroll {

enum class InitializerKind {
  zeros,
  ones,
  constant,
  random_uniform,
  random_normal,
  truncated_normal,
  glorot_uniform,
  glorot_normal,
  he_uniform,
  he_normal,
  lecun_uniform,
  lecun_normal,
  orthogonal,
  identity,
  variance_scaling,
};

/// Keras's names: the one that is printed and saved first, then other words and the classes.
inline constexpr std::array<std::pair<std::string_view, InitializerKind>, 36> initializer_names{{
    {"zeros", InitializerKind::zeros},
    {"ones", InitializerKind::ones},
    {"constant", InitializerKind::constant},
    {"random_uniform", InitializerKind::random_uniform},
    {"uniform", InitializerKind::random_uniform},
    {"random_normal", InitializerKind::random_normal},
    {"truncated_normal", InitializerKind::truncated_normal},
    {"glorot_uniform", InitializerKind::glorot_uniform},
    {"glorot_normal", InitializerKind::glorot_normal},
    {"he_uniform", InitializerKind::he_uniform},
    {"he_normal", InitializerKind::he_normal},
    {"lecun_uniform", InitializerKind::lecun_uniform},
    {"lecun_normal", InitializerKind::lecun_normal},
    {"orthogonal", InitializerKind::orthogonal},
    {"identity", InitializerKind::identity},
    {"variance_scaling", InitializerKind::variance_scaling},
    {"zero", InitializerKind::zeros},
    {"one", InitializerKind::ones},
    {"normal", InitializerKind::random_normal},
    {"Zeros", InitializerKind::zeros},
    {"Ones", InitializerKind::ones},
    {"Constant", InitializerKind::constant},
    {"RandomUniform", InitializerKind::random_uniform},
    {"RandomNormal", InitializerKind::random_normal},
    {"TruncatedNormal", InitializerKind::truncated_normal},
    {"GlorotUniform", InitializerKind::glorot_uniform},
    {"GlorotNormal", InitializerKind::glorot_normal},
    {"HeUniform", InitializerKind::he_uniform},
    {"HeNormal", InitializerKind::he_normal},
    {"LecunUniform", InitializerKind::lecun_uniform},
    {"LecunNormal", InitializerKind::lecun_normal},
    {"Orthogonal", InitializerKind::orthogonal},
    {"OrthogonalInitializer", InitializerKind::orthogonal},
    {"Identity", InitializerKind::identity},
    {"IdentityInitializer", InitializerKind::identity},
    {"VarianceScaling", InitializerKind::variance_scaling},
}};

/// What variance_scaling divides its variance by.
enum class FanMode { fan_in, fan_out, fan_avg };
/// What it draws from; the truncated normal is cut at two deviations and widened to make up for it.
enum class ScalingDistribution { truncated_normal, untruncated_normal, uniform };

/// How a weight begins. A plain value, named by a literal that the compiler checks.
class Initializer {
 public:
  /// `a` and `b`: minimum and maximum (random_uniform), mean and standard deviation (normal kinds),
  /// the value (constant), the gain (orthogonal, identity), the scale (variance_scaling, whose b is
  /// 3 mode + distribution). The others take none.
  constexpr Initializer(InitializerKind kind, double a, double b) noexcept
      : a_(a), b_(b), kind_(kind) {}
  /// Keras's defaults: uniform in [-0.05, 0.05], deviation 0.05, gain 1.
  constexpr Initializer(InitializerKind kind) noexcept : kind_(kind) {
    if (kind == InitializerKind::random_uniform) a_ = -0.05;
    if (kind == InitializerKind::orthogonal || kind == InitializerKind::identity ||
        kind == InitializerKind::variance_scaling) {
      a_ = 1;
    }
    if (kind == InitializerKind::random_uniform || kind == InitializerKind::random_normal ||
        kind == InitializerKind::truncated_normal) {
      b_ = 0.05;
    }
  }
  consteval Initializer(const char* name) : Initializer(find(name)) {}

  constexpr InitializerKind kind() const noexcept { return kind_; }
  constexpr double a() const noexcept { return a_; }
  constexpr double b() const noexcept { return b_; }
  constexpr std::string_view name() const noexcept {
    for (const auto& [name, kind] : initializer_names) {
      if (kind == kind_) return name;
    }
    return "zeros";
  }

  /// The same with a seed of its own: the same numbers in every weight and model, as in Keras.
  constexpr Initializer with_seed(std::uint32_t seed) const noexcept {
    Initializer result = *this;
    result.seed_ = seed;
    return result;
  }
  /// -1: numbers follow from the model's seed and the weight's place.
  constexpr Index seed() const noexcept { return seed_; }

  /// The same, but the second quarter of the numbers begins with 1: the bias of an LSTM whose
  /// forget gate starts open. Source: Jozefowicz, Zaremba, Sutskever, 2015.
  constexpr Initializer with_unit_forget() const noexcept {
    Initializer result = *this;
    result.unit_forget_ = true;
    return result;
  }

  /// Fills `values` of a (…, fan_in, fan_out) shape. Which numbers is a function of (seed, stream).
  void fill(Tensor& values, std::uint64_t seed, std::uint64_t stream) const;

 private:
  static consteval InitializerKind find(std::string_view wanted) {
    for (const auto& [name, kind] : initializer_names) {
      if (name == wanted) return kind;
    }
    throw "no initializer has this name; initializer_names in unroll/initializers.h lists them";
  }

  // The larger members first: clang 14 forgets padding between members when it writes the constants
  // that a consteval constructor makes, and what came behind it would be no number.
  double a_ = 0, b_ = 0;
  Index seed_ = -1;
  InitializerKind kind_;
  bool unit_forget_ = false;
};

constexpr Initializer random_uniform(double minimum = -0.05, double maximum = 0.05) noexcept {
  return {InitializerKind::random_uniform, minimum, maximum};
}
constexpr Initializer random_normal(double mean = 0, double deviation = 0.05) noexcept {
  return {InitializerKind::random_normal, mean, deviation};
}
constexpr Initializer truncated_normal(double mean = 0, double deviation = 0.05) noexcept {
  return {InitializerKind::truncated_normal, mean, deviation};
}
constexpr Initializer constant(double value) noexcept {
  return {InitializerKind::constant, value, 0};
}
constexpr Initializer orthogonal(double gain = 1) noexcept {
  return {InitializerKind::orthogonal, gain, 0};
}
constexpr Initializer identity(double gain = 1) noexcept {
  return {InitializerKind::identity, gain, 0};
}
/// Numbers of variance scale / fan: what the glorot, he and lecun kinds are made of.
constexpr Initializer variance_scaling(
    double scale = 1, FanMode mode = FanMode::fan_in,
    ScalingDistribution distribution = ScalingDistribution::truncated_normal) noexcept {
  return {InitializerKind::variance_scaling, scale,
          3.0 * static_cast<double>(mode) + static_cast<double>(distribution)};
}

/// Throws: Error (value) that lists the names.
Initializer parse_initializer(std::string_view name);

/// A penalty added to the loss: l1 sum |w| + l2 sum w^2.
struct Regularizer {
  double l1 = 0;
  double l2 = 0;

  constexpr explicit operator bool() const noexcept { return l1 != 0 || l2 != 0; }
};

constexpr Regularizer l1(double factor = 0.01) noexcept { return {factor, 0}; }
constexpr Regularizer l2(double factor = 0.01) noexcept { return {0, factor}; }
constexpr Regularizer l1_l2(double l1 = 0.01, double l2 = 0.01) noexcept { return {l1, l2}; }

enum class ConstraintKind { none, max_norm, non_neg, unit_norm, min_max_norm };

/// A bound that a weight is brought back to after each update. Norms are taken over `axis`: over
/// axis 0 of a (features, units) kernel, the weights that enter a unit.
struct Constraint {
  ConstraintKind kind = ConstraintKind::none;
  double min_value = 0;
  double max_value = 1;
  double rate = 1;  ///< of min_max_norm: how far a norm is moved towards its bounds
  Shape axis = {0};

  explicit operator bool() const noexcept { return kind != ConstraintKind::none; }
  friend bool operator==(const Constraint&, const Constraint&) = default;
};

inline Constraint max_norm(double max_value = 2, const Shape& axis = {0}) {
  return {.kind = ConstraintKind::max_norm, .max_value = max_value, .axis = axis};
}
inline Constraint non_neg() { return {.kind = ConstraintKind::non_neg}; }
inline Constraint unit_norm(const Shape& axis = {0}) {
  return {.kind = ConstraintKind::unit_norm, .axis = axis};
}
inline Constraint min_max_norm(double min_value = 0, double max_value = 1, double rate = 1,
                               const Shape& axis = {0}) {
  return {ConstraintKind::min_max_norm, min_value, max_value, rate, axis};
}

/// Keras's name of a kind, "max_norm"; empty for none.
std::string_view to_string(ConstraintKind kind) noexcept;
/// The constraint of a name, Keras's or its class's ("MaxNorm"), with default bounds.
/// Throws: Error (value) that lists the names.
Constraint parse_constraint(std::string_view name);

/// Brings the numbers back into bounds, in place.
/// Throws: Error (shape) where the weight has no such axis.
void apply_constraint(const Constraint& constraint, Tensor& weights);

}  // namespace unroll
