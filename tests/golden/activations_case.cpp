// activations.json: functions of one number and of a row, with their derivatives.
#include <cmath>
#include <fstream>

#include "src/autograd/dispatch.h"
#include "tests/golden/cases.h"
#include "unroll/autograd.h"

namespace unroll::golden {

namespace {

Activation activation_of(const std::string& name) {
  for (const auto& [known, kind] : activation_names) {
    if (known == name) return kind;
  }
  throw Skip("no activation " + name);
}

/// Points where a derivative jumps: what is recorded there is one side's, or neither's.
bool smooth_at(ActivationKind kind, double x) {
  const auto kinks = [kind]() -> std::vector<double> {
    switch (kind) {
      case ActivationKind::relu:
      case ActivationKind::leaky_relu:
      case ActivationKind::selu:
        return {0};
      case ActivationKind::relu6:
        return {0, 6};
      case ActivationKind::hard_sigmoid:
      case ActivationKind::hard_silu:
        return {-3, 3};
      case ActivationKind::hard_tanh:
      case ActivationKind::sparse_plus:
      case ActivationKind::sparse_sigmoid:
        return {-1, 1};
      case ActivationKind::soft_shrink:
      case ActivationKind::hard_shrink:
        return {-0.5, 0.5};
      default:
        return {};
    }
  }();
  return std::ranges::find(kinks, x) == kinks.end();
}

}  // namespace

void run_activations(const std::filesystem::path& file, DType dtype, const std::string& only,
                     Report& report) {
  std::ifstream stream(file);
  const Json spec = Json::parse(stream);
  const std::string suffix = dtype == DType::float64 ? "_f64" : "";
  const Tolerance allowed = tolerances_of("activations", dtype).outputs;
  const auto run = [&](const std::string& name, const Json& x, const Json& recorded) {
    const std::string case_name = "activations/" + name;
    if (case_name.find(only) == std::string::npos) return;
    report.run(case_name, [&](Comparison& comparison) {
      const Activation activation = activation_of(name);
      Tape tape(dtype);
      const Tensor points = tensor_of(x);
      const Var in = tape.variable(points);
      const Var y = activate(in, activation);
      comparison.close("y", y.tensor(), tensor_of(recorded.at("y" + suffix)), allowed);
      if (!recorded.contains("dy" + suffix)) return;
      tape.backward(sum(y));
      Tensor got = tape.gradient(in).to(DType::float64);
      Tensor want = tensor_of(recorded.at("dy" + suffix));
      for (std::size_t i = 0; i < want.values<double>().size(); ++i) {
        if (smooth_at(activation.kind(), points.values<double>()[i])) continue;
        got.values<double>()[i] = want.values<double>()[i] = 0;
      }
      comparison.close("dy", got, want, allowed);
    });
  };
  for (const auto& [name, recorded] : spec.at("functions").items()) {
    run(name, spec.at("x"), recorded);
  }
  for (const auto& [name, recorded] : spec.at("rows").items()) {
    run(name, recorded.at("x"), recorded);
  }
}

}  // namespace unroll::golden
