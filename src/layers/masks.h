// Masks as factors.
#pragma once

#include "unroll/layer.h"

namespace unroll {

/// 1 for the steps that a mask keeps, else 0: the shape of x with a last axis of 1, as x lies.
/// Requires: x is a sequence of the mask's length.
Var kept_steps(Call& call, const Mask& mask, const Var& x);

}  // namespace unroll
