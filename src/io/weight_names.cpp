#include "src/io/weight_names.h"

#include <algorithm>

#include "src/model/model_impl.h"

namespace unroll::io {

std::vector<std::shared_ptr<LayerImpl>> layers_of(const Model& model) {
  const Graph& graph = model.impl().built_graph();
  std::vector<std::shared_ptr<LayerImpl>> layers;
  for (const GraphStep& step : graph.steps()) {
    const bool runs = !step.inputs.empty() || step.layer->class_name() == "InputLayer";
    const bool known = std::ranges::find(layers, step.node->layer) != layers.end();
    if (runs && !known) layers.push_back(step.node->layer);
  }
  return layers;
}

std::vector<std::string> weight_names(const LayerImpl& layer) {
  std::vector<std::string> names;
  for (const Parameter* parameter : layer.parameters()) {
    const std::string base = layer.name + "/" + parameter->name();
    std::string name = base;
    for (int i = 1; std::ranges::find(names, name) != names.end(); ++i) {
      name = base + "_" + std::to_string(i);
    }
    names.push_back(name);
  }
  return names;
}

}  // namespace unroll::io
