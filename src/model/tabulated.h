// An Embedding of one of a model's inputs whose rows only a recurrent layer reads: in training they
// go as one.
//
// The same ids come back at many steps of a batch. Their rows times the layer's kernel are made
// once for each id, lanes start their steps from those products, and what comes back for the
// products is added up by id before it becomes the gradients of the table and of the kernel.
// Nothing of the size (steps, features) is made. Sums are in an order that depends on the batch
// alone.
#pragma once

#include <memory>
#include <vector>

#include "src/base/threads.h"
#include "src/layers/tabulated.h"
#include "src/model/graph.h"
#include "src/model/weights.h"
#include "unroll/windows.h"

namespace unroll {

class Tabulated {
 public:
  /// All of a graph.
  static std::vector<Tabulated> of(const Graph& graph);

  const GraphStep* embedding() const noexcept { return embedding_; }
  const GraphStep* reader() const noexcept { return reader_; }
  std::size_t input() const noexcept { return input_; }

  /// Before the lanes of a batch run: the rows `numbers` of the input, in lanes of `lane_rows` and
  /// slices of `slice_rows`. False where the batch gains nothing, or the layers need the rows
  /// themselves.
  bool begin(const Rows& ids, std::span<const Index> numbers, Index lane_rows, Index slice_rows,
             const FlatWeights& weights, base::Workers& workers);
  /// Each step's place among the batch's ids, row by row of the batch: what lanes read as their
  /// ids. Place 0 is id 0's.
  const Rows& places() const noexcept { return place_rows_; }
  /// 0, 1, ...: the rows of places().
  std::span<const Index> numbers() const noexcept { return numbers_; }
  /// For the slice that begins with this row, when it begins.
  TableRows rows_of(Index first_row) const;
  TableReader& layer() const noexcept { return *layer_; }

  /// After the lanes have run: adds to the dense gradient, and writes the table's rows.
  void finish(const FlatWeights& weights, void* dense, void* table, base::Workers& workers);
  /// Zeros where finish() has written.
  void clear(const FlatWeights& weights, void* table);

 private:
  Tabulated(const GraphStep& embedding, const GraphStep& reader, std::size_t input);

  bool trained(const FlatWeights& weights) const;
  void number(const Rows& ids, std::span<const Index> numbers);
  void list_steps(Index rows, Index slice_rows);
  void list_lanes(Index lanes);
  template <class T>
  void make_products(base::Workers& workers);
  template <class T>
  void add_up(const FlatWeights& weights, T* dense, T* table, base::Workers& workers);
  /// Ids that a worker takes at a time.
  Index chunk() const;
  Index count() const noexcept { return static_cast<Index>(ids_.size()); }

  const GraphStep* embedding_;
  const GraphStep* reader_;
  std::size_t input_;
  TableReader* layer_;
  const Parameter* table_;
  TableKernel kernel_;
  DType dtype_ = DType::float32;
  Index width_ = 0, columns_ = 0, time_ = 0;  // of the products: from row to row, used

  std::vector<std::int32_t> place_of_;  // of every id; -1: not in this batch
  std::vector<std::int32_t> ids_;       // of the batch, each once
  Tensor places_;                       // (rows, time)
  Rows place_rows_;
  std::vector<Index> numbers_;
  Index lane_rows_ = 0;
  bool by_id_ = false;                    // lanes add up the gradients of each id themselves
  std::vector<std::int32_t> first_step_;  // of each id, in steps_; and the end
  std::vector<std::int32_t> steps_;       // rows of gradients_
  // Grown as needed: the ids' rows of the table, their products (later the sums of the steps'
  // gradients), the gradients of all steps, the kernel and its gradient chunk by chunk.
  Tensor rows_, products_, gradients_, arranged_, bias_, packed_, packed_transposed_, partial_;
};

}  // namespace unroll
