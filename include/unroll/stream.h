// A model that is given its sequences one time step at a time.
//
//   const PackedModel packed(model);           // its weights, once: any number of sessions share
//   Session session(packed);                   // the states of one caller, zeros
//   std::int32_t id = first;
//   for (int i = 0; i < 1000; ++i) {
//     id = sample(session.step(id));           // one step: probabilities of the next word
//   }
//   Session other(packed);
//   other.set_states(session);                 // goes on from here by itself
//   Tensors kept = session.states();           // ... or tomorrow: session.set_states(kept)
//   session.step(std::span(features));         // a model of numbers: the features of one step
//
// What a step gives is what predict gives for the sequence so far: that step of an output that is a
// sequence, else the output for a sequence that ends here. Masks work as in predict.
//
// A step allocates nothing, waits for nobody and asks nothing of the system: it may run where sound
// is made. Its time is that of reading the weights once. A state below 1e-30 counts as zero: what
// dies away never reaches denormal numbers, whose steps would take many times as long.
//
// Layers whose output needs later steps cannot be given one step at a time: Bidirectional,
// go_backwards, attention, convolution and pooling over time. A layer of your own can where its
// streaming() says so; a cell of your own always can. These run by their call() with the model's
// own weights: do not train the model meanwhile.
#pragma once

#include <memory>

#include "unroll/model.h"
#include "unroll/weight_type.h"

namespace unroll {

struct PackOptions {
  /// Of the kernels of Dense and of the built-in recurrent layers.
  WeightType weights = WeightType::float32;
};

/// The weights of a model as they were when it was made, packed for single steps; the model may be
/// trained on, or be gone. A handle: copies share. Threads: any number may use it at once.
class PackedModel {
 public:
  /// Throws: Error (unsupported) for a layer that needs later steps, for explicit masks, and for a
  /// float64 model; Error (value) for a model that is not built; Error (shape) where the size of a
  /// step is not known.
  explicit PackedModel(const Model& model, const PackOptions& options = {});

  WeightType weights() const noexcept;
  /// Bytes of all that one session takes.
  Index session_bytes() const noexcept;

  struct Impl;
  const std::shared_ptr<const Impl>& impl() const noexcept { return impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace unroll
