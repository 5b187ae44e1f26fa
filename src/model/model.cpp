#include "unroll/model.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/model/model_impl.h"
#include "src/model/nested.h"
#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {

// --- ModelImpl ---

const Graph& ModelImpl::built_graph() const {
  if (graph != nullptr) return *graph;
  throw Error(ErrorKind::value, "the model \"" + name + "\" is not built yet",
              {.hint = "start it with InputLayer({.shape = ...}), call build, or fit it"});
}

void ModelImpl::build_sequence(const Shape& input_shape) {
  if (graph != nullptr) return;
  if (sequence.empty()) throw Error(ErrorKind::value, "a Sequential without layers");
  const bool has_input = sequence[0].class_name() == "InputLayer";
  const Symbol input = has_input ? sequence[0](Symbols{})
                                 : Input({.shape = input_shape.slice(1, input_shape.rank()),
                                          .batch_size = input_shape[0]});
  Symbol last = input;
  for (std::size_t i = has_input ? 1 : 0; i < sequence.size(); ++i) last = sequence[i](last);
  graph = std::make_unique<Graph>(Symbols{input}, Symbols{last});
}

void ModelImpl::see(const Data& x) {
  if (graph != nullptr || x.empty()) return;
  // Built for the data as they are, so that a refusal names their sizes; the graph then takes any
  // number of rows.
  Shape shape = x[0].shape();
  for (const Layer& layer : sequence) {
    layer.impl().build_once(std::span(&shape, 1));
    shape = layer.impl().output_shapes(std::span(&shape, 1))[0];
  }
  build_sequence(x[0].row_shape().with(0, unknown));
}

Trainer& ModelImpl::ready(bool for_training) {
  const Graph& built = built_graph();
  if (for_training && !compiled) {
    throw Error(ErrorKind::value, "the model \"" + name + "\" is not compiled",
                {.hint = "model.compile({.optimizer = \"adam\", .loss = \"mse\"})"});
  }
  if (trainer == nullptr) {
    trainer = std::make_unique<Trainer>(built, dtype, compiled.value_or(CompileOptions{}));
  }
  if (for_training) {
    trainer->bind();
  } else {
    trainer->initialize();
  }
  return *trainer;
}

void ModelImpl::fit_states(Session& of, Index batch) {
  for (LayerImpl* layer : graph->stateful_layers()) {
    const std::vector<Shape> shapes = layer->state_shapes(batch);
    std::vector<Tensor>& kept = states(of)[layer];
    if (kept.empty() || kept[0].dtype() != dtype) {
      kept.clear();
      for (const Shape& shape : shapes) kept.emplace_back(shape, dtype);
    } else if (kept[0].shape()[0] != batch) {
      throw Error(
          ErrorKind::shape,
          "stateful layer \"" + layer->name + "\": the batch has another number of rows",
          {.got = std::to_string(batch),
           .want = std::to_string(kept[0].shape()[0]) + ", as in the batch before",
           .hint = "reset_states() begins anew; the rows must be a multiple of batch_size"});
    }
  }
}

// --- Model ---

Model::Model(const ModelOptions& options) : impl_(std::make_shared<ModelImpl>()) {
  impl_->name = options.name;
  impl_->graph = std::make_unique<Graph>(options.inputs, options.outputs);
}

void Model::compile(const CompileOptions& options) {
  check(options.optimizer);
  check(options.loss);
  for (const Loss& loss : options.losses) check(loss);
  impl_->compiled = options;
  impl_->trainer.reset();
}

Model::operator Layer() const {
  auto layer = impl_->as_layer.lock();
  if (layer == nullptr) {
    layer = std::make_shared<NestedModel>(impl_);
    impl_->as_layer = layer;
  }
  return Layer(layer);
}

Symbol Model::operator()(const Symbols& inputs) const { return Layer(*this)(inputs); }

void Model::set_trainable(bool trainable) {
  for (const Layer& layer : layers()) Layer(layer).set_trainable(trainable);
}

void Model::reset_states() { impl_->session.reset(); }
void Model::reset_states(std::string_view name) {
  const Layer layer = get_layer(name);
  if (layer.impl().state_shapes(1).empty()) {
    throw Error(ErrorKind::value, "reset_states: the layer keeps no states",
                {.got = fmt::format("{} \"{}\"", layer.class_name(), name),
                 .want = "a layer with .stateful = true"});
  }
  impl_->states(impl_->session).erase(&layer.impl());
}
void Model::stop_training(std::string why) {
  impl_->stop = true;
  if (!why.empty() && impl_->why.empty()) impl_->why = std::move(why);
}
const std::string& Model::name() const { return impl_->name; }
bool Model::built() const { return impl_->graph != nullptr; }
Symbols Model::inputs() const { return impl_->built_graph().input_symbols(); }
Symbols Model::outputs() const { return impl_->built_graph().output_symbols(); }

std::vector<Layer> Model::layers() const {
  if (impl_->graph == nullptr) return impl_->sequence;
  std::vector<Layer> layers;
  for (const auto& layer : impl_->graph->layers()) {
    if (impl_->sequential && layer->class_name() == "InputLayer") continue;
    layers.emplace_back(layer);
  }
  return layers;
}

Layer Model::get_layer(std::string_view name) const {
  std::string known;
  for (const Layer& layer : layers()) {
    if (layer.name() == name) return layer;
    known += (known.empty() ? "" : ", ") + layer.name();
  }
  throw Error(ErrorKind::value, "the model has no layer of this name",
              {.got = "\"" + std::string(name) + "\"", .want = "one of " + known});
}

Index Model::count_params() const {
  Index count = 0;
  if (impl_->graph != nullptr) {
    for (const Parameter* parameter : impl_->graph->parameters()) count += parameter->elements();
  }
  return count;
}

Index Model::count_trainable() const {
  Index count = 0;
  if (impl_->graph != nullptr) {
    for (const Parameter* parameter : impl_->graph->parameters()) {
      if (parameter->trainable) count += parameter->elements();
    }
  }
  return count;
}

std::vector<Tensor> Model::get_weights() const {
  impl_->ready(false);
  std::vector<Tensor> weights;
  for (const Parameter* parameter : impl_->graph->parameters()) {
    weights.push_back(parameter->value().clone());
  }
  return weights;
}

void Model::set_weights(const std::vector<Tensor>& weights) {
  const auto& parameters = impl_->built_graph().parameters();
  if (weights.size() != parameters.size()) {
    throw Error(ErrorKind::shape, "the model has another number of weights",
                {.got = std::to_string(weights.size()), .want = std::to_string(parameters.size())});
  }
  for (std::size_t i = 0; i < weights.size(); ++i) parameters[i]->assign(weights[i]);
}

void Model::set_dtype(DType dtype) {
  if (dtype != DType::float32 && dtype != DType::float64) {
    throw Error(ErrorKind::value, "a model computes in real numbers",
                {.got = std::string(to_string(dtype)), .want = "float32 or float64"});
  }
  impl_->dtype = dtype;
  impl_->trainer.reset();
  impl_->session.reset();
  for (Parameter* parameter : impl_->built_graph().parameters()) {
    parameter->move_to(Tensor(parameter->shape(), dtype));
  }
}

// --- Sequential ---

Sequential::Sequential(std::initializer_list<Layer> layers)
    : Sequential(std::vector<Layer>(layers)) {}

Sequential::Sequential(std::vector<Layer> layers, std::string name)
    : Model(std::make_shared<ModelImpl>()) {
  impl_->name = std::move(name);
  impl_->sequential = true;
  impl_->sequence = std::move(layers);
  if (!impl_->sequence.empty() && impl_->sequence[0].class_name() == "InputLayer") {
    impl_->build_sequence({});
  }
}

void Sequential::add(const Layer& layer) {
  if (built()) {
    throw Error(
        ErrorKind::value, "a layer added to a model that is built already",
        {.got = std::string(layer.class_name()), .hint = "add all layers before build or fit"});
  }
  impl_->sequence.push_back(layer);
}

void Sequential::build(const Shape& input_shape) { impl_->build_sequence(input_shape); }

}  // namespace unroll
