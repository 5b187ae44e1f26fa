// losses.json: values and gradients by the predictions.
#include "tests/golden/cases.h"
#include "tests/golden/options.h"

namespace unroll::golden {

void run_loss(const Json& spec, DType dtype, Comparison& comparison) {
  const Loss loss = with_options(
      parse_or_skip(parse_loss, spec.at("class_name").get<std::string>()), spec.at("kwargs"));
  LossInputs inputs{.y_true = tensor_of(spec.at("y_true")),
                    .y_pred = tensor_of(spec.at("y_pred"), dtype)};
  if (spec.contains("sample_weight")) inputs.sample_weight = tensor_of(spec.at("sample_weight"));
  if (spec.contains("mask")) inputs.mask = tensor_of(spec.at("mask"), DType::uint8);
  const LossResult result = evaluate_loss(loss, inputs);

  const Tolerances allowed = tolerances_of("losses", dtype);
  const Json& want = spec.at(key_of("loss", dtype));
  if (want.is_array()) {
    comparison.close("loss", result.values, tensor_of(want), allowed.outputs);
  } else {
    comparison.close("loss", result.value, number_of(want), allowed.outputs);
  }
  if (spec.contains(key_of("grad_y_pred", dtype))) {
    comparison.close("gradient", result.gradient, tensor_of(spec.at(key_of("grad_y_pred", dtype))),
                     allowed.gradients);
  }
}

}  // namespace unroll::golden
