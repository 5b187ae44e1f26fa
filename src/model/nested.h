// A model as a layer of another model.
#pragma once

#include <memory>
#include <vector>

#include "src/model/graph.h"

namespace unroll {

struct ModelImpl;

/// Runs the model's graph as a part of the run that it stands in: on the same tape, with the same
/// lane's states and random numbers. Its children are the model's layers, so that weights, names
/// and freezing are those of the model.
class NestedModel final : public LayerImpl {
 public:
  explicit NestedModel(std::shared_ptr<ModelImpl> model);

  /// The inner graph. Throws: Error (value) before it is built.
  const Graph& graph() const;
  const std::shared_ptr<ModelImpl>& model() const noexcept { return model_; }

  std::string_view class_name() const override;
  void build(std::span<const Shape> inputs) override;
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const override;
  Vars call(Call& call, const Vars& inputs) override;
  void prepare(DType dtype, bool training) override;

  Order order() const override { return Order::any; }
  MaskRule mask_rule() const override { return MaskRule::own; }
  bool takes_ids(std::size_t input) const override { return graph().inputs()[input].ids; }
  bool makes_masks() const override { return graph().makes_masks(); }
  std::optional<double> padding() const override { return graph().inputs()[0].padding; }
  bool whole_batch() const override { return graph().needs_whole_batch(); }

 private:
  void adopt();

  std::shared_ptr<ModelImpl> model_;
};

}  // namespace unroll
