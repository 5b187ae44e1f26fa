// Numbers and lists of the reference data's JSON files.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unroll/tensor.h"

namespace unroll::golden {

using Json = nlohmann::ordered_json;

/// A number; the strings "nan", "inf" and "-inf" stand for themselves, true and false for 1 and 0.
double number_of(const Json& value);
/// A (nested) list as a tensor. Throws: std::runtime_error where rows have different lengths.
Tensor tensor_of(const Json& list, DType dtype = DType::float64);
/// Sizes of a JSON list as a shape.
Shape shape_of(const Json& sizes);

/// The name of a result in a precision: "loss", "loss_f64".
std::string key_of(const std::string& name, DType dtype);

}  // namespace unroll::golden
