// A lane: some rows of a batch on their way through the whole model, on a tape of their own.
#pragma once

#include <unordered_map>
#include <vector>

#include "src/model/graph.h"
#include "src/model/tabulated.h"
#include "src/model/weights.h"
#include "unroll/windows.h"

namespace unroll {

/// The states that stateful layers carry from batch to batch.
using States = std::unordered_map<const Component*, std::vector<Tensor>>;

/// Which rows of the data a batch is made of: numbers of rows, in order.
using RowNumbers = std::span<const Index>;

/// The gradients that a lane leaves behind, whoever runs in its arena next.
class LaneGradient {
 public:
  /// The gradient of some rows of a table, as an Embedding gives it.
  struct Sparse {
    std::size_t parameter = 0;
    std::span<const std::int32_t> ids;
    const std::byte* rows = nullptr;
  };

  /// Zeros, for the rows of a lane that begins.
  void begin(const FlatWeights& weights);
  /// Of the dense weights, as FlatWeights has them.
  template <class T>
  T* dense() noexcept {
    return static_cast<T*>(dense_.raw());
  }
  Index bytes() const { return dense_.bytes(); }
  /// Copies them.
  void add(const Sparse& rows, Index bytes);
  std::size_t sparse_count() const noexcept { return kept_.size(); }
  Sparse sparse(std::size_t i) const noexcept;
  Index sparse_bytes() const noexcept { return std::ssize(rows_) + 4 * std::ssize(ids_); }

 private:
  struct Kept {
    std::size_t parameter = 0, first_id = 0, ids = 0, first_byte = 0;
  };
  Tensor dense_;
  std::vector<Kept> kept_;
  std::vector<std::int32_t> ids_;
  std::vector<std::byte> rows_;
};

/// How a run goes; the same for all lanes of a batch.
struct RunMode {
  bool training = false;
  bool recording = false;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  States* states = nullptr;
  Index batch_rows = 0;              ///< of all lanes; 0: what layers add to the loss is not wanted
  base::Workers* team = nullptr;     ///< shares the large products of a lane that runs alone
  std::span<Tabulated> tables = {};  ///< those that this batch has begun
};

/// Copies rows into a Var of the tape, turned to time first where asked, converted to `dtype`.
Var gather_rows(Tape& tape, const Rows& rows, RowNumbers numbers, DType dtype, bool time_first);

class Lane final : public Call {
 public:
  Lane(const Graph& graph, DType dtype);

  /// Begins anew: forgets the tape. Gradients are added to `gradient`, which has begun and outlives
  /// the run; null: none are wanted.
  void start(const RunMode& mode, Index first_row, Index rows, const FlatWeights* weights,
             LaneGradient* gradient);
  /// Makes room for a run that takes so many bytes; forgets what there is.
  void reserve(Index bytes);
  /// Puts the rows in. `numbers` are this lane's. Throws: Error (shape).
  void gather(const std::vector<Rows>& inputs, RowNumbers numbers);
  /// The same with a value that is on the tape already (checks, explicit tapes).
  void set_input(std::size_t i, const Var& value) { values_[graph_.inputs()[i].slot] = value; }
  /// Runs all layers.
  void forward();
  /// Takes the gradients of the outputs back to the weights.
  void backward();

  const Var& output(std::size_t i) const { return values_[graph_.outputs()[i]]; }
  const Mask& output_mask(std::size_t i) const { return masks_of_[graph_.outputs()[i]]; }
  /// The value in a slot, and the weight at a position, of the run that has been done; a Var
  /// without a value where there was none.
  const Var& value(std::size_t slot) const { return values_[slot]; }
  const Mask& mask_of_slot(std::size_t slot) const { return masks_of_[slot]; }
  const Var& weight(std::size_t position) const { return leaves_[position]; }

  /// What the layers' activity regularizers add to the loss of the batch.
  double activity_loss() const noexcept { return activity_loss_; }

  /// Runs a nested model as a part of this run: with the values and masks of the layer that stands
  /// for it, whose output masks it sets.
  Vars run(const Graph& graph, const Vars& inputs);

  Var use(const Parameter& parameter) override;
  void add_sparse(const Parameter& parameter, const Var& ids, const Var& d_rows) override;
  void penalize(const LayerImpl& layer, const Vars& outputs) override;
  std::span<Tensor> states(const Component& component) override;

 private:
  /// What passes between the steps of a graph, by slots.
  struct Frame {
    Var* values = nullptr;
    Mask* masks = nullptr;
  };
  void run(const GraphStep& step, const Frame& frame);
  Mask mask_of(const Var& value);
  Vars call_layer(const GraphStep& step, const Vars& inputs);
  template <class T>
  void add_penalty(const Regularizer& penalty, const Var& y);
  static Var turned(const Var& x, bool time_first);

  const Graph& graph_;
  Tape own_tape_;
  std::vector<Var> values_;
  std::vector<Mask> masks_of_;
  std::vector<Var> leaves_;
  struct Embedded {
    std::size_t parameter;
    Var ids, rows;
  };
  std::vector<Embedded> embedded_;
  LaneGradient* gradient_ = nullptr;
  const FlatWeights* weights_ = nullptr;
  States* states_ = nullptr;
  std::span<Tabulated> tables_;
  Index batch_rows_ = 0;
  double activity_loss_ = 0;
};

}  // namespace unroll
