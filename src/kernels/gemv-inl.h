// Rows times packed weights for one instruction set; defined in gemv.cpp and gemv_int8.cpp.

#if defined(UNROLL_KERNELS_GEMV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_GEMV_INL_H_
#undef UNROLL_KERNELS_GEMV_INL_H_
#else
#define UNROLL_KERNELS_GEMV_INL_H_
#endif

#include <hwy/highway.h>

#include "src/kernels/gemv.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

/// gemv() of gemv.h. Backwards: from the last panel to the first, so that a product that follows
/// its like begins with the weights that the cache has kept. The numbers are the same.
void Multiply(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
              float* y, bool backwards);
void MultiplyInt8(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
                  float* y, bool backwards);

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
