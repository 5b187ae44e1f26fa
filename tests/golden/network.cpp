// Graphs made of what the reference data says of their nodes.
#include "tests/golden/cases.h"

namespace unroll::golden {

namespace {

/// "enc:1" is output 1 of node enc; without a colon output 0.
Symbol resolve(const std::map<std::string, Symbol>& known, const std::string& reference) {
  const std::size_t colon = reference.find(':');
  const Symbol& symbol = known.at(reference.substr(0, colon));
  const int output = colon == std::string::npos ? 0 : std::stoi(reference.substr(colon + 1));
  return Symbol(symbol.node(), output);
}

Symbols resolve_all(const std::map<std::string, Symbol>& known, const Json& references) {
  Symbols symbols;
  for (const Json& reference : references) {
    symbols.push_back(reference.is_null() ? Symbol()
                                          : resolve(known, reference.get<std::string>()));
  }
  return symbols;
}

/// Arguments of a call that are options of the layer here.
bool is_option(const std::string& name) {
  return name == "use_causal_mask" || name == "return_attention_scores";
}

/// The node with such arguments among the layer's.
Json whole(Json node) {
  const Json call = node.value("call", Json::object());
  for (const auto& [name, value] : call.items()) {
    if (is_option(name)) node["kwargs"][name] = value;
  }
  return node;
}

/// Calls a layer with what the node names: inputs, mask, initial_state.
Symbol call_node(const Json& node, const Layer& layer, const std::map<std::string, Symbol>& known,
                 bool& training) {
  Symbols inputs = resolve_all(known, node.at("inputs"));
  Symbols masks;
  const Json call = node.value("call", Json::object());
  for (const auto& [name, value] : call.items()) {
    if (name == "initial_state") {
      const Symbols states = resolve_all(known, value);
      inputs.insert(inputs.end(), states.begin(), states.end());
    } else if (name == "mask") {
      masks = resolve_all(known, value.is_array() ? value : Json::array({value}));
    } else if (is_option(name)) {
      continue;
    } else if (name == "training") {
      training = value.get<bool>();
    } else {
      throw Skip("no call argument " + name + " of " + std::string(layer.class_name()));
    }
  }
  return layer.connect(inputs, masks);
}

}  // namespace

Network make_network(const Json& spec, const std::vector<std::pair<std::string, Shape>>& inputs) {
  Network network;
  std::map<std::string, Symbol> known;
  for (const auto& [name, shape] : inputs) {
    const Symbol input = Input({.shape = shape.slice(1, shape.rank())});
    known[name] = input;
    network.inputs.push_back(input);
    network.input_names.push_back(name);
  }
  // All layers before any use of one: a class that is missing is the better reason to skip.
  for (const Json& node : spec.at("nodes")) {
    network.layers.emplace(node.at("name").get<std::string>(), Layer(make_layer(whole(node))));
  }
  for (const Json& node : spec.at("nodes")) {
    const auto name = node.at("name").get<std::string>();
    known[name] = call_node(node, network.layers.at(name), known, network.training);
  }
  network.outputs = resolve_all(known, spec.at("outputs"));
  return network;
}

void load_weights(const Recorded& recorded, Network& network) {
  std::map<std::string, std::vector<Tensor>> weights;
  for (const Json& weight : recorded.spec.at("weights")) {
    weights[weight.at("node")].push_back(recorded.tensors.at(weight.at("key")));
  }
  for (auto& [name, layer] : network.layers) {
    for (Parameter* parameter : layer.impl().parameters()) {
      parameter->move_to(Tensor(parameter->shape(), recorded.dtype));
    }
    layer.set_weights(weights[name]);
  }
}

}  // namespace unroll::golden
