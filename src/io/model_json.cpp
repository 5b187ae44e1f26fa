#include "src/io/model_json.h"

#include <algorithm>
#include <map>

#include "src/io/json_describer.h"
#include "src/model/model_impl.h"
#include "unroll/error.h"

namespace unroll::io {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// Numbers in one row of one value: beyond, a model is refused before it is built.
constexpr double most_elements = 1 << 28;

// --- writing ---

class GraphWriter {
 public:
  explicit GraphWriter(const Graph& graph) : graph_(graph) {
    for (std::size_t i = 0; i < graph.steps().size(); ++i) {
      number_[graph.steps()[i].node.get()] = i;
    }
  }

  ordered_json layers() const {
    ordered_json list = ordered_json::array();
    for (const auto& layer : graph_.layers()) {
      ordered_json object = to_json(*layer);
      ordered_json trainable = ordered_json::array();
      for (const Parameter* parameter : layer->parameters()) {
        trainable.push_back(parameter->trainable);
      }
      object["trainable"] = trainable;
      list.push_back(object);
    }
    return list;
  }

  ordered_json nodes() const {
    ordered_json list = ordered_json::array();
    for (const GraphStep& step : graph_.steps()) {
      const auto layer = std::ranges::find(graph_.layers(), step.node->layer);
      ordered_json node = {{"layer", layer - graph_.layers().begin()},
                           {"inputs", ordered_json::array()}};
      // What lies behind an entry of the model is not a part of it.
      if (!step.inputs.empty()) {
        node["inputs"] = symbols(step.node->inputs);
        if (!step.node->masks.empty()) node["masks"] = masks(step.node->masks);
      }
      list.push_back(node);
    }
    return list;
  }

  ordered_json symbols(const Symbols& list) const {
    ordered_json result = ordered_json::array();
    for (const Symbol& one : list) result.push_back(symbol(one));
    return result;
  }

 private:
  /// An input without a mask of its own has null.
  ordered_json masks(const Symbols& list) const {
    ordered_json result = ordered_json::array();
    for (const Symbol& mask : list) result.push_back(mask ? symbol(mask) : ordered_json());
    return result;
  }
  ordered_json symbol(const Symbol& symbol) const {
    return {number_.at(symbol.node().get()), symbol.output()};
  }

  const Graph& graph_;
  std::map<const GraphNode*, std::size_t> number_;
};

// --- reading ---

Error refusal(const std::string& what, Details details = {}) {
  return Error(ErrorKind::format, "the model: " + what, std::move(details));
}

const json& field(const json& object, const char* name, json::value_t type) {
  if (object.is_object()) {
    const auto found = object.find(name);
    if (found != object.end() && found->type() == type) return *found;
  }
  throw refusal(std::string("\"") + name + "\" is missing or something else");
}

/// A position in a list of `count` things.
std::size_t position(const json& value, std::size_t count, const char* what) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() < count) {
    return value.get<std::size_t>();
  }
  throw refusal(std::string("no such ") + what,
                {.got = value.is_primitive() ? value.dump(-1, ' ', true) : value.type_name(),
                 .want = "a number below " + std::to_string(count)});
}

double number_in(const json& config, const char* name) {
  const auto found = config.find(name);
  return found != config.end() && found->is_number() ? found->get<double>() : 1;
}

/// The product of an option that is a size or a list of sizes.
double sizes_in(const json& config, const char* name) {
  const auto found = config.find(name);
  if (found == config.end() || !found->is_array()) return number_in(config, name);
  double product = 1;
  for (const json& size : *found) product *= size.is_number() ? size.get<double>() : 1;
  return product;
}

/// A lower bound of the numbers that a layer's weights have, worked out before anything is
/// allocated. `features` is the size of its input's last axis, `row` of all its axes but the batch.
double least_weights(const json& layer, double features, double row) {
  const auto& class_name = layer["class_name"].get_ref<const std::string&>();
  const json& config = layer["config"];
  const double units = number_in(config, "units");
  if (class_name == "Dense") return features * units;
  if (class_name == "Embedding") {
    return number_in(config, "input_dim") * number_in(config, "output_dim");
  }
  if (class_name.ends_with("Normalization")) {
    return number_in(config, "axis") == -1 ? features : row;
  }
  if (class_name.starts_with("Conv")) {
    return sizes_in(config, "kernel_size") * number_in(config, "filters");
  }
  const bool recurrent = config.contains("units");
  double sum = recurrent ? units * units + features * units : 0;
  for (const json& value : config) {
    // Within a stack only the first cell sees the input, and all have a square of weights.
    const bool stack = value.is_array() && class_name == "StackedRNNCells";
    for (std::size_t i = 0; stack && i < value.size(); ++i) {
      sum += least_weights(value[i], i == 0 ? features : 1, row);
    }
    if (value.is_object() && value.contains("class_name")) {
      sum += least_weights(value, features, row);
    }
  }
  return sum;
}

class GraphReader {
 public:
  GraphReader(const json& object, const WeightCount& weights)
      : object_(object), weights_(weights) {}

  Model read() {
    for (const json& layer : field(object_, "layers", json::value_t::array)) {
      layers_.emplace_back(layer_from_json(layer));
      if (layers_.back().name().empty()) throw refusal("a layer without a name");
    }
    for (const json& node : field(object_, "nodes", json::value_t::array)) connect(node);
    const Symbols inputs = symbols(field(object_, "inputs", json::value_t::array));
    const Symbols outputs = symbols(field(object_, "outputs", json::value_t::array));
    check_ends(inputs, outputs);
    const auto name = field(object_, "name", json::value_t::string).get<std::string>();
    const auto kind = field(object_, "class", json::value_t::string).get<std::string>();
    if (kind == "Sequential") return sequential(name);
    if (kind != "Functional") {
      throw refusal("no such class",
                    {.got = "\"" + kind + "\"", .want = "Sequential or Functional"});
    }
    return Model({.inputs = inputs, .outputs = outputs, .name = name});
  }

 private:
  void connect(const json& node) {
    const std::size_t number =
        position(node.is_object() ? node.value("layer", json()) : json(), layers_.size(), "layer");
    const Layer& layer = layers_[number];
    const Symbols inputs = symbols(field(node, "inputs", json::value_t::array));
    if (inputs.empty() != (layer.class_name() == "InputLayer")) {
      throw refusal("only an InputLayer has no inputs", {.got = "\"" + layer.name() + "\""});
    }
    check_weights(number, inputs);
    const Symbol made = layer.connect(inputs, masks(node));
    for (const Shape& shape : made.node()->shapes) check_size(shape, layer.name());
    used_.push_back(number);
    nodes_.push_back(made);
  }

  Symbols masks(const json& node) const {
    Symbols result;
    if (!node.contains("masks")) return result;
    for (const json& mask : field(node, "masks", json::value_t::array)) {
      result.push_back(mask.is_null() ? Symbol() : symbol(mask));
    }
    return result;
  }

  void check_weights(std::size_t number, const Symbols& inputs) const {
    const Shape shape = inputs.empty() ? Shape{1} : inputs[0].shape();
    double row = 1;
    for (int axis = 1; axis < shape.rank(); ++axis) {
      row *= static_cast<double>(std::max<Index>(shape[axis], 1));
    }
    const double features = static_cast<double>(std::max<Index>(shape[-1], 1));
    const json& layer = object_["layers"][number];
    const double least = least_weights(layer, features, row);
    const std::string& name = layers_[number].name();
    if (least <= static_cast<double>(weights_(name)) || layers_[number].built()) return;
    throw refusal("layer \"" + name + "\" needs more weights than the file holds",
                  {.got = std::to_string(weights_(name)) + " numbers"});
  }

  static void check_size(const Shape& shape, const std::string& name) {
    double elements = 1;
    for (int axis = 1; axis < shape.rank(); ++axis) {
      elements *= static_cast<double>(std::max<Index>(shape[axis], 1));
    }
    if (shape.rank() >= 1 && elements <= most_elements) return;
    throw refusal("layer \"" + name + "\" gives values of an absurd size",
                  {.got = shape.to_string()});
  }

  static void check_ends(const Symbols& inputs, const Symbols& outputs) {
    const bool good = !inputs.empty() && !outputs.empty() &&
                      std::ranges::all_of(inputs, [](const Symbol& symbol) {
                        return symbol.node()->layer->class_name() == "InputLayer";
                      });
    if (!good) throw refusal("its inputs and outputs are not InputLayers and layers after them");
  }

  Symbol symbol(const json& value) const {
    if (!value.is_array() || value.size() != 2) throw refusal("a connection is not [node, output]");
    const Symbol& node = nodes_[position(value[0], nodes_.size(), "node so far")];
    const std::size_t output = position(value[1], node.node()->shapes.size(), "output");
    return Symbol(node.node(), static_cast<int>(output));
  }

  Symbols symbols(const json& list) const {
    Symbols result;
    for (const json& value : list) result.push_back(symbol(value));
    return result;
  }

  Model sequential(const std::string& name) const {
    std::vector<Layer> order;
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const Symbols& inputs = nodes_[i].node()->inputs;
      const bool next =
          i == 0 ? inputs.empty() : inputs.size() == 1 && inputs[0].node() == nodes_[i - 1].node();
      if (!next) throw refusal("a Sequential whose layers do not follow one another");
      order.push_back(layers_[used_[i]]);
    }
    return Sequential(std::move(order), name);
  }

  const json& object_;
  const WeightCount& weights_;
  std::vector<Layer> layers_;
  std::vector<std::size_t> used_;  ///< the layer of each node
  std::vector<Symbol> nodes_;
};

}  // namespace

ordered_json to_json(const Model& model) {
  const Graph& graph = model.impl().built_graph();
  const GraphWriter writer(graph);
  return {{"class", model.impl().sequential ? "Sequential" : "Functional"},
          {"name", model.name()},
          {"layers", writer.layers()},
          {"nodes", writer.nodes()},
          {"inputs", writer.symbols(graph.input_symbols())},
          {"outputs", writer.symbols(graph.output_symbols())}};
}

Model model_from_json(const json& object, const WeightCount& weights) {
  return GraphReader(object, weights).read();
}

const std::vector<std::shared_ptr<LayerImpl>>& layers_of(const Model& model) {
  return model.impl().built_graph().layers();
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
