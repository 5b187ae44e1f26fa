#include "src/model/graph.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "src/model/nested.h"
#include "unroll/error.h"

namespace unroll {

std::string snake_case(std::string_view class_name) {
  const auto upper = [&](std::size_t i) {
    return i < class_name.size() && std::isupper(static_cast<unsigned char>(class_name[i])) != 0;
  };
  const auto lower = [&](std::size_t i) {
    return i < class_name.size() && std::islower(static_cast<unsigned char>(class_name[i])) != 0;
  };
  std::string name;
  for (std::size_t i = 0; i < class_name.size(); ++i) {
    const bool word_begins = i > 0 && upper(i) && (lower(i - 1) || lower(i + 1));
    if (word_begins) name += '_';
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(class_name[i])));
  }
  return name;
}

/// Depth-first from the outputs: order of finishing, and the longest way to an output.
struct Graph::Sorter {
  std::vector<std::shared_ptr<GraphNode>> finished;
  std::unordered_map<const GraphNode*, int> depth;
  std::set<const GraphNode*> done;
  std::set<const GraphNode*> ends;  // inputs of the model: nothing behind them is run

  void visit(const std::shared_ptr<GraphNode>& node) {
    if (!done.insert(node.get()).second) return;
    if (!ends.contains(node.get())) {
      for (const Symbol& input : node->inputs) visit(input.node());
      for (const Symbol& mask : node->masks) {
        if (mask) visit(mask.node());
      }
    }
    finished.push_back(node);
  }

  void deepen() {
    // Consumers finish after producers, so one pass backwards settles every depth.
    for (auto it = finished.rbegin(); it != finished.rend(); ++it) {
      if (ends.contains(it->get())) continue;
      const int below = depth[it->get()] + 1;
      const auto raise = [&](const Symbol& symbol) {
        int& known = depth[symbol.node().get()];
        known = std::max(known, below);
      };
      for (const Symbol& input : (*it)->inputs) raise(input);
      for (const Symbol& mask : (*it)->masks) {
        if (mask) raise(mask);
      }
    }
  }
};

Graph::Graph(const Symbols& inputs, const Symbols& outputs)
    : input_symbols_(inputs), output_symbols_(outputs) {
  Sorter sorter;
  for (const Symbol& input : inputs) sorter.ends.insert(input.single().node().get());
  for (const Symbol& output : outputs) sorter.visit(output.single().node());
  for (const Symbol& input : inputs) sorter.visit(input.node());
  sorter.deepen();
  std::stable_sort(
      sorter.finished.begin(), sorter.finished.end(),
      [&](const auto& a, const auto& b) { return sorter.depth[a.get()] > sorter.depth[b.get()]; });

  std::unordered_map<const GraphNode*, std::size_t> first_slot;
  const auto slot_of = [&](const Symbol& symbol) {
    return first_slot.at(symbol.node().get()) + static_cast<std::size_t>(symbol.output());
  };
  for (const auto& node : sorter.finished) {
    GraphStep step;
    step.node = node;
    step.layer = node->layer.get();
    step.depth = sorter.depth[node.get()];
    const bool entry = sorter.ends.contains(node.get());
    if (!entry && node->inputs.empty()) {
      throw Error(ErrorKind::value,
                  "a model's output depends on an Input that is not among its inputs",
                  {.got = "\"" + node->layer->name + "\"", .hint = "add it to .inputs"});
    }
    if (!entry) {
      for (const Symbol& input : node->inputs) step.inputs.push_back(slot_of(input));
      for (const Symbol& mask : node->masks) {
        step.masks.push_back(mask ? slot_of(mask) : GraphStep::no_slot);
      }
    }
    step.first_output = slots_;
    step.outputs = node->shapes.size();
    first_slot[node.get()] = slots_;
    slots_ += step.outputs;
    steps_.push_back(step);
    const bool known = std::ranges::find(layers_, node->layer) != layers_.end();
    if (!known) layers_.push_back(node->layer);
  }
  for (const Symbol& output : outputs) output_slots_.push_back(slot_of(output));
  for (const auto& layer : layers_) {
    for (Parameter* parameter : layer->parameters()) {
      // A layer may stand in the graph and in a nested model of it.
      const bool known = std::ranges::find(parameters_, parameter) != parameters_.end();
      if (!known) parameters_.push_back(parameter);
    }
    makes_masks_ = makes_masks_ || layer->makes_masks();
    whole_batch_ = whole_batch_ || layer->whole_batch();
    add_layer(*layer);
  }
  read_inputs(inputs);
  name_layers();
}

void Graph::add_layer(LayerImpl& layer) {
  all_layers_.push_back(&layer);
  if (!layer.state_shapes(1).empty()) stateful_.push_back(&layer);
  if (const auto* nested = dynamic_cast<const NestedModel*>(&layer)) {
    for (const auto& inner : nested->graph().layers()) add_layer(*inner);
  }
}

void Graph::read_inputs(const Symbols& inputs) {
  for (const Symbol& symbol : inputs) {
    const auto entry = std::ranges::find_if(
        steps_, [&](const GraphStep& step) { return step.node == symbol.node(); });
    GraphInput input{.slot = entry->first_output + static_cast<std::size_t>(symbol.output()),
                     .shape = symbol.shape(),
                     .layer = entry->layer};
    for (const GraphStep& step : steps_) {
      if (std::ranges::find(step.masks, input.slot) != step.masks.end()) input.padding = 0.0;
      const auto used = std::ranges::find(step.inputs, input.slot);
      if (used == step.inputs.end()) continue;
      const Order order = step.layer->order();
      const bool ids = step.layer->takes_ids(static_cast<std::size_t>(used - step.inputs.begin()));
      input.ids = input.ids || ids;
      if (step.layer->padding()) input.padding = step.layer->padding();
      const bool sequence = input.shape.rank() >= 3 || (ids && input.shape.rank() == 2);
      input.time_first = input.time_first || (sequence && order != Order::batch_first);
    }
    inputs_.push_back(input);
  }
}

void Graph::name_layers() {
  std::vector<const GraphStep*> written;
  for (const GraphStep& step : steps_) written.push_back(&step);
  std::ranges::sort(written, {}, [](const GraphStep* step) { return step->node->serial; });
  std::set<std::string> taken;
  std::set<const LayerImpl*> seen;
  for (const auto& layer : layers_) {
    if (layer->name.empty()) continue;
    if (!taken.insert(layer->name).second) {
      throw Error(ErrorKind::value, "two layers of a model have the same name",
                  {.got = "\"" + layer->name + "\" twice"});
    }
  }
  for (const GraphStep* step : written) {
    if (!step->layer->name.empty()) continue;
    const std::string base = snake_case(step->layer->class_name());
    std::string name = base;
    for (int i = 1; taken.contains(name); ++i) name = base + "_" + std::to_string(i);
    taken.insert(name);
    step->layer->name = name;
  }
}

namespace {

void number_components(Component& component, std::uint32_t& next) {
  component.ordinal = next++;
  for (const auto& child : component.children()) number_components(*child, next);
}

}  // namespace

void Graph::number() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i]->position = i;
  std::uint32_t next = 1;
  for (const auto& layer : layers_) number_components(*layer, next);
}

}  // namespace unroll
