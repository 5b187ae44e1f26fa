// The choice among losses, by name and by option struct.
#include "unroll/losses.h"

#include <string>

#include "src/training/loss_functions.h"
#include "src/training/numbers.h"
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

namespace {

/// Throws: Error (value) unless the option is inside its range.
void require(std::string_view loss, const char* option, bool inside, double got, const char* want) {
  if (inside) return;
  throw Error(ErrorKind::value, std::string(loss) + ": " + option + " is out of range",
              {.got = training::short_number(got), .want = want});
}

}  // namespace

void check(const Loss& loss) {
  std::visit(
      [&](const auto& o) {
        const auto name = o.class_name;
        if constexpr (requires { o.delta; }) {
          require(name, "delta", o.delta > 0, o.delta, "above 0");
        }
        if constexpr (requires { o.quantile; }) {
          require(name, "quantile", o.quantile > 0 && o.quantile < 1, o.quantile,
                  "above 0 and below 1");
        }
        if constexpr (requires { o.scale; }) {
          require(name, "scale", o.scale > 0, o.scale, "above 0");
        }
        if constexpr (requires { o.degrees_of_freedom; }) {
          require(name, "degrees_of_freedom", o.degrees_of_freedom > 0, o.degrees_of_freedom,
                  "above 0");
        }
        if constexpr (requires { o.label_smoothing; }) {
          require(name, "label_smoothing", o.label_smoothing >= 0 && o.label_smoothing <= 1,
                  o.label_smoothing, "0 to 1");
        }
        if constexpr (requires { o.gamma; }) {
          require(name, "gamma", o.gamma >= 0, o.gamma, "at least 0");
          require(name, "alpha", o.alpha >= 0 && o.alpha <= 1, o.alpha, "0 to 1");
        }
      },
      loss.options());
}

bool takes_labels(const Loss& loss) noexcept {
  return std::holds_alternative<SparseCategoricalCrossentropy>(loss.options());
}

bool predicts_distributions(const Loss& loss) noexcept {
  return std::holds_alternative<GaussianNegativeLogLikelihood>(loss.options()) ||
         std::holds_alternative<StudentTNegativeLogLikelihood>(loss.options());
}

Index target_size(const Loss& loss, Index n) noexcept {
  if (takes_labels(loss) || std::holds_alternative<CTC>(loss.options())) return 1;
  return predicts_distributions(loss) ? n / 2 : n;
}

namespace {

[[noreturn]] void refuse_ctc() {
  throw Error(ErrorKind::unsupported, "ctc is a loss of whole sequences",
              {.want = "ctc_values and ctc_gradient, which know where a sequence ends"});
}

/// Samples lie along the last axis here.
template <class Option>
void check_axis(const Option& option) {
  if constexpr (requires { option.axis; }) {
    if (option.axis == -1) return;
    throw Error(ErrorKind::unsupported,
                std::string(option.class_name) + ": a model's loss is over the last axis",
                {.got = "axis " + std::to_string(option.axis),
                 .want = "-1",
                 .hint = "a Permute layer before the output brings the axis to the end; "
                         "evaluate_loss() takes any"});
  }
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
          check_axis(option);
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
          check_axis(option);
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
