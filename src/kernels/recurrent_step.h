// One time step of one row through a SimpleRNN, GRU or LSTM, with weights packed for that: formulas
// and letters are those of recurrent.h.
#pragma once

#include <vector>

#include "src/kernels/gemv.h"
#include "src/kernels/recurrent.h"

namespace unroll::kernels {

/// What is nearer to zero becomes zero in a state. What dies away would become denormal, and each
/// operation on it cost a hundred times as much; so far above that, its products with weights are
/// no denormals either. The processor's own mode (base::FlushDenormals) takes as long to set as a
/// small model's step.
inline constexpr float tiny_state = 1e-30f;

/// What a step reads and writes. h, c and y have gemv_room(U), scratch begins on a cache line.
struct StepNumbers {
  const float* x = nullptr;  ///< (F)
  float* h = nullptr;        ///< (U), becomes that after x
  float* c = nullptr;        ///< an LSTM's, too
  float* y = nullptr;        ///< (U), becomes the new h
  float* scratch = nullptr;
  /// Reads the weights in the other order. The numbers are the same; what is asked for in turns
  /// finds in the cache what the step before read last.
  bool backwards = false;
};

/// A cell whose weights are only read: many threads may step it at once, each with its own states.
class RecurrentStep {
 public:
  /// Keras's row-major weights; bias may be null. Requires: fused(shape).
  RecurrentStep(const RecurrentShape& shape, const float* kernel, const float* recurrent_kernel,
                const float* bias, WeightType type);

  const RecurrentShape& shape() const noexcept { return shape_; }
  /// gemv_room(U).
  Index room() const noexcept { return room_; }
  /// Numbers of scratch.
  Index scratch() const noexcept { return scratch_; }
  void run(const StepNumbers& numbers) const { step_(*this, numbers, nullptr); }

  /// Computes what the first product gives for each row of a table (rows, F), so that run_row()
  /// need not. Returns false, and does nothing, where that would take more than `most` numbers, or
  /// where the cell needs x in other products too (a GRU that resets before).
  bool tabulate(const float* table, Index rows, Index most = Index{1} << 20);
  /// The step after x = row i of the table. Requires: tabulate() and a row that is in it.
  void run_row(Index i, const StepNumbers& numbers) const {
    step_(*this, numbers, table_.data() + i * table_row_);
  }

  // For the kernels.
  Index padded() const noexcept { return padded_; }
  /// Whether the gates of a vector of units lie side by side, rather than those of all.
  bool grouped() const noexcept { return grouped_; }
  /// x W, or both products in their gates' order: see recurrent_step.cpp.
  const PackedMatrix& input() const noexcept { return input_; }
  const PackedMatrix& recurrent() const noexcept { return recurrent_; }
  const PackedMatrix& candidate_input() const noexcept { return candidate_input_; }
  const PackedMatrix& candidate_recurrent() const noexcept { return candidate_recurrent_; }
  const float* bias() const noexcept { return bias_.data(); }
  const float* second_bias() const noexcept { return second_bias_.data(); }
  /// Room of the products of all gates.
  Index gates_room() const noexcept { return gates_room_; }

 private:
  struct Columns;
  using Kernel = void (*)(const RecurrentStep&, const StepNumbers&, const float* row);

  RecurrentShape shape_;
  bool grouped_ = false;
  Index padded_ = 0, room_ = 0, gates_room_ = 0, products_ = 0, scratch_ = 0;
  PackedMatrix input_, recurrent_, candidate_input_, candidate_recurrent_;
  std::vector<float> bias_, second_bias_;
  Index table_row_ = 0;
  std::vector<float> table_;  // b + x W, a row of gemv_room each
  Kernel step_ = nullptr;     // for the instruction set that the weights are packed for
};

}  // namespace unroll::kernels
