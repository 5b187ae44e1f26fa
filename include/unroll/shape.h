// Shapes: the sizes of an array, outermost first.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <string>

#include "unroll/index.h"

namespace unroll {

/// A size that is not known yet; printed as "None". Only Symbols and declared input shapes have it.
inline constexpr Index unknown = -1;

/// The sizes of an array, outermost first. A plain value of fixed size: copying allocates nothing.
/// Throws: Error (shape) for more than max_rank sizes.
class Shape {
 public:
  static constexpr int max_rank = 8;

  constexpr Shape() = default;
  Shape(std::initializer_list<Index> sizes);
  explicit Shape(std::span<const Index> sizes);

  int rank() const noexcept { return rank_; }
  bool empty() const noexcept { return rank_ == 0; }

  /// The size of an axis; a negative axis counts from the end.
  /// Throws: Error (shape) where there is no such axis.
  Index operator[](int axis) const { return sizes_[at(axis)]; }
  void set(int axis, Index size) { sizes_[at(axis)] = size; }

  /// The number of elements: the product of the sizes; 1 for rank 0.
  /// Throws: Error (shape) if a size is unknown or the product does not fit an Index.
  Index elements() const;
  /// The product of the sizes of axes [first, last). Requires: 0 <= first <= last <= rank().
  Index product(int first, int last) const;

  bool known() const noexcept;
  void push_back(Index size);
  /// This shape without / with an axis. Throws: Error (shape).
  Shape without(int axis) const;
  Shape with(int axis, Index size) const;
  /// Axes [first, last) as a shape of their own; negative ones count from the end.
  Shape slice(int first, int last) const;

  const Index* begin() const noexcept { return sizes_.data(); }
  const Index* end() const noexcept { return sizes_.data() + rank_; }

  friend bool operator==(const Shape& a, const Shape& b) noexcept;

  /// As Python prints a tuple: "(None, 50, 1)", "(3,)", "()".
  std::string to_string() const;

 private:
  std::size_t at(int axis) const;

  std::array<Index, max_rank> sizes_{};
  int rank_ = 0;
};

/// The shape that two broadcast shapes have together, by numpy's rule.
/// Throws: Error (shape) if they do not fit.
Shape broadcast(const Shape& a, const Shape& b);

}  // namespace unroll
