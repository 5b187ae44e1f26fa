#include "tests/golden/json.h"

namespace unroll::golden {

namespace {

void flatten(const Json& list, std::vector<double>& numbers) {
  if (list.is_array()) {
    for (const Json& entry : list) flatten(entry, numbers);
  } else {
    numbers.push_back(number_of(list));
  }
}

}  // namespace

double number_of(const Json& value) {
  if (value.is_string()) return std::stod(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  return value.get<double>();
}

Tensor tensor_of(const Json& list, DType dtype) {
  Shape shape;
  for (const Json* level = &list; level->is_array(); level = &level->front()) {
    shape.push_back(static_cast<Index>(level->size()));
    if (level->empty()) break;
  }
  std::vector<double> numbers;
  flatten(list, numbers);
  return Tensor::of<double>(shape, numbers).to(dtype);
}

Shape shape_of(const Json& sizes) {
  Shape shape;
  for (const Json& size : sizes) shape.push_back(size.is_null() ? unknown : size.get<Index>());
  return shape;
}

std::string key_of(const std::string& name, DType dtype) {
  return dtype == DType::float64 ? name + "_f64" : name;
}

}  // namespace unroll::golden
