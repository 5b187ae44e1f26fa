// Recurrent layers one step at a time: built-in cells through a kernel, alone or stacked.
#include "src/layers/streamed.h"

#include "src/kernels/recurrent_step.h"
#include "src/recurrent/cells.h"
#include "src/recurrent/walker.h"

namespace unroll {

namespace {

/// Cells on top of one another; each output is the h of its cell.
class WalkerStep final : public StreamedLayer {
 public:
  /// `tabulated`: the first cell has a table, and is told which row.
  WalkerStep(std::vector<kernels::RecurrentStep> cells, const Walk& walk, bool tabulated)
      : cells_(std::move(cells)), walk_(walk), tabulated_(tabulated) {
    for (const kernels::RecurrentStep& cell : cells_) {
      scratch_ = std::max(scratch_, cell.scratch());
      for (int i = 0; i < states_of(cell); ++i) states_.push_back(cell.shape().units);
    }
  }
  std::vector<Index> states() const override { return states_; }
  Index scratch() const override { return scratch_; }
  bool takes_id() const override { return tabulated_; }

  bool run(const StepRun& s) const override {
    if (s.kept) {
      take(s);
    } else {
      repeat(s);
    }
    if (walk_.return_state) give_states(s);
    return !walk_.return_sequences || s.kept;
  }

 private:
  static int states_of(const kernels::RecurrentStep& cell) {
    return cell.shape().cell == kernels::CellKind::lstm ? 2 : 1;
  }
  static float* after(const kernels::RecurrentStep& cell, float* states) {
    return states + states_of(cell) * cell.room();
  }

  void take(const StepRun& s) const {
    kernels::StepNumbers numbers{
        .h = s.states, .y = s.outputs[0], .scratch = s.scratch, .backwards = s.backwards};
    if (!tabulated_) numbers.x = s.inputs[0];
    for (const kernels::RecurrentStep& cell : cells_) {
      numbers.c = numbers.h + cell.room();
      if (numbers.x == nullptr) {
        cell.run_row(*s.ids, numbers);
      } else {
        cell.run(numbers);
      }
      numbers.x = numbers.h;
      numbers.h = after(cell, numbers.h);
    }
  }
  /// A masked step repeats its output, which is the state.
  void repeat(const StepRun& s) const {
    float* h = s.states;
    for (std::size_t i = 0; i + 1 < cells_.size(); ++i) h = after(cells_[i], h);
    const Index U = cells_.back().shape().units;
    if (walk_.zero_output_for_mask) {
      std::fill_n(s.outputs[0], U, 0.0f);
    } else {
      std::copy_n(h, U, s.outputs[0]);
    }
  }
  void give_states(const StepRun& s) const {
    const float* state = s.states;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      std::copy_n(state, states_[i], s.outputs[i + 1]);
      state += kernels::gemv_room(states_[i]);
    }
  }

  std::vector<kernels::RecurrentStep> cells_;
  std::vector<Index> states_;
  Walk walk_;
  bool tabulated_;
  Index scratch_ = 0;
};

/// The cells, from the first on; none where one is a user's own or has an activation that the
/// kernels lack.
std::vector<const FusedCell*> fused_cells(const Cell& cell) {
  std::vector<Cell> list{cell};
  if (const auto* stacked = dynamic_cast<const StackedCellsImpl*>(cell.get())) {
    list = stacked->cells();
  }
  std::vector<const FusedCell*> fused;
  for (const Cell& one : list) {
    const auto* known = dynamic_cast<const FusedCell*>(one.get());
    if (known == nullptr || !kernels::fused(known->kernel_shape())) return {};
    fused.push_back(known);
  }
  return fused;
}

}  // namespace

Streaming streaming_of(const Walk& walk, std::size_t inputs, bool is_streamed) {
  const bool unclear = walk.zero_output_for_mask && !is_streamed;
  if (walk.go_backwards || inputs > 1 || unclear) return Streaming::never;
  return walk.return_sequences ? Streaming::stepwise : Streaming::last;
}

Streaming WalkerImpl::streaming(std::span<const Shape> inputs) const {
  return streaming_of(walk_, inputs.size(), scanned_ != nullptr || !fused_cells(cell_).empty());
}

std::shared_ptr<const StreamedLayer> WalkerImpl::streamed(const StreamRequest& request) const {
  if (vector_size(request) < 0 || request.inputs.size() > 1) return nullptr;
  if (scanned_ != nullptr) return scan_step(scanned_->stream_weights(), walk_, request);
  std::vector<kernels::RecurrentStep> steps;
  for (const FusedCell* cell : fused_cells(cell_)) {
    const FusedCell::Weights w = cell->weights();
    const std::vector<float> bias = kept_numbers(w.bias);
    steps.emplace_back(cell->kernel_shape(), kept_numbers(w.kernel).data(),
                       kept_numbers(w.recurrent_kernel).data(),
                       bias.empty() ? nullptr : bias.data(), request.weights);
  }
  if (steps.empty()) return nullptr;
  const bool tabulated = request.table != nullptr &&
                         steps[0].tabulate(request.table->floats(), request.table->shape()[0]);
  return std::make_shared<WalkerStep>(std::move(steps), walk_, tabulated);
}

}  // namespace unroll
