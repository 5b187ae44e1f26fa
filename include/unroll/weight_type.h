// How a packed model keeps its weights: see unroll/stream.h.
#pragma once

#include <cstdint>

namespace unroll {

/// Of products only; biases, tables and what normalises stay float32.
enum class WeightType : std::uint8_t {
  float32,   ///< as they were trained
  bfloat16,  ///< half the bytes, 8 bits of precision
  int8,      ///< a quarter of the bytes: whole numbers with a scale for each output
};

}  // namespace unroll
