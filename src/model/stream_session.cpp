#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/base/aligned.h"
#include "src/layers/plain.h"
#include "src/model/model_impl.h"
#include "src/model/packed_model.h"
#include "unroll/error.h"

namespace unroll {

// --- layers without a quick form ---

/// One step through a layer's own call(): a sequence of one step of one row, with carried states.
class StreamSession::General final : public Call {
 public:
  General() : own_tape_(DType::float32, false) {
    tape_ = &own_tape_;
    rows_ = 1;
  }

  /// Makes room for what a node carries, in the session's memory at `numbers`.
  void add(const StreamNode& node, float* numbers, const std::shared_ptr<void>& owner) {
    std::vector<Tensor> carried;
    for (const Shape& shape : node.states.shapes) {
      carried.emplace_back(shape, DType::float32, numbers, owner);
      numbers += shape.elements();
    }
    carried_.push_back({&node, std::move(carried)});
  }

  /// Returns whether the step of the first output counts.
  bool run(const PackedModel::Impl& model, const StreamNode& node, const std::uint8_t* kept,
           const float* const* inputs, float* const* outputs) {
    own_tape_.clear();
    masks_.clear();
    out_masks_.clear();
    node_ = &node;
    Vars given;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const StreamValue& value = model.values[node.inputs[i]];
      given.push_back(as_var(value, inputs[i], node.layer->order()));
      masks_.push_back(kept[node.inputs[i]] != 0 ? Mask{} : Mask{&skipped_, 1, 1});
    }
    const Vars made = node.layer->call(*this, given);
    const bool repeats = masks_[0] && node.timed && !node.states.shapes.empty();
    for (std::size_t i = repeats ? 1 : 0; i < made.size(); ++i) {
      std::copy_n(made[i].data<float>(), made[i].elements(), outputs[i]);
    }
    const MaskRule rule = node.layer->mask_rule();
    const Mask own = out_masks_.empty() ? Mask{} : out_masks_[0];
    const Mask mask = rule == MaskRule::pass ? masks_[0] : rule == MaskRule::own ? own : Mask{};
    return !mask || mask.data[0] != 0;
  }

  Var use(const Parameter& parameter) override {
    auto* numbers = const_cast<void*>(parameter.value().raw());
    return own_tape_.leaf(parameter.shape(), parameter.value().dtype(), numbers, nullptr);
  }
  void add_sparse(const Parameter&, const Var&, const Var&) override {}  // nothing is recorded
  std::span<Tensor> states(const Component& component) override {
    if (&component != node_->layer.get()) return {};
    for (Carried& one : carried_) {
      if (one.node == node_) return one.states;
    }
    return {};
  }

 private:
  struct Carried {
    const StreamNode* node;
    std::vector<Tensor> states;
  };

  /// With one row, and one step where it is timed. Memory is the same in either order of the axes.
  Var as_var(const StreamValue& value, const float* numbers, Order order) {
    Shape shape = value.step.with(0, 1);
    if (value.timed) shape = shape.with(0, 1);
    const bool time_first = order == Order::time_first && shape.rank() >= 3;
    if (time_first && !value.timed) {
      shape.set(0, value.step[0]);
      shape.set(1, 1);
    }
    Var x = own_tape_.leaf(shape, value.ids ? DType::int32 : DType::float32,
                           const_cast<float*>(numbers), nullptr);
    return x.set_time_first(time_first || (value.ids && order == Order::time_first));
  }

  static constexpr std::uint8_t skipped_ = 0;

  Tape own_tape_;
  const StreamNode* node_ = nullptr;
  std::vector<Carried> carried_;
};

// --- the session ---

StreamSession::StreamSession(std::shared_ptr<const PackedModel::Impl> model)
    : model_(std::move(model)),
      memory_(base::aligned_bytes(model_->numbers * size_of(DType::float32))),
      ids_(static_cast<std::size_t>(model_->ids)),
      kept_(model_->values.size(), 1) {
  for (const StreamNode& node : model_->nodes) {
    for (const std::size_t i : node.inputs) {
      const StreamValue& value = model_->values[i];
      // A general layer reads its ids through the same list.
      node_inputs_.push_back(value.ids ? reinterpret_cast<const float*>(ids_.data() + value.at)
                                       : at(value.at));
    }
    for (const std::size_t i : node.outputs) node_outputs_.push_back(at(model_->values[i].at));
    if (node.streamed != nullptr) continue;
    if (general_ == nullptr) general_ = std::make_unique<General>();
    general_->add(node, at(node.states.at), memory_);
  }
  // What a layer's call() takes from the heap, it takes now.
  for (int i = 0; general_ != nullptr && i < 3; ++i) step();
  reset();
}

StreamSession::~StreamSession() = default;

void StreamSession::reset() {
  std::ranges::fill(kept_, std::uint8_t{1});
  std::memset(memory_.get(), 0,
              static_cast<std::size_t>(model_->numbers * size_of(DType::float32)));
}

const StreamValue& StreamSession::input(std::size_t i) const {
  if (i < model_->inputs.size()) return model_->values[model_->inputs[i]];
  throw Error(
      ErrorKind::shape, "the model has no such input",
      {.got = std::to_string(i), .want = "less than " + std::to_string(model_->inputs.size())});
}

void StreamSession::set_input(std::size_t i, std::span<const float> features) {
  const StreamValue& value = input(i);
  if (value.ids) {
    throw Error(ErrorKind::shape, "a step of numbers for a model of ids",
                {.got = std::to_string(features.size()) + " numbers", .want = "one id"});
  }
  if (std::ssize(features) != value.size()) {
    throw Error(ErrorKind::shape, "a step of another number of features",
                {.got = std::to_string(features.size()), .want = std::to_string(value.size())});
  }
  std::ranges::copy(features, at(value.at));
}

void StreamSession::set_input(std::size_t i, std::int32_t id) {
  const StreamValue& value = input(i);
  if (!value.ids) {
    throw Error(ErrorKind::shape, "an id for a model of numbers",
                {.got = std::to_string(id), .want = std::to_string(value.size()) + " numbers"});
  }
  ids_[static_cast<std::size_t>(value.at)] = id;
}

namespace {

/// A state that dies away would become denormal, and each operation on it cost a hundred times as
/// much. Zeros instead, far above that, so that its products with weights are no denormals either.
/// The processor's own mode (base::FlushDenormals) takes as long to set as a small model's step.
void forget_tiny(float* states, Index count) {
  constexpr float tiny = 1e-30f;
  for (Index line = 0; line < count; line += 16) {
    for (Index i = line; i < line + 16; ++i) {
      states[i] = std::abs(states[i]) < tiny ? 0.0f : states[i];
    }
  }
}

}  // namespace

void StreamSession::step() {
  const float* const* inputs = node_inputs_.data();
  float* const* outputs = node_outputs_.data();
  for (const StreamNode& node : model_->nodes) {
    forget_tiny(at(node.states.at), node.states.room);
    bool kept = true;
    if (node.streamed != nullptr) {
      StepRun run;
      run.inputs = inputs;
      if (model_->values[node.inputs[0]].ids) {
        run.ids = ids_.data() + model_->values[node.inputs[0]].at;
      }
      run.outputs = outputs;
      run.states = at(node.states.at);
      run.scratch = at(model_->scratch);
      run.kept = kept_[node.inputs[0]] != 0;
      run.any_kept = std::ranges::any_of(node.inputs, [&](std::size_t i) { return kept_[i] != 0; });
      kept = node.streamed->run(run);
    } else {
      kept = general_->run(*model_, node, kept_.data(), inputs, outputs);
    }
    kept_[node.outputs[0]] = kept ? 1 : 0;
    inputs += node.inputs.size();
    outputs += node.outputs.size();
  }
}

std::span<const float> StreamSession::output(std::size_t i) const {
  if (i >= model_->outputs.size()) {
    throw Error(
        ErrorKind::shape, "the model has no such output",
        {.got = std::to_string(i), .want = "less than " + std::to_string(model_->outputs.size())});
  }
  const StreamValue& value = model_->values[model_->outputs[i]];
  return {at(value.at), static_cast<std::size_t>(value.size())};
}

// --- states ---

Tensors StreamSession::states() const {
  Tensors all;
  for (const StreamNode& node : model_->nodes) {
    const float* from = at(node.states.at);
    for (const Shape& shape : node.states.shapes) {
      all.emplace_back(shape);
      std::copy_n(from, shape.elements(), all.back().floats());
      from += shape.elements();
    }
  }
  return all;
}

void StreamSession::set_states(const Tensors& states) {
  std::vector<Shape> wanted;
  for (const StreamNode& node : model_->nodes) {
    wanted.insert(wanted.end(), node.states.shapes.begin(), node.states.shapes.end());
  }
  if (states.size() != wanted.size()) {
    throw Error(ErrorKind::shape, "the model has another number of states",
                {.got = std::to_string(states.size()), .want = std::to_string(wanted.size())});
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (states[i].shape() == wanted[i] && states[i].dtype() == DType::float32) continue;
    throw Error(ErrorKind::shape, "state " + std::to_string(i) + " is of another model",
                {.got = states[i].describe(), .want = "float32 " + wanted[i].to_string()});
  }
  std::size_t i = 0;
  for (const StreamNode& node : model_->nodes) {
    float* to = at(node.states.at);
    for (std::size_t n = node.states.shapes.size(); n > 0; --n, ++i) {
      to = std::copy_n(states[i].floats(), states[i].elements(), to);
    }
  }
}

void StreamSession::set_states(const StreamSession& other) {
  if (other.model_ != model_) {
    throw Error(ErrorKind::value, "the states of a session of another packed model",
                {.hint = "states() and set_states() go from model to model"});
  }
  std::memcpy(memory_.get(), other.memory_.get(),
              static_cast<std::size_t>(model_->numbers * size_of(DType::float32)));
}

// --- the handle ---

namespace {

StreamSession& streaming(const std::unique_ptr<StreamSession>& stream) {
  if (stream != nullptr) return *stream;
  throw Error(
      ErrorKind::value, "the session cannot step",
      {.got = "a session without a packed model", .hint = "Session session(PackedModel(model))"});
}

void expect_single(const PackedModel::Impl& model) {
  if (model.inputs.size() == 1 && model.outputs.size() == 1) return;
  throw Error(ErrorKind::shape, "a step with one input and one output of a model that has others",
              {.got = std::to_string(model.inputs.size()) + " inputs, " +
                      std::to_string(model.outputs.size()) + " outputs",
               .hint = "set_input(i, ...), step(), output(i)"});
}

}  // namespace

Session::Session() : impl_(std::make_unique<Impl>()) {}
Session::Session(const PackedModel& model) : Session() {
  impl_->stream = std::make_unique<StreamSession>(model.impl());
}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

void Session::reset() {
  impl_->states.clear();
  if (impl_->stream != nullptr) impl_->stream->reset();
}

std::span<const float> Session::step(std::span<const float> features) {
  StreamSession& stream = streaming(impl_->stream);
  expect_single(stream.model());
  stream.set_input(0, features);
  stream.step();
  return stream.output(0);
}
std::span<const float> Session::step(std::int32_t id) {
  StreamSession& stream = streaming(impl_->stream);
  expect_single(stream.model());
  stream.set_input(0, id);
  stream.step();
  return stream.output(0);
}

void Session::set_input(std::size_t i, std::span<const float> features) {
  streaming(impl_->stream).set_input(i, features);
}
void Session::set_input(std::size_t i, std::int32_t id) {
  streaming(impl_->stream).set_input(i, id);
}
void Session::step() { streaming(impl_->stream).step(); }
std::span<const float> Session::output(std::size_t i) const {
  return streaming(impl_->stream).output(i);
}
Tensors Session::states() const { return streaming(impl_->stream).states(); }
void Session::set_states(const Tensors& states) { streaming(impl_->stream).set_states(states); }
void Session::set_states(const Session& other) {
  streaming(impl_->stream).set_states(streaming(other.impl_->stream));
}

}  // namespace unroll
