// Activations: the functions of Keras's `activation` argument, by name.
//
//   Dense(5, {.activation = "relu"});     // checked when it is compiled: "rleu" is an error there
//   Dense(5, {.activation = parse_activation(text)});  // checked when it runs
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace unroll {

/// Functions of one number, then (from softmax on) functions of a row: the last axis.
enum class ActivationKind {
  linear,
  relu,
  sigmoid,
  tanh,
  elu,
  selu,
  gelu,
  silu,
  softplus,
  hard_sigmoid,
  softsign,
  exponential,
  leaky_relu,
  relu6,
  mish,
  hard_silu,
  hard_tanh,
  celu,
  log_sigmoid,
  soft_shrink,
  hard_shrink,
  tanh_shrink,
  squareplus,
  sparse_plus,
  sparse_sigmoid,
  softmax,
  log_softmax,
  sparsemax,
};

/// Keras's names; the first name of a kind is the one that is printed and saved.
inline constexpr std::array<std::pair<std::string_view, ActivationKind>, 30> activation_names{{
    {"linear", ActivationKind::linear},
    {"relu", ActivationKind::relu},
    {"sigmoid", ActivationKind::sigmoid},
    {"tanh", ActivationKind::tanh},
    {"elu", ActivationKind::elu},
    {"selu", ActivationKind::selu},
    {"gelu", ActivationKind::gelu},
    {"silu", ActivationKind::silu},
    {"swish", ActivationKind::silu},
    {"softplus", ActivationKind::softplus},
    {"hard_sigmoid", ActivationKind::hard_sigmoid},
    {"softsign", ActivationKind::softsign},
    {"exponential", ActivationKind::exponential},
    {"leaky_relu", ActivationKind::leaky_relu},
    {"relu6", ActivationKind::relu6},
    {"mish", ActivationKind::mish},
    {"hard_silu", ActivationKind::hard_silu},
    {"hard_swish", ActivationKind::hard_silu},
    {"hard_tanh", ActivationKind::hard_tanh},
    {"celu", ActivationKind::celu},
    {"log_sigmoid", ActivationKind::log_sigmoid},
    {"soft_shrink", ActivationKind::soft_shrink},
    {"hard_shrink", ActivationKind::hard_shrink},
    {"tanh_shrink", ActivationKind::tanh_shrink},
    {"squareplus", ActivationKind::squareplus},
    {"sparse_plus", ActivationKind::sparse_plus},
    {"sparse_sigmoid", ActivationKind::sparse_sigmoid},
    {"softmax", ActivationKind::softmax},
    {"log_softmax", ActivationKind::log_softmax},
    {"sparsemax", ActivationKind::sparsemax},
}};

/// An activation, named by a literal that the compiler checks.
class Activation {
 public:
  constexpr Activation(ActivationKind kind = ActivationKind::linear) noexcept : kind_(kind) {}
  /// Does not compile for a name that activation_names lacks.
  consteval Activation(const char* name) : kind_(find(name)) {}

  constexpr ActivationKind kind() const noexcept { return kind_; }
  constexpr std::string_view name() const noexcept {
    for (const auto& [name, kind] : activation_names) {
      if (kind == kind_) return name;
    }
    return "linear";
  }
  friend constexpr bool operator==(Activation, Activation) noexcept = default;

 private:
  static consteval ActivationKind find(std::string_view wanted) {
    for (const auto& [name, kind] : activation_names) {
      if (name == wanted) return kind;
    }
    throw "no activation has this name; activation_names in unroll/activation.h lists them";
  }

  ActivationKind kind_;
};

/// The activation of a name that is known only at run time.
/// Throws: Error (value) that lists the names.
Activation parse_activation(std::string_view name);

}  // namespace unroll
