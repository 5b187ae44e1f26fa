// The learning rate of the tasks that train long.
#pragma once

#include <algorithm>

#include "unroll/schedules.h"

namespace unroll::tasks {

/// From 0 up to `rate` in `warmup` updates, a tenth of all at most, then down a cosine to `end`
/// times the rate.
inline CosineDecay warmed_cosine(double rate, Index warmup, Index updates, double end) {
  warmup = std::min(warmup, updates / 10);
  return CosineDecay{.initial_learning_rate = 0,
                     .decay_steps = std::max<Index>(updates - warmup, 1),
                     .alpha = end,
                     .warmup_target = rate,
                     .warmup_steps = warmup};
}

}  // namespace unroll::tasks
