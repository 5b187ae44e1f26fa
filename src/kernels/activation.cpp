#include "unroll/activation.h"

#include "src/kernels/vector.h"
#include "unroll/error.h"

namespace unroll {

Activation parse_activation(std::string_view name) {
  std::string names;
  for (const auto& [known, kind] : activation_names) {
    if (known == name) return kind;
    if (!names.empty()) names += ", ";
    names += known;
  }
  throw Error(ErrorKind::value, "no activation has this name",
              {.got = '"' + std::string(name) + '"', .want = "one of " + names});
}

namespace kernels {

bool derivative_from_output(Activation activation) noexcept {
  switch (activation.kind()) {
    case ActivationKind::gelu:
    case ActivationKind::silu:
    case ActivationKind::mish:
    case ActivationKind::hard_silu:
    case ActivationKind::tanh_shrink:
    case ActivationKind::squareplus:
    case ActivationKind::sparse_plus:
      return false;
    default:
      return true;
  }
}

}  // namespace kernels
}  // namespace unroll
