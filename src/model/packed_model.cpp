#include "src/model/packed_model.h"

#include <algorithm>
#include <map>

#include "src/base/aligned.h"
#include "src/layers/plain.h"
#include "src/model/model_impl.h"
#include "src/model/nested.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Goes through a graph, and through the models inside it, and lists their nodes.
class Packer {
 public:
  explicit Packer(PackedModel::Impl& packed) : packed_(packed) {}

  void pack(const Graph& graph) {
    std::vector<std::size_t> inputs;
    for (const GraphInput& input : graph.inputs()) inputs.push_back(add_input(input));
    packed_.inputs = inputs;
    packed_.outputs = pack(graph, inputs);
    packed_.scratch = packed_.numbers;
    packed_.numbers += scratch_;
  }

 private:
  /// Numbers of a session, on cache lines of their own.
  Index take(Index count) {
    const Index at = packed_.numbers;
    packed_.numbers += kernels::gemv_room(count);
    return at;
  }

  std::size_t add_input(const GraphInput& input) {
    StreamValue value;
    const Shape& shape = input.shape;
    value.ids = input.ids;
    value.timed = shape.rank() >= 3 || (input.ids && shape.rank() == 2);
    value.step = shape.slice(value.timed ? 2 : 1, shape.rank());
    expect_known(value, *input.layer);
    if (input.ids && value.step.rank() > 0) {
      throw Error(ErrorKind::unsupported, titled(*input.layer) + ": several ids in one step",
                  {.got = shape.to_string(), .want = "(batch, time)"});
    }
    value.at = value.ids ? packed_.ids++ : take(value.size());
    packed_.values.push_back(value);
    return packed_.values.size() - 1;
  }

  static void expect_known(const StreamValue& value, const Component& layer) {
    if (value.step.known()) return;
    throw Error(ErrorKind::shape, titled(layer) + ": the size of a step is not known",
                {.got = value.step.to_string(),
                 .hint = "only the batch and the time of an input may be unknown"});
  }

  /// The values of the outputs, from those of the inputs.
  std::vector<std::size_t> pack(const Graph& graph, const std::vector<std::size_t>& inputs) {
    std::vector<std::size_t> slots(graph.slots());
    for (std::size_t i = 0; i < inputs.size(); ++i) slots[graph.inputs()[i].slot] = inputs[i];
    for (const GraphStep& step : graph.steps()) {
      if (step.inputs.empty()) continue;
      expect_no_masks(step);
      std::vector<std::size_t> given;
      for (const std::size_t slot : step.inputs) given.push_back(slots[slot]);
      const auto* nested = dynamic_cast<const NestedModel*>(step.layer);
      const std::vector<std::size_t> made =
          nested != nullptr ? pack(nested->graph(), given) : add(step, given);
      for (std::size_t i = 0; i < made.size(); ++i) slots[step.first_output + i] = made[i];
    }
    std::vector<std::size_t> outputs;
    for (const std::size_t slot : graph.outputs()) outputs.push_back(slots[slot]);
    return outputs;
  }

  static void expect_no_masks(const GraphStep& step) {
    if (step.masks.empty()) return;
    throw Error(ErrorKind::unsupported, titled(*step.layer) + ": cannot go step by step",
                {.got = "a mask that the model is given"});
  }

  std::vector<std::size_t> add(const GraphStep& step, const std::vector<std::size_t>& inputs) {
    StreamNode node;
    node.layer = step.node->layer;
    node.inputs = inputs;
    std::vector<Shape> whole, steps;
    for (const std::size_t i : inputs) {
      const StreamValue& value = packed_.values[i];
      node.timed = node.timed || value.timed;
      whole.push_back(whole_shape(value));
      steps.push_back(value.step);
    }
    const Streaming how = node.timed ? node.layer->streaming(whole) : Streaming::stepwise;
    if (how == Streaming::never) refuse(*node.layer, whole);
    const auto embedded = embedded_.find(inputs[0]);
    const bool by_id = embedded != embedded_.end();
    node.streamed =
        node.layer->streamed({steps, packed_.weights, by_id ? &embedded->second.table : nullptr});
    if (by_id && node.streamed != nullptr && node.streamed->takes_id()) {
      node.inputs[0] = embedded->second.id;
    }
    add_outputs(node, node.layer->output_shapes(whole), node.timed && how != Streaming::last);
    add_states(node);
    packed_.nodes.push_back(node);
    remember_table(node);
    return node.outputs;
  }

  /// An Embedding that masks nothing: who reads its rows may as well know their ids.
  void remember_table(const StreamNode& node) {
    if (node.layer->class_name() != "Embedding" || node.layer->makes_masks()) return;
    if (!packed_.values[node.inputs[0]].ids) return;
    embedded_[node.outputs[0]] = {node.layer->parameters()[0]->value().to(DType::float32),
                                  node.inputs[0]};
  }

  static Shape whole_shape(const StreamValue& value) {
    const Shape rows = value.step.with(0, unknown);
    return value.timed ? rows.with(1, unknown) : rows;
  }

  void add_outputs(StreamNode& node, const std::vector<Shape>& shapes, bool timed) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      StreamValue value;
      value.timed = timed && i == 0;  // what follows are states
      value.step = shapes[i].slice(value.timed ? 2 : 1, shapes[i].rank());
      expect_known(value, *node.layer);
      value.at = take(value.size());
      node.outputs.push_back(packed_.values.size());
      packed_.values.push_back(value);
    }
  }

  void add_states(StreamNode& node) {
    if (node.streamed != nullptr) {
      scratch_ = std::max(scratch_, node.streamed->scratch());
      for (const Index size : node.streamed->states()) node.states.shapes.push_back({1, size});
    } else if (node.timed) {
      node.states.shapes = node.layer->part_shapes(1);
    }
    node.states.at = packed_.numbers;
    for (const Shape& shape : node.states.shapes) take(shape.elements());
  }

  [[noreturn]] static void refuse(const LayerImpl& layer, const std::vector<Shape>& inputs) {
    throw Error(ErrorKind::unsupported, titled(layer) + ": cannot go step by step",
                {.got = "a layer whose output needs other steps than the one it is given" +
                        std::string(inputs.size() > 1 ? ", or initial states" : ""),
                 .hint = "model.predict takes whole sequences; a layer of your own says what it "
                         "needs in streaming()"});
  }

  /// A value that is a row of a table, and the value that is its id.
  struct Embedded {
    Tensor table;
    std::size_t id = 0;
  };

  PackedModel::Impl& packed_;
  Index scratch_ = 0;
  std::map<std::size_t, Embedded> embedded_;
};

}  // namespace

PackedModel::PackedModel(const Model& model, const PackOptions& options) {
  ModelImpl& from = model.impl();
  const Graph& graph = from.built_graph();
  if (from.dtype != DType::float32) {
    throw Error(ErrorKind::unsupported, "a model of float64 cannot go step by step",
                {.hint = "set_dtype(DType::float32)"});
  }
  from.ready(false);
  for (const auto& layer : graph.layers()) layer->prepare(DType::float32, false);
  auto packed = std::make_shared<Impl>();
  packed->weights = options.weights;
  Packer(*packed).pack(graph);
  impl_ = std::move(packed);
}

WeightType PackedModel::weights() const noexcept { return impl_->weights; }

Index PackedModel::session_bytes() const noexcept {
  return (impl_->numbers + impl_->ids) * size_of(DType::float32);
}

}  // namespace unroll
