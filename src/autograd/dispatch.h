// One written operation for both precisions.
#pragma once

#include "unroll/error.h"
#include "unroll/tensor.h"

namespace unroll {

/// Calls f.operator()<T>() with T = float or double. Throws: Error (value) for integers.
template <class F>
decltype(auto) with_float(DType dtype, F f) {
  if (dtype == DType::float32) return f.template operator()<float>();
  if (dtype == DType::float64) return f.template operator()<double>();
  throw Error(ErrorKind::value, "an operation wants real numbers",
              {.got = std::string(to_string(dtype)), .want = "float32 or float64"});
}

}  // namespace unroll
