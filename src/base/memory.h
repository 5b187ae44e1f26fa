// How much memory this process may still take.
#pragma once

#include "unroll/index.h"

namespace unroll::base {

/// Bytes: $UNROLL_MEMORY, or what the machine has free, or its cgroup leaves, whichever is less.
/// Where the system says nothing: the largest Index.
/// Throws: Error (value) where UNROLL_MEMORY is not a positive number of bytes.
Index available_memory();

}  // namespace unroll::base
