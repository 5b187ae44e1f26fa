// The decoder that attends, step by step: as a layer, and for whoever takes its steps one by one.
#pragma once

#include <memory>
#include <vector>

#include "src/layers/step_product.h"
#include "src/recurrent/attend_step.h"
#include "src/recurrent/walker.h"
#include "unroll/decoder.h"

namespace unroll {

/// What goes from step to step.
struct DecoderState {
  Vars states;  ///< of the cells, (rows, size) each
  Var fed;      ///< with input feeding: the output before, (rows, units)
};

/// Chooses the inputs of a decoder that reads its own words.
struct Feedback {
  /// Takes ids to vectors, and outputs back to logits of ids.
  std::shared_ptr<LayerImpl> embedding;
  /// The share of steps, while training, whose input is the true one; the others get what the
  /// decoder itself would say at the step before.
  double forcing = 1;
  bool sampled = false;  ///< drawn from the logits; otherwise the most probable id
};

class DecoderSteps;

class AttentionDecoderImpl final : public LayerImpl {
 public:
  AttentionDecoderImpl() = default;
  AttentionDecoderImpl(std::vector<Cell> cells, const AttentionDecoderOptions& options);

  std::string_view class_name() const override { return "AttentionDecoder"; }
  void describe(Describer& d) override;
  void build(std::span<const Shape> inputs) override;
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override;
  Order order() const override { return Order::time_first; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  bool draws() const override { return options_.dropout > 0; }
  void prepare(DType dtype, bool training) override;
  Vars call(Call& call, const Vars& inputs) override;

  /// How the next training goes; no part of what is saved.
  void set_feedback(const Feedback& feedback) { feedback_ = feedback; }

  // --- one step at a time ---
  /// Packs what single steps need.
  void prepare_steps(DType dtype, bool training);
  /// The memory with its keys: (steps, rows, size), time first.
  Attended attend_to(Call& call, const Var& memory, const Mask& mask) const;
  DecoderState first_state(Call& call, std::span<const Var> states, Index rows) const;
  std::size_t states() const noexcept { return state_sizes_.size(); }
  std::size_t cells() const noexcept { return cells_.size(); }
  Index units() const noexcept { return units_; }
  bool feeds() const noexcept { return options_.input_feeding; }
  std::vector<Index> state_sizes() const { return state_sizes_; }

 private:
  friend class DecoderSteps;

  bool additive() const noexcept { return options_.attention == "additive"; }
  /// Whether a step needs what came of the step before, beside the states.
  bool must_step(const Call& call) const;
  Var walk(Call& call, const Var& x, const Mask& mask, const Attended& to,
           const DecoderState& first, const Var& scale);
  Var steps(Call& call, const Var& x, const Mask& mask, const Attended& to,
            const DecoderState& first, const Var& input_scale, const Var& output_scale);
  /// The inputs of step t, of which some rows are replaced by what the decoder says itself.
  Var own_inputs(Call& call, const Var& x, const Var& output, const Var& input_scale, Index t,
                 Index time) const;
  Var dropout_scale(Call& call, Index time, Index used, Index width, std::uint64_t salt) const;
  void check_options() const;

  std::vector<Cell> cells_;
  AttentionDecoderOptions options_;
  Feedback feedback_;
  std::vector<std::shared_ptr<WalkerImpl>> walkers_;
  std::vector<Index> state_sizes_;
  std::vector<std::size_t> state_counts_;
  Index features_ = 0, size_ = 0, query_ = 0, units_ = 0;
  Parameter* scale_ = nullptr;
  PackedKernel output_, key_, query_kernel_;
  /// Of the cells whose step is made of two products: x W, and h R.
  struct CellKernels {
    const FusedCell* cell = nullptr;
    PackedKernel input, recurrent;
  };
  std::vector<CellKernels> kernels_;
};

/// Steps of one walk. Room for `rows` rows in all, that is steps times rows. Plain values: it may
/// lie in an arena.
class DecoderSteps {
 public:
  DecoderSteps(Call& call, AttentionDecoderImpl& decoder, Index rows);

  /// One step of rows[i], which attend to sequence rows[i] of the memory each. `keep` (rows, 1)
  /// uint8, or none: where it is 0 the states stay. Gives the output before dropout; `weights`
  /// (rows, steps of the memory) may be null.
  Var step(const Var& x, DecoderState& state, const Attended& to, const Index* rows,
           const Var& keep = {}, Var* weights = nullptr);

 private:
  static constexpr std::size_t most_cells = 8;
  Step cell_step(std::size_t cell, const Var& x, const Var& more, const Var& fed,
                 const Vars& states);

  Call& call_;
  AttentionDecoderImpl& decoder_;
  StepProduct* output_ = nullptr;
  StepProduct* query_ = nullptr;
  std::array<StepProduct*, most_cells> input_{}, recurrent_{};
};

}  // namespace unroll
