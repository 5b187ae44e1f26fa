// What a fit reads: which rows, in which order, with which weights.
#pragma once

#include <optional>
#include <vector>

#include "src/model/trainer.h"
#include "unroll/model.h"

namespace unroll {

/// What is trained on and what is watched.
struct Parts {
  Data x, y;
  Rows weight;
  std::optional<Validation> validation;
};

/// Splits the rows. Throws: Error (value) for no rows or a share that leaves nothing; Error (shape)
/// for sample weights of another number of rows.
Parts parts_of(const Data& x, const Data& y, const FitOptions& options);

/// Throws: Error (value) for an argument outside its range.
void check_arguments(const FitOptions& options);
void check_positive(const char* what, Index value);
void check_positive(const char* what, const std::optional<Index>& value);
/// Throws: Error (value) for no rows.
Index rows_in(const Data& x);

Index batches(Index rows, Index batch_size);
/// Rows [0, rows), and the numbers of one batch of an order.
std::vector<Index> in_order(Index rows);
RowNumbers batch_of(const std::vector<Index>& order, Index batch, Index batch_size);

/// Passes over the rows, batch by batch. Each pass has an order of its own, a function of the seed
/// and the pass.
class Passes {
 public:
  Passes(Index rows, Index batch_size, bool shuffled, std::uint64_t seed);
  Index pass() const noexcept { return pass_; }
  /// Batches of this pass that have been taken, and all of a pass.
  Index taken() const noexcept { return taken_; }
  Index batches() const noexcept { return batches_; }
  bool exhausted() const noexcept { return taken_ == batches_; }
  /// Begins a pass, or goes on in the middle of one.
  void begin(Index pass, Index taken = 0);
  RowNumbers next() { return batch_of(order_, taken_++, batch_size_); }

 private:
  std::vector<Index> order_;
  Index batch_size_, batches_;
  bool shuffled_;
  std::uint64_t seed_;
  Index pass_ = 0, taken_ = 0;
};

/// What each sample weighs by its class, times what it weighs already.
/// Shapes: (rows), or (rows, samples of a row). Throws: Error (value) for a class without a weight
/// or a target that names none; Error (unsupported) for a model with several outputs.
Rows weights_by_class(const Trainer& trainer, DType dtype, const Data& y, const Rows& weight,
                      const std::map<Index, double>& class_weight);

}  // namespace unroll
