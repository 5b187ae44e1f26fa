// The walk of a cell through time.
#pragma once

#include <optional>

#include "src/layers/packed.h"
#include "src/layers/tabulated.h"
#include "src/recurrent/fused.h"
#include "src/recurrent/scanned.h"
#include "unroll/error.h"

namespace unroll {

/// How a sequence is walked; the part of the options that all recurrent layers share.
struct Walk {
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
};

template <class Options>
Walk walk_of(const Options& options) {
  return {options.return_sequences, options.return_state, options.go_backwards,
          options.stateful,         options.unroll,       options.zero_output_for_mask};
}

/// States before the first step.
Var zeros(Call& call, const Shape& shape, DType dtype);

/// The carried states of this lane's rows, and their way back.
Vars load_states(Call& call, const Component& owner);
void store_states(Call& call, const Component& owner, const Vars& states);

/// The refusal of LayerImpl::part_shapes.
Error reads_from_the_end(const LayerImpl& layer);

/// What a walk does along time for whoever gives it one step at a time. `inputs`: x, and initial
/// states. A masked step that gives zeros needs a quick form: call() alone cannot say whether the
/// output is to be repeated.
Streaming streaming_of(const Walk& walk, std::size_t inputs, bool is_streamed);

/// A layer that walks a sequence step by step: what Bidirectional takes.
class SequenceImpl : public LayerImpl {
 public:
  virtual const Walk& walk() const = 0;
  /// How many states there are.
  virtual std::size_t states() const = 0;
  /// The walk with a mask and initial states given (none: zeros): the outputs, then the last
  /// states. `mask` has the order of x, not of processing.
  virtual Vars run(Call& call, const Var& x, const Mask& mask, const Vars& initial) = 0;
  /// Bidirectional decides this for its layers.
  virtual void set_zero_output_for_mask(bool value) = 0;
  /// A layer of the same options with weights of its own, walking the other way; null where the
  /// cell is a user's.
  virtual std::shared_ptr<SequenceImpl> twin_backwards() const = 0;
};

/// RNN, and with the built-in cells SimpleRNN, GRU and LSTM: the layers differ in name and options
/// only. Inputs: x (time, rows, features), then initial states. Outputs: the sequence or its last
/// step, then the last states where return_state asks for them.
class WalkerImpl : public SequenceImpl, public TableReader {
 public:
  WalkerImpl(std::string class_name, Cell cell, const Walk& walk)
      : class_name_(std::move(class_name)), cell_(std::move(cell)), walk_(walk) {}

  std::string_view class_name() const override { return class_name_; }
  void describe(Describer& d) override;
  void build(std::span<const Shape> inputs) override;
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override;
  std::vector<Shape> state_shapes(Index batch) const override;
  std::vector<Shape> part_shapes(Index batch) const override;
  Order order() const override { return Order::time_first; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  void prepare(DType dtype, bool training) override;
  Vars call(Call& call, const Vars& inputs) override;
  std::optional<TableKernel> table_kernel() const override;
  void prepare_tabulated(DType dtype) override;
  Vars call_tabulated(Call& call, const Vars& inputs, const TableRows& rows) override;
  Streaming streaming(std::span<const Shape> inputs) const override;
  std::shared_ptr<const StreamedLayer> streamed(const StreamRequest& request) const override;

  const Walk& walk() const noexcept override { return walk_; }
  const Cell& cell() const noexcept { return cell_; }
  std::size_t states() const noexcept override { return state_sizes_.size(); }
  Vars run(Call& call, const Var& x, const Mask& mask, const Vars& initial) override;
  void set_zero_output_for_mask(bool value) override { walk_.zero_output_for_mask = value; }
  std::shared_ptr<SequenceImpl> twin_backwards() const override;

  /// Whether the kernels could run this cell; and true: walk it by its step all the same, as a cell
  /// of a user's own is walked. The laws hold both ways to the same numbers.
  bool can_run_fused() const noexcept { return fused_ != nullptr || scanned_ != nullptr; }
  void set_step_by_step(bool value) noexcept { step_by_step_ = value; }

 private:
  bool runs_fused(const Call& call) const;
  Vars walk_through(Call& call, const Vars& inputs, const TableRows* rows);
  Vars run_scan(Call& call, const Var& x, const Mask& mask, const Vars& initial);
  Mask in_order(Call& call, const Mask& mask) const;
  /// With `rows`, x are ids.
  Vars run_fused(Call& call, const Var& x, const Mask& mask, const Vars& initial,
                 const TableRows* rows = nullptr);
  Vars run_steps(Call& call, const Var& x, const Mask& mask, const Vars& initial);
  void refresh(PackedCopy& copy, const kernels::RecurrentShape& shape, DType dtype, bool training);

  std::string class_name_;
  Cell cell_;
  Walk walk_;
  std::vector<Index> state_sizes_;
  Index output_size_ = 0;
  Index features_ = 0;
  const FusedCell* fused_ = nullptr;
  ScannedCell* scanned_ = nullptr;
  bool step_by_step_ = false;
  PackedCopy packed_;
  PackedCopy packed_recurrent_;  // without W: for ids
};

/// The layer of a class that walks a cell as its options say.
template <class Options>
std::shared_ptr<LayerImpl> walker(std::string class_name, Cell cell, const Options& options) {
  auto impl =
      std::make_shared<WalkerImpl>(std::move(class_name), std::move(cell), walk_of(options));
  impl->name = options.name;
  impl->activity_regularizer = options.activity_regularizer;
  return impl;
}

}  // namespace unroll
