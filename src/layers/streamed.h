// A layer as a streamed model runs it: one step of one row, packed weights, no tape.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>

#include "src/kernels/recurrent_step.h"
#include "unroll/layer.h"

namespace unroll {

/// What a quick form of a layer is made for.
struct StreamRequest {
  std::span<const Shape> inputs;  ///< of one step: without batch and time
  WeightType weights = WeightType::float32;
  /// The rows that the first input is picked from by an id, where that is so; null otherwise.
  const Tensor* table = nullptr;
};

/// What it is given for a step. All numbers begin on a cache line; outputs and states may be
/// written up to a kernels::gemv_room.
struct StepRun {
  const float* const* inputs = nullptr;
  const std::int32_t* ids = nullptr;  ///< the first input, where it is one of ids
  float* const* outputs = nullptr;
  float* states = nullptr;  ///< each is followed by the next after its gemv_room
  float* scratch = nullptr;
  bool kept = true;        ///< whether the step of the first input counts
  bool any_kept = true;    ///< whether that of any input does
  bool backwards = false;  ///< every other step: see kernels::StepNumbers
};

/// What a step leaves in its states: see kernels::tiny_state.
inline void forget_tiny(float* state, Index count) {
  for (Index i = 0; i < count; ++i) {
    state[i] = std::abs(state[i]) < kernels::tiny_state ? 0.0f : state[i];
  }
}

/// One step of a layer. Its weights are its own and never change: sessions on many threads share
/// it.
class StreamedLayer {
 public:
  virtual ~StreamedLayer() = default;
  /// The states it carries from step to step, zeros at first.
  virtual std::vector<Index> states() const { return {}; }
  /// Whether it wants the id of its first input, one of the request's table, instead of the row.
  virtual bool takes_id() const { return false; }
  /// Numbers of scratch.
  virtual Index scratch() const { return 0; }
  /// Takes one step. Allocates nothing, waits for nobody, leaves no tiny states. Returns whether
  /// the step of its output counts.
  virtual bool run(const StepRun& step) const = 0;
};

/// One made of a function: bool f(const StepRun&).
template <class F>
class StepFunction final : public StreamedLayer {
 public:
  explicit StepFunction(F f) : f_(std::move(f)) {}
  bool run(const StepRun& step) const override { return f_(step); }

 private:
  F f_;
};
template <class F>
std::shared_ptr<const StreamedLayer> step_function(F f) {
  return std::make_shared<StepFunction<F>>(std::move(f));
}

/// The numbers of a step that is a vector; -1 for any other.
inline Index vector_size(const StreamRequest& request) {
  const Shape& step = request.inputs[0];
  return step.rank() == 1 && step.known() ? step[0] : -1;
}

/// A weight's numbers, to be kept; none for null.
inline std::vector<float> kept_numbers(const Parameter* weight) {
  if (weight == nullptr) return {};
  const Tensor numbers = weight->value().to(DType::float32);
  return {numbers.floats(), numbers.floats() + numbers.elements()};
}

/// For a layer that does nothing outside training.
inline std::shared_ptr<const StreamedLayer> step_of_nothing(const StreamRequest& request) {
  if (!request.inputs[0].known()) return nullptr;
  return step_function([n = request.inputs[0].elements()](const StepRun& s) {
    std::copy_n(s.inputs[0], n, s.outputs[0]);
    return s.kept;
  });
}

}  // namespace unroll
