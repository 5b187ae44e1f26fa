// Picking parts of an array: h[{all, -1, all}], z[{all, range(0, 50)}].
#pragma once

#include <span>
#include <vector>

#include "unroll/shape.h"

namespace unroll {

/// Every position of an axis.
struct All {};
inline constexpr All all{};

/// Positions first, first + 1, ..., last - 1; negative ones count from the end.
struct Range {
  Index first;
  Index last;
};
constexpr Range range(Index first, Index last) noexcept { return {first, last}; }

/// What is taken of one axis: everything, a range, or one position (the axis goes away).
class Pick {
 public:
  constexpr Pick(All) noexcept {}
  constexpr Pick(Range range) noexcept
      : kind_(Kind::range), first_(range.first), last_(range.last) {}
  constexpr Pick(Index position) noexcept : kind_(Kind::one), first_(position) {}
  constexpr Pick(int position) noexcept : Pick(static_cast<Index>(position)) {}

  constexpr bool whole() const noexcept { return kind_ == Kind::all; }
  constexpr bool one() const noexcept { return kind_ == Kind::one; }
  constexpr Index first() const noexcept { return first_; }
  constexpr Index last() const noexcept { return last_; }

 private:
  enum class Kind : std::uint8_t { all, range, one };
  Kind kind_ = Kind::all;
  Index first_ = 0;
  Index last_ = 0;
};

using Picks = std::vector<Pick>;

/// One axis of a pick against a size: where it starts and how many positions it takes.
struct PickedAxis {
  Index first;
  Index count;
};

/// Throws: Error (shape) for a position or range outside the axis.
PickedAxis resolve(const Pick& pick, Index size);

/// The shape that is left; an unknown size stays unknown under `all`, and refuses everything else
/// but a position (which is resolved when the numbers are there). Throws: Error (shape) for more
/// picks than axes.
Shape picked_shape(const Shape& shape, std::span<const Pick> picks);

}  // namespace unroll
