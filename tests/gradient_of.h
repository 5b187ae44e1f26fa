// The gradient of one weight, dense or a table's, from what a lane has left behind.
#pragma once

#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/model/lane.h"

namespace unroll {

inline Tensor gradient_of(const Parameter& weight, LaneGradient& lane, const FlatWeights& flat) {
  Tensor gradient(weight.shape(), flat.dtype());
  with_float(flat.dtype(), [&]<class T>() {
    T* to = gradient.values<T>().data();
    if (!weight.sparse) {
      std::copy_n(lane.dense<T>() + flat.offset(weight.position), weight.elements(), to);
      return;
    }
    const Index width = weight.shape()[1];
    for (std::size_t k = 0; k < lane.sparse_count(); ++k) {
      const LaneGradient::Sparse rows = lane.sparse(k);
      if (rows.parameter != weight.position) continue;
      const T* d = reinterpret_cast<const T*>(rows.rows);
      for (const Index id : rows.ids) {
        for (Index i = 0; i < width; ++i) to[id * width + i] += *d++;
      }
    }
  });
  return gradient;
}

}  // namespace unroll
