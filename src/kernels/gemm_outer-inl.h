// What the tiles are made of: included by gemm_tile.cpp and gemm_transposed.cpp only.

#if defined(UNROLL_KERNELS_GEMM_OUTER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_GEMM_OUTER_INL_H_
#undef UNROLL_KERNELS_GEMM_OUTER_INL_H_
#else
#define UNROLL_KERNELS_GEMM_OUTER_INL_H_
#endif

#include <hwy/highway.h>

#include <utility>

#include "src/kernels/gemm_tile-inl.h"

// Neither compiler unrolls the loop over k by itself: 1.5 times slower at 50 units.
#ifndef UNROLL_FOUR_TIMES
#if defined(__clang__)
#define UNROLL_FOUR_TIMES _Pragma("clang loop unroll_count(4)")
#else
#define UNROLL_FOUR_TIMES _Pragma("GCC unroll 4")
#endif
#endif

#ifndef UNROLL_INLINE
#define UNROLL_INLINE HWY_ATTR __attribute__((always_inline))
#endif

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

/// Whether there are tiles of every height. Old instruction sets make do with the highest and with
/// single rows: their tiles would double the size of the library.
template <class T>
constexpr bool every_height = lanes<T>* static_cast<Index>(sizeof(T)) >= 32;

/// Rows of the next tile where `rows` are left: as many as a tile has; the last two share evenly.
template <class T>
constexpr Index tile_rows(Index rows, Index most) {
  if (!every_height<T>) return rows < most ? 1 : most;
  if (rows <= most) return rows;
  return rows < 2 * most ? (rows + 1) / 2 : most;
}

/// f(0), f(1), .. f(N - 1), with numbers that are known when it is compiled. As loops, these would
/// let g++ keep the accumulators in memory.
template <int N, class F>
HWY_INLINE void repeat(F f) {
  [&]<int... i>(std::integer_sequence<int, i...>) UNROLL_INLINE { (f(i), ...); }
  (std::make_integer_sequence<int, N>());
}

/// One k: sums (MR, NV) += column of A (MR) times row of the panel (NV vectors).
template <int MR, int NV, class D, class T, class V, class A>
HWY_INLINE void add_outer(D d, A a, const T* b, V (&sums)[MR][NV]) {
  V bv[NV];
  repeat<NV>([&](int n) UNROLL_INLINE { bv[n] = hn::LoadU(d, b + n * lanes<T>); });
  repeat<MR>([&](int r) UNROLL_INLINE {
    const V av = hn::Set(d, a(r));
    repeat<NV>([&](int n) UNROLL_INLINE { sums[r][n] = hn::MulAdd(av, bv[n], sums[r][n]); });
  });
}

/// Copies columns of rows: where a tile sticks out of C at the right, it works on a copy.
template <class T>
HWY_NOINLINE void copy_rows(Index rows, Index columns, const T* const* from, T* const* to) {
  for (Index r = 0; r < rows; ++r) {
    for (Index n = 0; n < columns; ++n) to[r][n] = from[r][n];
  }
}

}  // namespace
}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
