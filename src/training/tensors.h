// Whole tensors as samples: what evaluate_loss and MetricState have in common.
#pragma once

#include <vector>

#include "unroll/tensor.h"

namespace unroll::training {

/// Sizes of an array around one axis.
struct AroundAxis {
  Index before = 1, size = 1, after = 1;
};
/// Throws: Error (value) for an axis that is not there; `who` begins the text.
AroundAxis around_axis(std::string_view who, const Shape& shape, Index axis);

/// The numbers as T with the axis moved to the end, or from the end back to its place.
template <class T>
std::vector<T> axis_to_end(const T* x, const AroundAxis& around);
template <class T>
std::vector<T> axis_from_end(const T* x, const AroundAxis& around);

/// The numbers of a tensor of any kind. Throws: nothing.
template <class T>
std::vector<T> numbers_of(const Tensor& tensor);

/// Weights of all samples of a shape, from weights that are one a row, one a sample, or of size 1
/// along some axes. Throws: Error (shape) for others.
template <class T>
std::vector<T> weights_for(std::string_view who, const Shape& samples, const Tensor& weights);

}  // namespace unroll::training
