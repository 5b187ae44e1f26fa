// Kernels with fewer bits, as a bundle keeps them: what a packed model computes with (gemv.h), and
// no more.
#pragma once

#include <string>

#include "src/io/safetensors.h"
#include "unroll/layer.h"
#include "unroll/stream.h"

namespace unroll::io {

/// "float32", "bfloat16" or "int8".
std::string_view to_string(WeightType weights) noexcept;

/// Whether fewer bits may be kept of it: a kernel of products. Biases and tables stay as they are.
bool is_kernel(const Parameter& parameter);

/// Adds the tensors that stand for a kernel: "NAME.bfloat16", or "NAME.int8" and "NAME.scale".
/// Shapes: w (K, N); uint8 (K, N, 2); uint8 (K, N) and float32 (N).
void add_quantised(TensorFile& file, const std::string& name, const Tensor& w, WeightType weights);

/// The kernel that they stand for. Throws: Error (format) where they are of other shapes.
Tensor from_bfloat16(const std::string& name, const Tensor& numbers);
Tensor from_int8(const std::string& name, const Tensor& numbers, const Tensor& scale);

/// A kernel as it will be when it is read again.
Tensor rounded(const Tensor& w, WeightType weights);

}  // namespace unroll::io
