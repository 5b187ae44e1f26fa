// Orders drawn at random.
#pragma once

#include <numeric>
#include <utility>
#include <vector>

#include "src/base/random.h"

namespace unroll::tasks {

/// 0 .. count - 1 in an order that (seed, stream) names. Fisher and Yates.
inline std::vector<Index> shuffled(Index count, std::uint64_t seed, std::uint64_t stream) {
  std::vector<Index> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), Index{0});
  const base::Random random(seed, stream);
  for (Index i = count - 1; i > 0; --i) {
    const Index other = random.below(i + 1, static_cast<std::uint64_t>(i));
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(other)]);
  }
  return order;
}

}  // namespace unroll::tasks
