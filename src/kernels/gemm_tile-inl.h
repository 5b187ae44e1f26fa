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

// Products A^T D that are too large for the caches read everything one number after the other: rows
// that lie far apart would each cost an entry of the processor's page table cache, or all fall into
// the same few lines of the first cache.

/// Packs up to strip_rows rows of A for multiply_strips(): strip by strip, row by row; zeros beyond
/// the last column.
template <class T>
void pack_strips(Index rows, Index columns, const T* a, Index lda, T* strips);
/// c (count strip_width, a panel of `vectors`) = [c +] A^T d, where d (rows, the panel's width).
template <class T>
void multiply_strips(Index rows, const T* strips, Index count, const T* d, Index vectors,
                     bool accumulate, T* c);

template <class T>
HWY_INLINE void copy_row(Index n, const T* from, T* to) {
  const Tag<T> d;
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
  for (; i < n; ++i) to[i] = from[i];
}
/// Zeros behind the columns.
template <class T>
HWY_INLINE void copy_block(Index rows, Index columns, const T* from, Index from_ld, T* to,
                           Index to_ld) {
  for (Index i = 0; i < rows; ++i, from += from_ld, to += to_ld) {
    copy_row(columns, from, to);
    for (Index n = columns; n < to_ld; ++n) to[n] = 0;
  }
}
template <class T>
HWY_INLINE void add_row(Index n, const T* from, T* to) {
  const Tag<T> d;
  Index i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) {
    hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::LoadU(d, from + i)), d, to + i);
  }
  for (; i < n; ++i) to[i] += from[i];
}

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
