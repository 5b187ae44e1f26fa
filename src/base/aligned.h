// Memory aligned for SIMD and for cache lines.
#pragma once

#include <memory>

#include "unroll/index.h"

namespace unroll::base {

/// Bytes of a cache line; no two workers write to the same one.
inline constexpr Index cache_line = 64;

/// Zeroed bytes, 64-byte aligned; null for 0. Throws: std::bad_alloc.
std::shared_ptr<void> aligned_bytes(Index bytes);

/// `count` rounded up to a multiple of `step`.
constexpr Index round_up(Index count, Index step) noexcept {
  return (count + step - 1) / step * step;
}

}  // namespace unroll::base
