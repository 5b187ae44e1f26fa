#include "unroll/shape.h"

#include <algorithm>
#include <limits>

#include "unroll/error.h"

namespace unroll {

Shape::Shape(std::initializer_list<Index> sizes)
    : Shape(std::span<const Index>(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const Index> sizes) {
  for (Index size : sizes) push_back(size);
}

void Shape::push_back(Index size) {
  if (rank_ == max_rank) {
    throw Error(ErrorKind::shape, "a shape has at most 8 axes", {.got = to_string() + " and more"});
  }
  if (size < unknown) {
    throw Error(ErrorKind::shape, "a size is negative", {.got = std::to_string(size)});
  }
  sizes_[static_cast<std::size_t>(rank_++)] = size;
}

std::size_t Shape::at(int axis) const {
  const int position = axis < 0 ? axis + rank_ : axis;
  if (position < 0 || position >= rank_) {
    throw Error(ErrorKind::shape, "no such axis",
                {.got = std::to_string(axis) + " of " + to_string()});
  }
  return static_cast<std::size_t>(position);
}

Index Shape::elements() const { return product(0, rank_); }

Index Shape::product(int first, int last) const {
  Index count = 1;
  for (int axis = first; axis < last; ++axis) {
    const Index size = sizes_[static_cast<std::size_t>(axis)];
    if (size == unknown) throw Error(ErrorKind::shape, "a size is unknown", {.got = to_string()});
    if (size != 0 && count > std::numeric_limits<Index>::max() / size) {
      throw Error(ErrorKind::shape, "a shape has too many elements", {.got = to_string()});
    }
    count *= size;
  }
  return count;
}

bool Shape::known() const noexcept { return std::find(begin(), end(), unknown) == end(); }

Shape Shape::without(int axis) const {
  const std::size_t gone = at(axis);
  Shape result;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rank_); ++i) {
    if (i != gone) result.push_back(sizes_[i]);
  }
  return result;
}

Shape Shape::with(int axis, Index size) const {
  const int position = axis < 0 ? axis + rank_ + 1 : axis;
  if (position < 0 || position > rank_) {
    throw Error(ErrorKind::shape, "no such axis",
                {.got = std::to_string(axis) + " of " + to_string()});
  }
  Shape result;
  for (int i = 0; i < rank_; ++i) {
    if (i == position) result.push_back(size);
    result.push_back(sizes_[static_cast<std::size_t>(i)]);
  }
  if (position == rank_) result.push_back(size);
  return result;
}

Shape Shape::slice(int first, int last) const {
  if (first < 0) first += rank_;
  if (last < 0) last += rank_;
  Shape result;
  for (int i = std::max(first, 0); i < std::min(last, rank_); ++i) {
    result.push_back(sizes_[static_cast<std::size_t>(i)]);
  }
  return result;
}

bool operator==(const Shape& a, const Shape& b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::string Shape::to_string() const {
  std::string text = "(";
  for (const Index* size = begin(); size != end(); ++size) {
    if (size != begin()) text += ", ";
    text += *size == unknown ? "None" : std::to_string(*size);
  }
  if (rank_ == 1) text += ",";
  return text + ")";
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape result;
  const int rank = std::max(a.rank(), b.rank());
  for (int axis = 0; axis < rank; ++axis) {
    const int in_a = axis - (rank - a.rank()), in_b = axis - (rank - b.rank());
    const Index size_a = in_a < 0 ? 1 : a[in_a], size_b = in_b < 0 ? 1 : b[in_b];
    if (size_a != size_b && size_a != 1 && size_b != 1) {
      throw Error(ErrorKind::shape, "shapes do not broadcast",
                  {.got = a.to_string() + " and " + b.to_string(),
                   .want = "equal sizes, or 1, counted from the last axis"});
    }
    result.push_back(size_a == 1 ? size_b : size_a);
  }
  return result;
}

}  // namespace unroll
