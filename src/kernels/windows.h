// Windows over the places of a batch.
#pragma once

#include <algorithm>

#include "src/kernels/convolution.h"

namespace unroll::kernels {

/// Calls f(tap, count, place) for the taps of window m: `count` taps from `tap` on lie on places of
/// the input from `place` on, one after the other; place -1: on zeros.
template <class F>
void for_each_run(const ConvolutionShape& s, Index m, F f) {
  Index row, top, left;
  if (s.time_first) {
    row = m % s.rows;
    top = 0;
    left = m / s.rows;
  } else {
    row = m / (s.y.out * s.x.out);
    top = m / s.x.out % s.y.out;
    left = m % s.x.out;
  }
  top = top * s.y.stride - s.y.before;
  left = left * s.x.stride - s.x.before;
  const Index between = s.time_first ? s.rows : 1;
  const Index taps = s.x.kernel;
  for (Index i = 0; i < s.y.kernel; ++i) {
    const Index y = top + i * s.y.dilation, first = i * taps;
    if (y < 0 || y >= s.y.size) {
      f(first, taps, Index{-1});
      continue;
    }
    const Index start = s.time_first ? row : (row * s.y.size + y) * s.x.size;
    if (s.x.dilation == 1 && between == 1) {
      const Index low = std::clamp<Index>(-left, 0, taps);
      const Index high = std::clamp<Index>(s.x.size - left, low, taps);
      if (low > 0) f(first, low, Index{-1});
      if (high > low) f(first + low, high - low, start + left + low);
      if (high < taps) f(first + high, taps - high, Index{-1});
      continue;
    }
    for (Index j = 0; j < taps; ++j) {
      const Index x = left + j * s.x.dilation;
      const bool inside = x >= 0 && x < s.x.size;
      f(first + j, Index{1}, inside ? start + x * between : Index{-1});
    }
  }
}

}  // namespace unroll::kernels
