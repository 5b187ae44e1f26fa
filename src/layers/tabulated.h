// Layers that read the rows of a table, and may be given their products instead.
//
// An Embedding whose rows only such a layer reads need not copy them: the table times the layer's
// kernel, made once for each id of a batch, is what its steps start from (model/tabulated.h).
#pragma once

#include <optional>

#include "src/kernels/recurrent.h"
#include "unroll/layer.h"

namespace unroll {

/// What the rows of a table are multiplied by. The products lie as kernels/recurrent_table.h says.
struct TableKernel {
  kernels::RecurrentShape shape;  ///< without time and rows
  const Parameter* kernel = nullptr;
  const Parameter* bias = nullptr;  ///< null: none
};

/// The products of a batch's ids, and the place for their gradients, step by step of this lane.
struct TableRows {
  const void* products = nullptr;
  void* gradients = nullptr;  ///< (time, rows, width); by id: as the products, zeros to be added to
  bool by_id = false;
};

class TableReader {
 public:
  virtual ~TableReader() = default;
  /// Nothing where the layer needs the rows themselves in training.
  virtual std::optional<TableKernel> table_kernel() const = 0;
  /// What LayerImpl::prepare does, for call_tabulated.
  virtual void prepare_tabulated(DType dtype) = 0;
  /// A training step: call(), with ids (time, rows) as the first input, which number the products.
  virtual Vars call_tabulated(Call& call, const Vars& inputs, const TableRows& rows) = 0;
};

}  // namespace unroll
