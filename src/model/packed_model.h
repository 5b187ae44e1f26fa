// What a PackedModel handle points to: the nodes of a graph in the order they run, each with the
// places of its numbers in a session's memory.
#pragma once

#include <memory>
#include <vector>

#include "src/layers/streamed.h"
#include "src/model/graph.h"
#include "unroll/stream.h"

namespace unroll {

/// What a node gives, or an input.
struct StreamValue {
  Shape step;          ///< of one step, without batch and time
  bool timed = false;  ///< whether a sequence is made of such steps
  bool ids = false;    ///< one int32, among a session's ids
  Index at = 0;        ///< among a session's numbers, or its ids

  Index size() const { return step.elements(); }
};

/// States that follow one another in a session's numbers, each in its kernels::gemv_room.
struct StreamStates {
  Index at = 0;
  std::vector<Shape> shapes;  ///< (1, ...) each

  /// f(shape, place) for each.
  template <class F>
  void each(F f) const {
    Index place = at;
    for (const Shape& shape : shapes) {
      f(shape, place);
      place += kernels::gemv_room(shape.elements());
    }
  }
};

/// A layer at work.
struct StreamNode {
  std::shared_ptr<LayerImpl> layer;
  std::shared_ptr<const StreamedLayer> streamed;  ///< null: by call()
  std::vector<std::size_t> inputs, outputs;
  bool timed = false;
  StreamStates states;
};

struct PackedModel::Impl {
  std::vector<StreamValue> values;
  std::vector<StreamNode> nodes;
  std::vector<std::size_t> inputs, outputs;
  WeightType weights = WeightType::float32;
  Index numbers = 0;  ///< of a session: values, states, scratch
  Index scratch = 0;  ///< where scratch begins among them
  Index ids = 0;
};

/// Of a packed model: its states and everything that its steps compute in.
class StreamSession {
 public:
  explicit StreamSession(std::shared_ptr<const PackedModel::Impl> model);
  ~StreamSession();

  const PackedModel::Impl& model() const noexcept { return *model_; }
  void reset();
  void set_input(std::size_t i, std::span<const float> features);
  void set_input(std::size_t i, std::int32_t id);
  void step();
  std::span<const float> output(std::size_t i) const;
  /// One input and one output.
  bool single() const noexcept { return single_; }
  Tensors states() const;
  void set_states(const Tensors& states);
  void set_states(const StreamSession& other);

 private:
  class General;

  float* at(Index place) const noexcept { return static_cast<float*>(memory_.get()) + place; }
  /// Where an input is put: its numbers, or its id.
  struct Port {
    float* numbers = nullptr;
    std::int32_t* id = nullptr;
    Index size = 0;
  };
  /// A node, and all that is known of its steps before they are taken.
  struct Task {
    const StreamNode* node;
    const StreamedLayer* layer;  // null: by call()
    std::uint8_t* kept;          // that of the first output
    StepRun run;
  };

  void add_task(const StreamNode& node);
  bool run(Task& task);
  const Port& input(std::size_t i) const;

  std::shared_ptr<const PackedModel::Impl> model_;
  std::shared_ptr<void> memory_;
  std::vector<std::int32_t> ids_;
  std::vector<std::uint8_t> kept_;         // by values
  std::vector<const float*> node_inputs_;  // of all nodes, one after the other
  std::vector<float*> node_outputs_;
  std::vector<Port> inputs_;
  std::vector<std::span<const float>> outputs_;
  std::vector<Task> tasks_;
  std::unique_ptr<General> general_;
  bool single_ = false, backwards_ = false;
};

}  // namespace unroll
