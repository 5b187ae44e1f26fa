// Points of a space: rows of finite numbers.
#pragma once

#include <cmath>
#include <span>
#include <string>

#include "unroll/error.h"
#include "unroll/tensor.h"

namespace unroll::data {

class Points {
 public:
  /// `what` is who refuses. Throws: Error (shape) unless (rows, numbers), neither of them 0; Error
  /// (value) where a number is not finite.
  Points(const std::string& what, const Tensor& table) : numbers_(table.to(DType::float64)) {
    const Shape& shape = table.shape();
    if (shape.rank() != 2 || shape[0] == 0 || shape[1] == 0) {
      throw Error(ErrorKind::shape, what + ": these are no points",
                  {.got = shape.to_string(), .want = "(rows, numbers)"});
    }
    const auto all = numbers_.values<double>();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (std::isfinite(all[i])) continue;
      throw Error(ErrorKind::value, what + ": a number is not finite",
                  {.got = std::to_string(all[i]) + " in row " +
                          std::to_string(static_cast<Index>(i) / shape[1])});
    }
  }

  Index rows() const { return numbers_.shape()[0]; }
  Index width() const { return numbers_.shape()[1]; }
  std::span<const double> row(Index i) const {
    return numbers_.values<double>().subspan(static_cast<std::size_t>(i * width()),
                                             static_cast<std::size_t>(width()));
  }

 private:
  Tensor numbers_;
};

}  // namespace unroll::data
