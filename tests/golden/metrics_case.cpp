// metrics.json: values after each of some updates, with resets between.
#include "tests/golden/cases.h"
#include "tests/golden/options.h"

namespace unroll::golden {

void run_metric(const Json& spec, DType dtype, Comparison& comparison) {
  const Metric metric = with_options(
      parse_or_skip(parse_metric, spec.at("class_name").get<std::string>()), spec.at("kwargs"));
  const std::string name = spec.at("kwargs").value("name", std::string(metric.name()));
  if (name != spec.value("default_name", name)) {
    comparison.fail("is called " + name + ", want " + spec.at("default_name").get<std::string>());
  }
  const Tolerances allowed = tolerances_of("metrics", dtype);
  MetricState state(metric);
  Index number = 0;
  for (const Json& step : spec.at("steps")) {
    ++number;
    if (step.contains("reset")) {
      state.reset();
      continue;
    }
    const Tensor truth = tensor_of(step.at("y_true"), dtype);
    // Mean and Sum take one list of values.
    const Json& predicted = step.at("y_pred");
    const Tensor weight =
        step.contains("sample_weight") ? tensor_of(step.at("sample_weight")) : Tensor();
    state.update(truth, predicted.is_null() ? truth : tensor_of(predicted, dtype), weight);
    const Json& want = step.at(key_of("result", dtype));
    const std::string what = "result of step " + std::to_string(number);
    if (want.is_array()) {
      const auto values = state.values();
      comparison.close(what, Tensor::of<double>({static_cast<Index>(values.size())}, values),
                       tensor_of(want), allowed.outputs);
    } else {
      comparison.close(what, state.result(), number_of(want), allowed.outputs);
    }
  }
}

}  // namespace unroll::golden
