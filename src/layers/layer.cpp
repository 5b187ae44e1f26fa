#include "unroll/layer.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {

// --- Parameter ---

Parameter::Parameter(std::string name, const Shape& shape, const Initializer& initializer,
                     Regularizer regularizer, bool trainable, const Constraint& constraint)
    : trainable(trainable),
      name_(std::move(name)),
      shape_(shape),
      initializer_(initializer),
      regularizer_(regularizer),
      constraint_(constraint),
      value_(shape),
      can_train_(trainable) {}

void Parameter::assign(const Tensor& numbers) {
  if (numbers.shape() != shape_) {
    throw Error(ErrorKind::shape, "a weight has another shape",
                {.got = numbers.shape().to_string(),
                 .want = shape_.to_string() + " for \"" + name_ + "\""});
  }
  const Tensor same = numbers.dtype() == value_.dtype() ? numbers : numbers.to(value_.dtype());
  if (!same.empty()) {
    std::memcpy(value_.raw(), same.raw(), static_cast<std::size_t>(same.bytes()));
  }
  initialized_ = true;
  touch();
}

void Parameter::initialize(std::uint64_t seed, std::uint64_t stream) {
  if (initialized_) return;
  initializer_.fill(value_, seed, stream);
  if (adjust) {
    Tensor wide = value_.to(DType::float64);
    adjust(wide);
    assign(wide);
  }
  initialized_ = true;
  touch();
}

void Parameter::move_to(Tensor place) {
  const Tensor before = value_.dtype() == place.dtype() ? value_ : value_.to(place.dtype());
  if (!before.empty()) {
    std::memcpy(place.raw(), before.raw(), static_cast<std::size_t>(before.bytes()));
  }
  value_ = std::move(place);
  touch();
}

// --- Call, Component ---

void Call::set_mask(const Mask& mask, std::size_t i) {
  while (out_masks_.size() <= i) out_masks_.push_back({});
  out_masks_[i] = mask;
}

std::uint64_t Call::stream(const Component& component) const noexcept {
  return (step_ << 20) | component.ordinal;
}

Parameter& Component::weight(std::string name, const Shape& shape, const Initializer& initializer,
                             Regularizer regularizer, bool trainable,
                             const Constraint& constraint) {
  own_.push_back(std::make_unique<Parameter>(std::move(name), shape, initializer, regularizer,
                                             trainable, constraint));
  return *own_.back();
}

std::vector<Parameter*> Component::parameters() const {
  std::vector<Parameter*> all;
  for (const auto& parameter : own_) all.push_back(parameter.get());
  for (const auto& child : children_) {
    const auto inner = child->parameters();
    all.insert(all.end(), inner.begin(), inner.end());
  }
  return all;
}

void LayerImpl::build_once(std::span<const Shape> inputs) {
  if (built_) return;
  build(inputs);
  built_ = true;
  if (!trainable_) set_trainable(false);
}

void LayerImpl::set_trainable(bool trainable) {
  trainable_ = trainable;
  for (Parameter* parameter : parameters()) {
    parameter->trainable = trainable && parameter->can_train();
  }
  for (const auto& child : children()) {
    if (auto* layer = dynamic_cast<LayerImpl*>(child.get())) layer->set_trainable(trainable);
  }
}

// --- Symbol ---

Symbols::Symbols(const Symbol& one) : std::vector<Symbol>{one} {}

namespace {

std::string described(const GraphNode& node) {
  std::string text(node.layer->class_name());
  if (!node.layer->name.empty()) text += " \"" + node.layer->name + "\"";
  return text;
}

}  // namespace

const Symbol& Symbol::single() const {
  if (node_ == nullptr) {
    throw Error(ErrorKind::value, "an empty Symbol",
                {.hint = "make one with Input({.shape = ...})"});
  }
  if (output_ == every) {
    const std::string count = std::to_string(node_->shapes.size());
    throw Error(ErrorKind::shape, described(*node_) + ": a layer with several outputs used as one",
                {.got = count + " outputs", .hint = "unpack them with .unpack<" + count + ">()"});
  }
  return *this;
}

const Shape& Symbol::shape() const {
  return single().node_->shapes[static_cast<std::size_t>(output_)];
}

void Symbol::check_outputs(std::size_t wanted) const {
  const std::size_t outputs = node_ == nullptr ? 0 : node_->shapes.size();
  if (outputs != wanted) {
    throw Error(ErrorKind::shape, "unpack: the layer has another number of outputs",
                {.got = std::to_string(wanted), .want = std::to_string(outputs)});
  }
}

Symbol Symbol::operator[](std::initializer_list<Pick> picks) const {
  return GetItem(Picks(picks))(*this);
}

// --- Layer ---

Symbol Layer::connect(const Symbols& inputs, const Symbols& masks) const {
  // Only the order of these numbers is ever used: it tells which layer was written first.
  static std::atomic<std::uint64_t> created{0};
  std::vector<Shape> shapes;
  for (const Symbol& input : inputs) shapes.push_back(input.single().shape());
  impl_->build_once(shapes);
  auto node = std::make_shared<GraphNode>();
  node->layer = impl_;
  node->inputs = inputs;
  // Nothing but empty Symbols says nothing.
  if (std::ranges::any_of(masks, [](const Symbol& mask) { return bool(mask); })) {
    node->masks = masks;
  }
  node->shapes = impl_->output_shapes(shapes);
  node->serial = created.fetch_add(1);
  if (impl_->first_use.expired()) impl_->first_use = node;
  const int output = node->shapes.size() == 1 ? 0 : Symbol::every;
  return Symbol(std::move(node), output);
}

Index Layer::count_params() const {
  Index count = 0;
  for (const Parameter* parameter : impl_->parameters()) count += parameter->elements();
  return count;
}

std::vector<Tensor> Layer::get_weights() const {
  std::vector<Tensor> weights;
  std::uint64_t stream = 0;
  for (Parameter* parameter : impl_->parameters()) {
    parameter->initialize(0, stream++);
    weights.push_back(parameter->value().clone());
  }
  return weights;
}

void Layer::set_weights(const std::vector<Tensor>& weights) {
  const auto parameters = impl_->parameters();
  if (weights.size() != parameters.size()) {
    throw Error(ErrorKind::shape,
                std::string(class_name()) + " \"" + name() + "\": another number of weights",
                {.got = std::to_string(weights.size()),
                 .want = std::to_string(parameters.size()),
                 .hint = built() ? "" : "the layer is not built yet: use it in a model first"});
  }
  for (std::size_t i = 0; i < weights.size(); ++i) parameters[i]->assign(weights[i]);
}

void Layer::set_trainable(bool trainable) { impl_->set_trainable(trainable); }

namespace {

std::shared_ptr<GraphNode> used(const Layer& layer) {
  auto node = layer.impl().first_use.lock();
  if (node == nullptr) {
    throw Error(ErrorKind::value,
                std::string(layer.class_name()) + ": the layer has not been used in a graph",
                {.hint = "call it on a Symbol, or put it into a model, first"});
  }
  return node;
}

}  // namespace

Symbol Layer::output() const {
  auto node = used(*this);
  const int output = node->shapes.size() == 1 ? 0 : Symbol::every;
  return Symbol(std::move(node), output);
}

Symbol Layer::input() const {
  const auto node = used(*this);
  if (node->inputs.empty()) return Symbol(node, 0);
  return node->inputs[0];
}

}  // namespace unroll
