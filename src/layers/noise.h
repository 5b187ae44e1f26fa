// Random numbers for the rows of a lane.
#pragma once

#include <algorithm>

#include "src/base/random.h"
#include "unroll/layer.h"

namespace unroll {

/// The numbers of a component in this step: of its own seed if it has one (0 or more).
inline base::Random random_of(const Call& call, const Component& component, Index seed) {
  const std::uint64_t chosen = seed >= 0 ? static_cast<std::uint64_t>(seed) : call.seed();
  return base::Random(chosen, call.stream(component));
}

/// Calls f(i, position) for each number of x: i in memory, `position` from its row of the batch and
/// its place in the row, so that neither the lane nor the order in memory matters.
template <class F>
void for_each_position(const Call& call, const Var& x, F f) {
  const Index rows = std::max<Index>(call.rows(), 1), per_row = x.elements() / rows;
  const Index time = x.time_first() ? x.shape()[0] : 1, inner = per_row / std::max<Index>(time, 1);
  Index i = 0;
  for (Index t = 0; t < time; ++t) {
    for (Index r = 0; r < call.rows(); ++r) {
      const Index start = (call.first_row() + r) * per_row + t * inner;
      for (Index j = 0; j < inner; ++j) f(i++, static_cast<std::uint64_t>(start + j));
    }
  }
}

}  // namespace unroll
