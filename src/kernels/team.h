// Calls that a team of threads may share.
#pragma once

#include "src/base/threads.h"
#include "unroll/index.h"

namespace unroll::kernels {

/// f(0) .. f(count - 1): on a team where there is one, else one after the other. No result may
/// depend on which thread makes a call.
template <class F>
void each(base::Workers* team, Index count, F&& f) {
  if (team != nullptr && count > 1) return team->run(count, f);
  for (Index i = 0; i < count; ++i) f(i);
}

}  // namespace unroll::kernels
