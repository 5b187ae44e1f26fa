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

  /// Keeps what a node carries in the session's memory.
  void add(const StreamNode& node, const std::shared_ptr<void>& memory) {
    std::vector<Tensor> carried;
    node.states.each([&](const Shape& shape, Index place) {
      carried.emplace_back(shape, DType::float32, static_cast<float*>(memory.get()) + place,
                           memory);
    });
    carried_.push_back({&node, std::move(carried)});
  }

  /// Returns whether the step of the first output counts.
  bool run(const PackedModel::Impl& model, const StreamNode& node, const std::uint8_t* kept,
           const StepRun& step) {
    own_tape_.clear();
    masks_.clear();
    out_masks_.clear();
    node_ = &node;
    Vars given;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const StreamValue& value = model.values[node.inputs[i]];
      given.push_back(as_var(value, step.inputs[i], node.layer->order()));
      masks_.push_back(kept[node.inputs[i]] != 0 ? Mask{} : Mask{&skipped_, 1, 1});
    }
    const Vars made = node.layer->call(*this, given);
    const bool repeats = masks_[0] && node.timed && !node.states.shapes.empty();
    for (std::size_t i = repeats ? 1 : 0; i < made.size(); ++i) {
      std::copy_n(made[i].data<float>(), made[i].elements(), step.outputs[i]);
    }
    for (Tensor& state : states(*node.layer)) forget_tiny(state.floats(), state.elements());
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
  }
  for (const StreamNode& node : model_->nodes) add_task(node);
  for (const std::size_t i : model_->inputs) {
    const StreamValue& value = model_->values[i];
    inputs_.push_back({value.ids ? nullptr : at(value.at),
                       value.ids ? ids_.data() + value.at : nullptr, value.size()});
  }
  for (const std::size_t i : model_->outputs) {
    const StreamValue& value = model_->values[i];
    outputs_.emplace_back(at(value.at), static_cast<std::size_t>(value.size()));
  }
  single_ = inputs_.size() == 1 && outputs_.size() == 1;
  // What a layer's call() takes from the heap, it takes now.
  for (int i = 0; general_ != nullptr && i < 3; ++i) step();
  reset();
}

void StreamSession::add_task(const StreamNode& node) {
  Task task{&node, node.streamed.get(), &kept_[node.outputs[0]], {}};
  task.run.inputs = node_inputs_.data();
  task.run.outputs = node_outputs_.data();
  for (const Task& before : tasks_) {
    task.run.inputs += before.node->inputs.size();
    task.run.outputs += before.node->outputs.size();
  }
  const StreamValue& first = model_->values[node.inputs[0]];
  if (first.ids) task.run.ids = ids_.data() + first.at;
  task.run.states = at(node.states.at);
  task.run.scratch = at(model_->scratch);
  tasks_.push_back(task);
  if (node.streamed != nullptr) return;
  if (general_ == nullptr) general_ = std::make_unique<General>();
  general_->add(node, memory_);
}

StreamSession::~StreamSession() = default;

void StreamSession::reset() {
  std::ranges::fill(kept_, std::uint8_t{1});
  std::memset(memory_.get(), 0,
              static_cast<std::size_t>(model_->numbers * size_of(DType::float32)));
}

namespace {

// Apart from those who call them: what they need would make each step longer.
[[noreturn]] void refuse_number(std::string_view what, std::size_t i, std::size_t count) {
  throw Error(ErrorKind::shape, "the model has no such " + std::string(what),
              {.got = std::to_string(i), .want = "less than " + std::to_string(count)});
}
[[noreturn]] void refuse_features(std::size_t got, bool ids, Index size) {
  if (ids) {
    throw Error(ErrorKind::shape, "a step of numbers for a model of ids",
                {.got = std::to_string(got) + " numbers", .want = "one id"});
  }
  throw Error(ErrorKind::shape, "a step of another number of features",
              {.got = std::to_string(got), .want = std::to_string(size)});
}

}  // namespace

const StreamSession::Port& StreamSession::input(std::size_t i) const {
  if (i >= inputs_.size()) refuse_number("input", i, inputs_.size());
  return inputs_[i];
}

void StreamSession::set_input(std::size_t i, std::span<const float> features) {
  const Port& port = input(i);
  if (port.id != nullptr || std::ssize(features) != port.size) {
    refuse_features(features.size(), port.id != nullptr, port.size);
  }
  std::ranges::copy(features, port.numbers);
}

void StreamSession::set_input(std::size_t i, std::int32_t id) {
  const Port& port = input(i);
  if (port.id == nullptr) {
    throw Error(ErrorKind::shape, "an id for a model of numbers",
                {.got = std::to_string(id), .want = std::to_string(port.size) + " numbers"});
  }
  *port.id = id;
}

void StreamSession::step() {
  backwards_ = !backwards_;
  for (Task& task : tasks_) *task.kept = run(task) ? 1 : 0;
}

bool StreamSession::run(Task& task) {
  if (task.layer == nullptr) return general_->run(*model_, *task.node, kept_.data(), task.run);
  const std::vector<std::size_t>& inputs = task.node->inputs;
  task.run.kept = task.run.any_kept = kept_[inputs[0]] != 0;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    task.run.any_kept = task.run.any_kept || kept_[inputs[i]] != 0;
  }
  task.run.backwards = backwards_;
  return task.layer->run(task.run);
}

std::span<const float> StreamSession::output(std::size_t i) const {
  if (i >= outputs_.size()) refuse_number("output", i, outputs_.size());
  return outputs_[i];
}

// --- states ---

Tensors StreamSession::states() const {
  Tensors all;
  for (const StreamNode& node : model_->nodes) {
    node.states.each([&](const Shape& shape, Index place) {
      all.emplace_back(shape);
      std::copy_n(at(place), shape.elements(), all.back().floats());
    });
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
    node.states.each([&](const Shape& shape, Index place) {
      std::copy_n(states[i++].floats(), shape.elements(), at(place));
      forget_tiny(at(place), shape.elements());
    });
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

void expect_single(const StreamSession& stream) {
  if (stream.single()) return;
  const PackedModel::Impl& model = stream.model();
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
  expect_single(stream);
  stream.set_input(0, features);
  stream.step();
  return stream.output(0);
}
std::span<const float> Session::step(std::int32_t id) {
  StreamSession& stream = streaming(impl_->stream);
  expect_single(stream);
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
