// A graph of layers, sorted and ready to run.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "unroll/layers.h"

namespace unroll {

/// One use of a layer: where its inputs come from and its outputs go. Slots number the values of a
/// run.
struct GraphStep {
  std::shared_ptr<GraphNode> node;
  LayerImpl* layer = nullptr;
  std::vector<std::size_t> inputs;
  std::vector<std::size_t> masks;  ///< of explicit masks, input by input; no_slot for none
  std::size_t first_output = 0;
  std::size_t outputs = 1;
  int depth = 0;  ///< steps to the furthest output

  static constexpr std::size_t no_slot = static_cast<std::size_t>(-1);
};

/// Where rows enter.
struct GraphInput {
  std::size_t slot = 0;
  Shape shape;                         ///< batch first, sizes may be unknown
  bool ids = false;                    ///< int32, for an Embedding
  bool time_first = false;             ///< its consumer walks through time
  std::optional<double> padding = {};  ///< what its masked steps are filled with
  LayerImpl* layer = nullptr;
};

/// Everything between the inputs and the outputs, in an order that can be run: by depth, as Keras
/// lists them. Names the layers that have no name yet, in the order they were written. Throws:
/// Error (value) where an output does not come from the inputs, or two layers share a name.
class Graph {
 public:
  Graph(const Symbols& inputs, const Symbols& outputs);

  const std::vector<GraphStep>& steps() const noexcept { return steps_; }
  const std::vector<GraphInput>& inputs() const noexcept { return inputs_; }
  const std::vector<std::size_t>& outputs() const noexcept { return output_slots_; }
  const Symbols& output_symbols() const noexcept { return output_symbols_; }
  const Symbols& input_symbols() const noexcept { return input_symbols_; }
  std::size_t slots() const noexcept { return slots_; }

  /// The layers, each once, in the order of steps().
  const std::vector<std::shared_ptr<LayerImpl>>& layers() const noexcept { return layers_; }
  /// Their weights, each once; Parameter::position is its place here.
  const std::vector<Parameter*>& parameters() const noexcept { return parameters_; }

  bool makes_masks() const noexcept { return makes_masks_; }
  bool needs_whole_batch() const noexcept { return whole_batch_; }
  bool stateful() const noexcept { return !stateful_.empty(); }
  /// The layers and those of nested models, these last.
  const std::vector<LayerImpl*>& all_layers() const noexcept { return all_layers_; }
  /// Those of them that carry states from batch to batch.
  const std::vector<LayerImpl*>& stateful_layers() const noexcept { return stateful_; }

  /// Writes the positions of weights and components again: another model may share some of them.
  void number() const;

 private:
  struct Sorter;

  void name_layers();
  void add_layer(LayerImpl& layer);
  void read_inputs(const Symbols& inputs);

  std::vector<GraphStep> steps_;
  std::vector<GraphInput> inputs_;
  std::vector<std::size_t> output_slots_;
  Symbols input_symbols_, output_symbols_;
  std::size_t slots_ = 0;
  std::vector<std::shared_ptr<LayerImpl>> layers_;
  std::vector<Parameter*> parameters_;
  bool makes_masks_ = false;
  bool whole_batch_ = false;
  std::vector<LayerImpl*> all_layers_;
  std::vector<LayerImpl*> stateful_;
};

/// "SimpleRNN" -> "simple_rnn": how Keras names a layer after its class.
std::string snake_case(std::string_view class_name);

}  // namespace unroll
