// Axes that may count from the end.
#pragma once

#include <string>

#include "unroll/error.h"

namespace unroll {

/// The same axis counted from 0. Throws: Error (shape) where there is no such axis.
inline int positive_axis(int axis, int rank) {
  const int position = axis < 0 ? axis + rank : axis;
  if (position < 0 || position >= rank) {
    throw Error(ErrorKind::shape, "no such axis",
                {.got = std::to_string(axis) + " of rank " + std::to_string(rank)});
  }
  return position;
}

}  // namespace unroll
