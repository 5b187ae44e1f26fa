// Kind "stateful": batch after batch through a model and a session, with resets between.
#include "src/model/model_impl.h"
#include "tests/golden/cases.h"

namespace unroll::golden {

namespace {

/// Names and shapes of the inputs; every size may change from step to step but the last.
std::vector<std::pair<std::string, Shape>> inputs_of(const Recorded& recorded) {
  std::vector<std::pair<std::string, Shape>> inputs;
  for (const auto& [name, key] : recorded.spec.at("steps").front().at("inputs").items()) {
    Shape shape = recorded.tensors.at(key.get<std::string>()).shape();
    shape.set(1, unknown);
    inputs.emplace_back(name, shape);
  }
  return inputs;
}

}  // namespace

void run_stateful(const Recorded& recorded, Comparison& comparison) {
  Network network = make_network(recorded.spec, inputs_of(recorded));
  Model model({.inputs = network.inputs, .outputs = network.outputs});
  model.set_dtype(recorded.dtype);
  load_weights(recorded, network);
  const Tolerance allowed = tolerances_of(recorded.name, recorded.dtype).outputs;
  const auto compare = [&](const Json& key, const Tensor& got) {
    comparison.close(key.get<std::string>(), got, recorded.result(key.get<std::string>()), allowed);
  };
  Session session;
  for (const Json& step : recorded.spec.at("steps")) {
    if (step.contains("reset")) {
      session.reset();
      continue;
    }
    Data x;
    for (const std::string& name : network.input_names) {
      x.push_back(recorded.tensors.at(step.at("inputs").at(name).get<std::string>()));
    }
    const Tensors outputs = model.predict(session, x, {.batch_size = x[0].count()});
    for (std::size_t i = 0; i < outputs.size(); ++i) compare(step.at("outputs")[i], outputs[i]);
    for (const auto& [node, keys] : step.at("states").items()) {
      const auto& states = model.impl().states(session).at(&network.layers.at(node).impl());
      for (std::size_t i = 0; i < keys.size(); ++i) compare(keys[i], states[i]);
    }
  }
}

}  // namespace unroll::golden
