// The integer that counts things.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unroll {

/// Every count, size and position in unroll. Signed, as a difference of two must be one too.
using Index = std::int64_t;

}  // namespace unroll
