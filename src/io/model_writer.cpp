#include "src/io/model_writer.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "src/io/keras_values.h"
#include "src/io/options_writer.h"
#include "src/io/registry.h"
#include "src/model/model_impl.h"
#include "src/model/nested.h"
#include "unroll/error.h"

namespace unroll::io {

namespace {

/// Whether training changes it; a cell is as its layer is.
bool trains(const Component& component) {
  const auto* layer = dynamic_cast<const LayerImpl*>(&component);
  return layer == nullptr || layer->trainable();
}

/// Whether training changes any layer of it.
bool trains(const Graph& graph) {
  return std::ranges::any_of(graph.layers(), [](const auto& layer) {
    return layer->class_name() != "InputLayer" && trains(*layer);
  });
}

/// What is written of a layer itself, and what Keras wants with each of its calls.
struct Described {
  Json object;
  Json call;  ///< keyword arguments
  Json key;   ///< of GetItem; null for others
};
using Describe = std::function<Described(Component&, const std::string& name)>;

Json with_build_config(Json object, const GraphNode& node) {
  const bool has_weights = !node.layer->parameters().empty() && !object.contains("build_config");
  if (has_weights && node.inputs.size() == 1) {
    object["build_config"] = {{"input_shape", to_json(node.inputs[0].shape(), true)}};
  }
  return object;
}

Json input_layer(const std::string& name, const Shape& shape, DType dtype) {
  return {{"module", "keras.layers"},
          {"class_name", "InputLayer"},
          {"config",
           {{"batch_shape", to_json(shape, true)},
            {"dtype", to_string(dtype)},
            {"sparse", false},
            {"ragged", false},
            {"name", name},
            {"optional", false}}},
          {"registered_name", nullptr}};
}

/// The layers and nodes of one Functional model.
class GraphWriter {
 public:
  GraphWriter(const Graph& graph, DType dtype, Describe describe)
      : graph_(graph), dtype_(dtype), describe_(std::move(describe)) {
    for (const GraphStep& step : graph.steps()) taken_.insert(step.layer->name);
    for (const GraphStep& step : graph.steps()) {
      // A model may begin behind another layer; that end is an input of its own then.
      const bool entry = step.inputs.empty() && step.layer->class_name() != "InputLayer";
      if (entry) entries_[step.node.get()] = free_name(step.layer->name + "_input");
    }
    number_nodes();
  }

  Json config(const std::string& name) {
    Json layers = Json::array();
    std::set<const LayerImpl*> written;
    for (const GraphStep& step : graph_.steps()) {
      if (entries_.contains(step.node.get())) {
        add_entries(*step.node, layers);
      } else if (written.insert(step.layer).second) {
        layers.push_back(layer(*step.layer));
      }
    }
    for (const auto& [mask, mask_name] : masks_) layers.push_back(not_equal(mask, mask_name));
    return {{"name", name},
            {"trainable", trains(graph_)},
            {"layers", layers},
            {"input_layers", ends(graph_.input_symbols())},
            {"output_layers", ends(graph_.output_symbols())}};
  }

 private:
  std::string free_name(const std::string& base) {
    std::string name = base;
    for (int i = 1; !taken_.insert(name).second; ++i) name = base + "_" + std::to_string(i);
    return name;
  }

  /// The nodes of a layer in the order in which they were made, as Keras counts them.
  void number_nodes() {
    std::vector<const GraphStep*> made;
    for (const GraphStep& step : graph_.steps()) made.push_back(&step);
    std::ranges::sort(made, {}, [](const GraphStep* step) { return step->node->serial; });
    for (const GraphStep* step : made) {
      if (entries_.contains(step->node.get())) continue;
      std::vector<const GraphNode*>& nodes = nodes_[step->layer];
      numbers_[step->node.get()] = nodes.size();
      nodes.push_back(step->node.get());
    }
  }

  // --- layers ---

  void add_entries(const GraphNode& node, Json& layers) {
    for (std::size_t i = 0; i < node.shapes.size(); ++i) {
      const std::string name = entry_name(node, static_cast<int>(i));
      layers.push_back(placed(input_layer(name, node.shapes[i], dtype_), name, Json::array()));
    }
  }
  std::string entry_name(const GraphNode& node, int output) const {
    const std::string& name = entries_.at(&node);
    return output == 0 ? name : name + "_" + std::to_string(output);
  }

  static Json placed(Json object, const std::string& name, Json nodes) {
    object["name"] = name;
    object["inbound_nodes"] = std::move(nodes);
    return object;
  }

  Json layer(LayerImpl& layer) {
    const std::vector<const GraphNode*>& nodes = nodes_.at(&layer);
    if (layer.class_name() == "InputLayer") {
      const DType dtype = holds_ids(layer) ? DType::int32 : dtype_;
      return placed(input_layer(layer.name, nodes[0]->shapes[0], dtype), layer.name, Json::array());
    }
    const Described described = describe_(layer, layer.name);
    Json list = Json::array();
    for (const GraphNode* node : nodes) list.push_back(call(*node, described));
    return placed(with_build_config(described.object, *nodes[0]), layer.name, std::move(list));
  }

  /// Keras has masks of true and false; ours keep what is not 0.
  Json not_equal(const Symbol& mask, const std::string& name) const {
    Json node = {{"args", Json::array({tensor(mask), 0})}, {"kwargs", Json::object()}};
    return placed({{"module", "keras.src.ops.numpy"},
                   {"class_name", "NotEqual"},
                   {"config", {{"name", name}}},
                   {"registered_name", "NotEqual"}},
                  name, Json::array({std::move(node)}));
  }

  // --- calls ---

  static bool takes_a_list(std::string_view class_name) {
    constexpr std::array<std::string_view, 10> names{
        "Add",     "Subtract",    "Multiply", "Average",   "Maximum",
        "Minimum", "Concatenate", "Dot",      "Attention", "AdditiveAttention"};
    return std::ranges::find(names, class_name) != names.end();
  }

  Json call(const GraphNode& node, const Described& described) {
    const std::string_view class_name = node.layer->class_name();
    const bool states = is_recurrent(class_name) && node.inputs.size() > 1;
    Json inputs = Json::array(), kwargs = Json::object();
    for (const Symbol& input : node.inputs) inputs.push_back(tensor(input));
    Json args = Json::array();
    if (class_name == "MultiHeadAttention") {
      args = inputs;
    } else if (states || (inputs.size() == 1 && !takes_a_list(class_name))) {
      args.push_back(inputs[0]);
    } else {
      args.push_back(inputs);
    }
    if (states) {
      inputs.erase(0);
      kwargs["initial_state"] = inputs;
    }
    if (!described.key.is_null()) args.push_back(described.key);
    kwargs.update(described.call);
    add_masks(node, kwargs);
    return {{"args", args}, {"kwargs", kwargs}};
  }

  void add_masks(const GraphNode& node, Json& kwargs) {
    if (node.masks.empty()) return;
    Json masks = Json::array();
    for (const Symbol& mask : node.masks) {
      masks.push_back(mask ? mask_tensor(mask) : Json());
    }
    constexpr std::array<const char*, 3> names{"query_mask", "value_mask", "key_mask"};
    if (node.layer->class_name() == "MultiHeadAttention") {
      for (std::size_t i = 0; i < std::min(masks.size(), names.size()); ++i) {
        if (!masks[i].is_null()) kwargs[names[i]] = masks[i];
      }
    } else {
      const bool one = node.inputs.size() == 1 || is_recurrent(node.layer->class_name());
      kwargs["mask"] = one ? masks[0] : masks;
    }
  }

  // --- tensors ---

  bool holds_ids(const LayerImpl& layer) const {
    return std::ranges::any_of(graph_.inputs(), [&](const GraphInput& input) {
      return input.ids && input.layer == &layer;
    });
  }

  static Json tensor(const Shape& shape, std::string_view dtype, Json history) {
    return {{"class_name", "__keras_tensor__"},
            {"config",
             {{"shape", to_json(shape, true)},
              {"dtype", dtype},
              {"keras_history", std::move(history)}}}};
  }
  Json tensor(const Symbol& symbol) const {
    const DType dtype = holds_ids(*symbol.node()->layer) ? DType::int32 : dtype_;
    return tensor(symbol.shape(), to_string(dtype), history(symbol));
  }
  Json mask_tensor(const Symbol& mask) {
    auto found = std::ranges::find_if(masks_, [&](const auto& known) {
      return known.first.node() == mask.node() && known.first.output() == mask.output();
    });
    if (found == masks_.end()) {
      masks_.emplace_back(mask, free_name("not_equal"));
      found = masks_.end() - 1;
    }
    return tensor(mask.shape(), "bool", {found->second, 0, 0});
  }

  /// [layer, node, output]
  Json history(const Symbol& symbol) const {
    const GraphNode& node = *symbol.node();
    if (entries_.contains(&node)) return {entry_name(node, symbol.output()), 0, 0};
    return {node.layer->name, numbers_.at(&node), symbol.output()};
  }

  Json ends(const Symbols& symbols) const {
    Json list = Json::array();
    for (const Symbol& symbol : symbols) {
      Json end = history(symbol);
      // Here, and only here, Keras counts the node that a Functional model has of itself.
      const bool offset = symbol.node()->layer->class_name() == "Functional" &&
                          !entries_.contains(symbol.node().get());
      if (offset) end[1] = end[1].get<std::size_t>() + 1;
      list.push_back(end);
    }
    return list.size() == 1 ? list[0] : list;
  }

  const Graph& graph_;
  DType dtype_;
  Describe describe_;
  std::set<std::string> taken_;
  std::map<const GraphNode*, std::string> entries_;
  std::map<const LayerImpl*, std::vector<const GraphNode*>> nodes_;
  std::map<const GraphNode*, std::size_t> numbers_;
  std::vector<std::pair<Symbol, std::string>> masks_;  ///< explicit ones, and their nodes' names
};

class ModelWriter {
 public:
  ModelWriter(const ModelImpl& model, DType dtype) : dtype_(dtype) { count(model); }

  Json write(const ModelImpl& model, const std::string& name) {
    return model.sequential ? sequential(model, name) : functional(model, name);
  }

 private:
  void count(const ModelImpl& model) {
    const auto count_layer = [&](Component& layer) {
      ++places_[&layer];
      if (const auto* nested = dynamic_cast<const NestedModel*>(&layer)) count(*nested->model());
    };
    if (model.sequential) {
      for (const Layer& layer : model.sequence) count_layer(layer.impl());
    } else {
      for (const auto& layer : model.built_graph().layers()) count_layer(*layer);
    }
  }

  Json functional(const ModelImpl& model, const std::string& name) {
    GraphWriter writer(*model.graph, dtype_, [this](Component& layer, const std::string& its_name) {
      return describe(layer, its_name);
    });
    return {{"module", "keras.src.models.functional"},
            {"class_name", "Functional"},
            {"config", writer.config(name)},
            {"registered_name", "Functional"},
            {"build_config", {{"input_shape", nullptr}}}};
  }

  Json sequential(const ModelImpl& model, const std::string& name) {
    Json layers = Json::array();
    if (model.graph != nullptr) {
      const bool ids = model.graph->inputs()[0].ids;
      for (const GraphStep& step : model.graph->steps()) layers.push_back(in_sequence(step, ids));
    } else {
      std::set<std::string> taken;
      for (const Layer& layer : model.sequence) layers.push_back(unbuilt(layer.impl(), taken));
    }
    Json object = {{"module", "keras"},
                   {"class_name", "Sequential"},
                   {"config",
                    {{"name", name},
                     {"trainable", model.graph == nullptr || trains(*model.graph)},
                     {"dtype", to_json(dtype_)},
                     {"layers", layers}}},
                   {"registered_name", nullptr}};
    if (model.graph != nullptr) {
      const Json shape = to_json(model.graph->inputs()[0].shape, true);
      object["config"]["build_input_shape"] = shape;
      object["build_config"] = {{"input_shape", shape}};
    }
    return object;
  }

  Json in_sequence(const GraphStep& step, bool ids) {
    if (step.inputs.empty()) {
      return input_layer(step.layer->name, step.node->shapes[0], ids ? DType::int32 : dtype_);
    }
    return with_build_config(alone(*step.layer, step.layer->name), *step.node);
  }

  Json unbuilt(LayerImpl& layer, std::set<std::string>& taken) {
    const std::string base = layer.name.empty() ? snake_case(layer.class_name()) : layer.name;
    std::string name = base;
    for (int i = 1; !taken.insert(name).second; ++i) name = base + "_" + std::to_string(i);
    return alone(layer, name);
  }

  /// A layer or cell without calls of its own in the text.
  Json alone(Component& component, const std::string& name) {
    Described described = describe(component, name);
    if (!described.key.is_null()) described.object["config"]["key"] = described.key;
    return std::move(described.object);
  }

  Described describe(Component& component, const std::string& name) {
    Described described;
    if (const auto* nested = dynamic_cast<const NestedModel*>(&component)) {
      described.object = write(*nested->model(), name);
    } else {
      describe_options(component, name, described);
    }
    // Keras, too, makes one object of what says the same number.
    if (places_[&component] > 1) {
      const auto id = ids_.try_emplace(&component, ids_.size() + 1).first->second;
      described.object["shared_object_id"] = id;
    }
    return described;
  }

  void describe_options(Component& component, const std::string& name, Described& described) {
    const std::string_view class_name = component.class_name();
    if (!is_layer(class_name) && !is_cell(class_name)) {
      throw Error(ErrorKind::unsupported,
                  "no description of your own class " + std::string(class_name),
                  {.hint = "a file or copy holds unroll's layers and cells only; keep the weights "
                           "by get_weights(), and make the model again in your program"});
    }
    OptionsWriter writer(class_name, [this](Component& inner) { return alone(inner, inner.name); });
    component.describe(writer);
    const bool operation = class_name == "GetItem";
    Json config = Json::object();
    if (!name.empty()) config["name"] = name;
    if (!operation) {
      config["trainable"] = trains(component);
      config["dtype"] = to_json(dtype_);
    }
    config.update(writer.config);
    described.object = {{"module", operation ? "keras.src.ops.numpy" : "keras.layers"},
                        {"class_name", class_name},
                        {"config", std::move(config)},
                        {"registered_name", operation ? Json(class_name) : Json()}};
    described.call = std::move(writer.call);
    described.key = std::move(writer.key);
  }

  DType dtype_;
  std::map<const Component*, int> places_;  ///< how often models list a layer
  std::map<const Component*, std::size_t> ids_;
};

}  // namespace

Json model_to_json(const Model& model) {
  const ModelImpl& impl = model.impl();
  return ModelWriter(impl, impl.dtype).write(impl, impl.name);
}

}  // namespace unroll::io
