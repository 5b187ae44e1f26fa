#include "src/layers/masks.h"

#include "src/autograd/dispatch.h"

namespace unroll {

Var kept_steps(Call& call, const Mask& mask, const Var& x) {
  Shape shape = x.shape().slice(0, 2);
  for (int axis = 2; axis < x.rank(); ++axis) shape.push_back(1);
  Var kept = call.tape().result(shape, x.dtype(), false);
  kept.set_time_first(x.time_first());
  with_float(x.dtype(), [&]<class T>() {
    T* to = kept.data<T>();
    for (Index i = 0; i < kept.elements(); ++i) {
      const Index t = x.time_first() ? i / mask.rows : i % mask.time;
      const Index r = x.time_first() ? i % mask.rows : i / mask.time;
      to[i] = mask.data[t * mask.rows + r] != 0 ? T{1} : T{0};
    }
  });
  return kept;
}

}  // namespace unroll
