#include <algorithm>
#include <cmath>

#include "src/data/words.h"
#include "unroll/error.h"
#include "unroll/sequences.h"

namespace unroll {

namespace {

/// float64 holds every class that a tensor could have.
constexpr double most_classes = 0x1p31;

void check_class(double value, Index at) {
  if (value >= 0 && value < most_classes && value == std::floor(value)) return;
  throw Error(ErrorKind::value, "to_categorical: not a class",
              {.got = data::spelt(value) + " at position " + std::to_string(at),
               .want = "a whole number from 0 on"});
}

}  // namespace

Tensor to_categorical(const Tensor& classes, Index num_classes, DType dtype) {
  if (num_classes < 0) {
    throw Error(ErrorKind::value, "to_categorical: num_classes must not be negative",
                {.got = std::to_string(num_classes)});
  }
  const Tensor numbers = classes.to(DType::float64);
  const auto values = numbers.values<double>();
  Index largest = -1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    check_class(values[i], static_cast<Index>(i));
    largest = std::max(largest, static_cast<Index>(values[i]));
  }
  const Index width = num_classes > 0 ? num_classes : largest + 1;
  if (largest >= width) {
    throw Error(
        ErrorKind::value, "to_categorical: a class has no column",
        {.got = std::to_string(largest), .want = "below num_classes, " + std::to_string(width)});
  }
  Shape shape = classes.shape();
  if (shape.rank() > 1 && shape[shape.rank() - 1] == 1) shape = shape.without(shape.rank() - 1);
  shape.push_back(width);
  Tensor ones(shape, DType::uint8);
  auto* row = ones.values<std::uint8_t>().data();
  for (const double value : values) {
    row[static_cast<Index>(value)] = 1;
    row += width;
  }
  return ones.to(dtype);
}

}  // namespace unroll
