// One time step of a cell as a layer: what a recurrent layer is when it is unrolled in time.
#pragma once

#include "unroll/recurrent.h"

namespace unroll {

/// Inputs: x (batch, features), then the states, or none for zeros. Outputs: the step's output,
/// then the states. The weights are the cell's, which must be built.
class CellStepImpl final : public LayerImpl {
 public:
  explicit CellStepImpl(Cell cell) : cell_(std::move(cell)) { add_child(cell_); }

  std::string_view class_name() const override { return "CellStep"; }
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override;
  Vars call(Call& call, const Vars& inputs) override;
  void prepare(DType dtype, bool training) override { cell_->prepare(dtype, training); }

 private:
  Cell cell_;
};

}  // namespace unroll
