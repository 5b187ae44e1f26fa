// Kind "training": a Sequential that is compiled and fitted from given weights.
#include <optional>

#include "tests/golden/cases.h"
#include "tests/golden/options.h"
#include "unroll/model.h"

namespace unroll::golden {

namespace {

CompileOptions compile_options(const Json& spec) {
  const Json& optimizer = spec.at("optimizer");
  CompileOptions options{
      .optimizer = with_options(parse_optimizer(optimizer.at("class_name").get<std::string>()),
                                optimizer.at("kwargs")),
      .loss = with_options(parse_loss(spec.at("loss").get<std::string>()), spec.at("loss_kwargs"))};
  for (const Json& metric : spec.at("metrics")) {
    options.metrics.push_back(with_options(parse_metric(metric.at("class_name").get<std::string>()),
                                           metric.at("kwargs")));
  }
  return options;
}

Sequential sequential_of(const Json& spec) {
  std::vector<Layer> layers{InputLayer({.shape = shape_of(spec.at("input_shape"))})};
  for (const Json& layer : spec.at("layers")) layers.emplace_back(make_layer(layer));
  return Sequential(layers);
}

/// Compares weights with those of a name, such as "w_final".
void compare_weights(const Recorded& recorded, const std::string& name, const Model& model,
                     const Tolerance& allowed, Comparison& comparison) {
  std::size_t i = 0;
  for (const Tensor& weight : model.get_weights()) {
    const std::string key = name + "/" + std::to_string(i++);
    if (recorded.tensors.contains(key)) {
      comparison.close(key, weight, recorded.result(key), allowed);
    }
  }
}

/// Compares the weights after the first epoch.
class FirstEpoch final : public Callback {
 public:
  FirstEpoch(const Recorded& recorded, const Tolerance& allowed, Comparison& comparison)
      : recorded_(recorded), allowed_(allowed), comparison_(comparison) {}
  void on_epoch_end(Model& model, Index epoch, const Logs&) override {
    if (epoch == 0) compare_weights(recorded_, "w_epoch1", model, allowed_, comparison_);
  }

 private:
  const Recorded& recorded_;
  Tolerance allowed_;
  Comparison& comparison_;
};

void compare_history(const Json& recorded, const History& history, const Tolerance& allowed,
                     Comparison& comparison) {
  for (const auto& [name, values] : recorded.items()) {
    if (!history.has(name) || history[name].size() != values.size()) {
      comparison.fail("history has no " + std::to_string(values.size()) + " values of " + name);
      continue;
    }
    for (std::size_t epoch = 0; epoch < values.size(); ++epoch) {
      comparison.close("history " + name + " of epoch " + std::to_string(epoch),
                       history[name][epoch], values[epoch].get<double>(), allowed);
    }
  }
}

}  // namespace

void run_training(const Recorded& recorded, Comparison& comparison) {
  const Json& spec = recorded.spec;
  if (!spec.at("class_weight").is_null()) throw Skip("no class_weight in fit");
  const auto tensor = [&](const std::string& name) {
    const auto found = recorded.tensors.find(name);
    return found == recorded.tensors.end() ? std::nullopt : std::optional<Tensor>(found->second);
  };
  Sequential model = sequential_of(spec);
  model.set_dtype(recorded.dtype);
  model.compile(compile_options(spec));
  std::vector<Tensor> weights;
  for (const Json& weight : spec.at("weights")) {
    weights.push_back(recorded.tensors.at(weight.at("key").get<std::string>()));
  }
  model.set_weights(weights);

  const Tolerances allowed = tolerances_of(recorded.name, recorded.dtype);
  const Index batch_size = spec.at("batch_size").get<Index>();
  FitOptions options{
      .batch_size = batch_size,
      .epochs = spec.at("epochs").get<Index>(),
      .callbacks = {std::make_shared<FirstEpoch>(recorded, allowed.weights, comparison)},
      .validation_split = spec.at("validation_split").get<double>(),
      .shuffle = spec.at("shuffle").get<bool>()};
  if (const auto x = tensor("val_x")) options.validation_data = Validation{*x, *tensor("val_y")};
  if (const auto weight = tensor("sample_weight")) options.sample_weight = *weight;
  const Tensor x = *tensor("x"), y = *tensor("y");
  const History history = model.fit(x, y, options);

  const std::string suffix = recorded.dtype == DType::float64 ? "_f64" : "";
  compare_history(spec.at("history" + suffix), history, allowed.losses, comparison);
  compare_weights(recorded, "w_final", model, allowed.weights, comparison);
  if (spec.contains("evaluate_final" + suffix)) {
    const Logs logs = model.evaluate(x, y, {.batch_size = batch_size});
    for (const auto& [name, value] : spec.at("evaluate_final" + suffix).items()) {
      comparison.close("evaluate " + name, value_of(logs, name), value.get<double>(),
                       allowed.losses);
    }
  }
  if (tensor("pred_final")) {
    comparison.close("pred_final", Tensor(model.predict(x)), recorded.result("pred_final"),
                     {allowed.outputs.relative, allowed.weights.absolute});
  }
}

}  // namespace unroll::golden
