// The choice among losses, by name and by option struct.
#include "unroll/losses.h"

#include <string>

#include "src/training/loss_functions.h"
#include "unroll/error.h"

namespace unroll {

Loss parse_loss(std::string_view name) {
  std::optional<Loss> found;
  std::string names;
  const auto look = [&]<class Option>(const Option& option) {
    for (const std::string_view known : Option::names) {
      if (known == name) found = Loss(option);
    }
    if (Option::class_name == name) found = Loss(option);
    names += (names.empty() ? "" : ", ") + std::string(Option::names[0]);
  };
  [&]<class... Options>(std::type_identity<std::variant<Options...>>) {
    (look(Options{}), ...);
  }(std::type_identity<LossOptions>());
  if (found) return *found;
  throw Error(ErrorKind::value, "no loss has this name",
              {.got = '"' + std::string(name) + '"', .want = "one of " + names});
}

bool takes_labels(const Loss& loss) noexcept {
  return std::holds_alternative<SparseCategoricalCrossentropy>(loss.options());
}

Index target_size(const Loss& loss, Index n) noexcept {
  return takes_labels(loss) || std::holds_alternative<CTC>(loss.options()) ? 1 : n;
}

namespace {

[[noreturn]] void refuse_ctc() {
  throw Error(ErrorKind::unsupported, "ctc is a loss of whole sequences",
              {.want = "ctc_values and ctc_gradient, which know where a sequence ends"});
}

}  // namespace

template <class T>
void loss_values(const Loss& loss, Index samples, Index n, const T* y_true, const T* y_pred,
                 T* values) {
  std::visit(
      [&]<class Option>(const Option& option) {
        if constexpr (std::is_same_v<Option, CTC>) {
          refuse_ctc();
        } else {
          training::values(option, training::Samples<T>{samples, n, y_true, y_pred}, values);
        }
      },
      loss.options());
}

template <class T>
void loss_gradient(const Loss& loss, Index samples, Index n, const T* y_true, const T* y_pred,
                   const T* dvalues, T* dpred) {
  std::visit(
      [&]<class Option>(const Option& option) {
        if constexpr (std::is_same_v<Option, CTC>) {
          refuse_ctc();
        } else {
          training::gradient(option, training::Samples<T>{samples, n, y_true, y_pred}, dvalues,
                             dpred);
        }
      },
      loss.options());
}

template void loss_values(const Loss&, Index, Index, const float*, const float*, float*);
template void loss_values(const Loss&, Index, Index, const double*, const double*, double*);
template void loss_gradient(const Loss&, Index, Index, const float*, const float*, const float*,
                            float*);
template void loss_gradient(const Loss&, Index, Index, const double*, const double*, const double*,
                            double*);

}  // namespace unroll
