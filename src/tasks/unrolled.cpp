#include "unroll/unrolled.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <map>
#include <optional>

#include "src/model/model_impl.h"
#include "src/recurrent/cell_step.h"
#include "src/recurrent/walker.h"
#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {

namespace {

/// A value of the unrolled graph: whole, by steps, or both, as soon as somebody asks.
struct Value {
  Symbol whole;
  std::vector<Symbol> steps;
};

Error refusal(const LayerImpl& layer, const char* got) {
  return Error(ErrorKind::unsupported,
               fmt::format("{} \"{}\" cannot be unrolled in time", layer.class_name(), layer.name),
               {.got = got});
}

class Unroller {
 public:
  Unroller(const Graph& graph, Index steps)
      : graph_(graph), steps_(steps), values_(graph.slots()) {}

  Model model(const std::string& name) {
    Symbols inputs, outputs;
    for (const GraphInput& input : graph_.inputs()) {
      values_[input.slot].whole = Input({.shape = row_of(input), .name = input.layer->name});
      inputs.push_back(values_[input.slot].whole);
    }
    for (const GraphStep& step : graph_.steps()) {
      if (!step.inputs.empty()) add(step);
    }
    for (const std::size_t slot : graph_.outputs()) outputs.push_back(whole(slot));
    return Model({.inputs = inputs, .outputs = outputs, .name = name});
  }

 private:
  Shape row_of(const GraphInput& input) const {
    Shape row = input.shape.without(0);
    if (row.rank() == 0) return row;
    if (row[0] == unknown) row.set(0, steps_);
    return row;
  }

  void add(const GraphStep& step) {
    if (const auto* walker = dynamic_cast<const WalkerImpl*>(step.layer)) {
      add_walk(step, *walker);
      return;
    }
    if (step.layer->class_name() == "Bidirectional") {
      throw refusal(*step.layer, "a layer that reads in both directions");
    }
    Symbols inputs;
    for (const std::size_t slot : step.inputs) inputs.push_back(whole(slot));
    const Symbol made = Layer(step.node->layer)(inputs);
    for (std::size_t i = 0; i < step.outputs; ++i) {
      values_[step.first_output + i].whole = Symbol(made.node(), static_cast<int>(i));
    }
  }

  void add_walk(const GraphStep& step, const WalkerImpl& walker) {
    if (walker.walk().stateful) throw refusal(walker, "a stateful layer");
    const std::vector<Symbol> x = by_steps(step.inputs[0], walker);
    Symbols states;
    for (std::size_t i = 1; i < step.inputs.size(); ++i) states.push_back(whole(step.inputs[i]));
    Value& result = values_[step.first_output];
    for (Index s = 0; s < steps_; ++s) {
      auto layer = std::make_shared<CellStepImpl>(walker.cell());
      layer->name = fmt::format("{}_step_{}", walker.name, s);
      Symbols inputs = x[static_cast<std::size_t>(walker.walk().go_backwards ? steps_ - 1 - s : s)];
      inputs.insert(inputs.end(), states.begin(), states.end());
      const Symbol made = Layer(layer)(inputs);
      states.clear();
      for (std::size_t i = 0; i < walker.states(); ++i) {
        states.push_back(Symbol(made.node(), static_cast<int>(i + 1)));
      }
      const Symbol output(made.node(), 0);
      result.whole = output;
      if (walker.walk().return_sequences) result.steps.push_back(output);
    }
    if (walker.walk().return_sequences) result.whole = Symbol();
    for (std::size_t i = 0; walker.walk().return_state && i < states.size(); ++i) {
      values_[step.first_output + 1 + i].whole = states[i];
    }
  }

  const std::vector<Symbol>& by_steps(std::size_t slot, const LayerImpl& reader) {
    Value& value = values_[slot];
    if (!value.steps.empty()) return value.steps;
    const Index have = value.whole.shape()[1];
    if (have != unknown && have != steps_) {
      throw Error(
          ErrorKind::value,
          fmt::format("{} \"{}\" reads another number of steps", reader.class_name(), reader.name),
          {.got = std::to_string(steps_), .want = std::to_string(have)});
    }
    for (Index t = 0; t < steps_; ++t) value.steps.push_back(value.whole[{all, t, all}]);
    return value.steps;
  }

  const Symbol& whole(std::size_t slot) {
    Value& value = values_[slot];
    if (value.whole) return value.whole;
    Symbols rows;
    for (const Symbol& step : value.steps) rows.push_back(Reshape({1, step.shape()[1]})(step));
    value.whole = rows.size() == 1 ? rows[0] : Concatenate({.axis = 1})(rows);
    return value.whole;
  }

  const Graph& graph_;
  Index steps_;
  std::vector<Value> values_;  // by slots of the graph
};

/// The steps of all inputs that are sequences.
Index steps_in(const Graph& graph, const Data& x) {
  for (std::size_t i = 0; i < graph.inputs().size() && i < x.size(); ++i) {
    const bool sequence = graph.inputs()[i].shape.rank() >= (graph.inputs()[i].ids ? 2 : 3);
    if (sequence && x[i].row_shape().rank() >= 1) return x[i].row_shape()[0];
  }
  throw Error(ErrorKind::shape, "gradients_by_step: no input is a sequence");
}

Tensor gradient_of(const Var& state) {
  Tensor gradient(state.shape(), state.dtype());
  if (state.has_gradient()) {
    std::memcpy(gradient.raw(), state.gradient<std::byte>(),
                static_cast<std::size_t>(gradient.bytes()));
  }
  return gradient;
}

double length(const Tensor& tensor) {
  const Tensor exact = tensor.to(DType::float64);
  double sum = 0;
  for (const double value : exact.values<double>()) sum += value * value;
  return std::sqrt(sum);
}

}  // namespace

Model unroll_in_time(const Model& model, Index steps) {
  if (steps < 1) {
    throw Error(ErrorKind::value, "unroll_in_time: no such number of steps",
                {.got = std::to_string(steps), .want = "1 or more"});
  }
  const Graph& graph = model.impl().built_graph();
  if (graph.makes_masks()) {
    throw Error(ErrorKind::unsupported, "unroll_in_time: the model masks steps",
                {.hint = "build it without mask_zero or Masking"});
  }
  // Weights that nobody has set have their first values in both models.
  model.impl().ready(false);
  Model flat = Unroller(graph, steps).model(model.name() + "_unrolled");
  if (model.impl().compiled) flat.compile(*model.impl().compiled);
  flat.set_dtype(model.impl().dtype);
  return flat;
}

std::vector<StepGradients> gradients_by_step(const Model& model, const Data& x, const Data& y) {
  const Graph& graph = model.impl().built_graph();
  const Index steps = steps_in(graph, x);
  const Model flat = unroll_in_time(model, steps);
  Trainer& trainer = flat.impl().ready(true);
  trainer.check(x, &y);
  const Lane& lane = trainer.backpropagate(x, y);
  std::vector<StepGradients> result;
  for (const GraphStep& step : graph.steps()) {
    const auto* walker = dynamic_cast<const WalkerImpl*>(step.layer);
    if (walker == nullptr) continue;
    StepGradients of{.layer = walker->name, .gradients = {}, .norms = {}};
    for (Index t = 0; t < steps; ++t) {
      const Index s = walker->walk().go_backwards ? steps - 1 - t : t;
      const std::string name = fmt::format("{}_step_{}", walker->name, s);
      for (const GraphStep& one : flat.impl().built_graph().steps()) {
        if (one.layer->name != name) continue;
        of.gradients.push_back(gradient_of(lane.value(one.first_output + 1)));
        of.norms.push_back(length(of.gradients.back()));
      }
    }
    result.push_back(std::move(of));
  }
  // The weights went into the flat model's vector: back to where the model trains them.
  if (model.impl().compiled) model.impl().ready(true);
  return result;
}

}  // namespace unroll
