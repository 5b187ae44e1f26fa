// The slope of hard_sigmoid, which two files differentiate.
#pragma once

namespace unroll::kernels {

// A sixth in float32 in both precisions: so Keras's reference data have it, with its PyTorch
// backend.
inline constexpr double hard_sigmoid_slope = 1.0f / 6.0f;

}  // namespace unroll::kernels
