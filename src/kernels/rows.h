// Rows of tables, by their numbers.
#pragma once

#include <cstdint>

#include "unroll/index.h"

namespace unroll::kernels {

/// out (count, width) = the rows of a table whose numbers `ids` are; and the way back.
template <class T>
void gather_rows(Index width, const T* table, const std::int32_t* ids, Index count, T* out);
template <class T>
void scatter_rows(Index width, const T* rows, const std::int32_t* ids, Index count, T* table);

/// Adds the rows (count, width) to those of a table, one after the other; of `parts` that share a
/// table, only to the rows of this `part`: those whose number it is, modulo parts.
template <class T>
void scatter_add_rows(Index width, const T* rows, const std::int32_t* ids, Index count, T* table,
                      Index part = 0, Index parts = 1);

/// out (width) = the sum of `count` rows of x (..., width), in the order of `rows`. width: a
/// multiple of a cache line.
template <class T>
void sum_rows(Index width, const T* x, const std::int32_t* rows, Index count, T* out);

}  // namespace unroll::kernels
