// What a text may ask for in memory.
#pragma once

#include "src/io/json_at.h"
#include "unroll/layer.h"

namespace unroll::io {

/// Counts the numbers of the weights that a text asks for, before they are allocated.
class WeightBudget {
 public:
  explicit WeightBudget(Index numbers) : most_(numbers), left_(static_cast<double>(numbers)) {}

  /// Builds the layer. Throws: Error (format) where its weights, or its outputs, are too many.
  void build(Layer& layer, const JsonAt& place, const std::vector<Shape>& inputs);

  /// Throws: Error (format) for a value whose rows have more numbers than any model's.
  static void check_size(const Shape& shape, const JsonAt& place);

 private:
  Index most_;
  double left_;
};

}  // namespace unroll::io
