// Initial values and penalties of weights, in Keras's words.
//
//   Dense(5, {.kernel_initializer = "he_normal"});
//   Dense(5, {.kernel_initializer = random_uniform(-0.1, 0.1), .kernel_regularizer = l2(0.01)});
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
};

inline constexpr std::array<std::pair<std::string_view, InitializerKind>, 15> initializer_names{{
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
}};

/// How a weight begins. A plain value, named by a literal that the compiler checks.
class Initializer {
 public:
  /// `a` and `b`: minimum and maximum (random_uniform), mean and standard deviation (normal kinds),
  /// the value (constant), the gain (orthogonal, identity). The others take none.
  constexpr Initializer(InitializerKind kind, double a, double b) noexcept
      : kind_(kind), a_(a), b_(b) {}
  /// Keras's defaults: uniform in [-0.05, 0.05], deviation 0.05, gain 1.
  constexpr Initializer(InitializerKind kind) noexcept : kind_(kind) {
    if (kind == InitializerKind::random_uniform) a_ = -0.05;
    if (kind == InitializerKind::orthogonal || kind == InitializerKind::identity) a_ = 1;
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

  /// The same, but the second quarter of the numbers begins with 1: the bias of an LSTM whose forget gate
  /// starts open. Source: Jozefowicz, Zaremba, Sutskever, 2015.
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

  InitializerKind kind_;
  double a_ = 0, b_ = 0;
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

}  // namespace unroll
