// Tiles of matrix products for one instruction set; defined in gemm_tile.cpp.

#if defined(UNROLL_KERNELS_GEMM_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_GEMM_TILE_INL_H_
#undef UNROLL_KERNELS_GEMM_TILE_INL_H_
#else
#define UNROLL_KERNELS_GEMM_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include "src/kernels/gemm_tile.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The vectors of the products: as wide as the processor has them, a cache line at most.
template <class T>
using Tag = hn::CappedTag<T, 64 / sizeof(T)>;

template <class T>
inline constexpr Index lanes = static_cast<Index>(hn::MaxLanes(Tag<T>()));

constexpr Index vectors_for(Index columns, Index lane_count) noexcept {
  return (columns + lane_count - 1) / lane_count;
}

void multiply(const PanelProduct<float>& product, Index rows);
void multiply(const PanelProduct<double>& product, Index rows);
void multiply(const RowProduct<float>& product);
void multiply(const RowProduct<double>& product);
void multiply(const TransposedProduct<float>& product);
void multiply(const TransposedProduct<double>& product);

/// Packs one panel, `width` wide, of which `columns` are there: B is b (K, columns), or, if
/// transposed, the transpose of b (columns, K).
template <class T>
HWY_INLINE void pack_panel(Index K, Index columns, Index width, const T* b, Index ldb,
                           bool transposed, T* panel) {
  for (Index k = 0; k < K; ++k) {
    for (Index n = columns; n < width; ++n) panel[k * width + n] = 0;
  }
  if (transposed) {
    for (Index n = 0; n < columns; ++n) {
      for (Index k = 0; k < K; ++k) panel[k * width + n] = b[n * ldb + k];
    }
  } else {
    for (Index k = 0; k < K; ++k) {
      for (Index n = 0; n < columns; ++n) panel[k * width + n] = b[k * ldb + n];
    }
  }
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
