// Tiles of C += A^T D: the gradients of weights. Both operands are read as they lie, row by row.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/gemm_transposed.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <utility>

#include "src/kernels/gemm_outer-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

/// Rows whose panel of D stays in L1 while all of C passes by.
constexpr Index piece_of_M = 128;

template <int MR, int NV, class T>
HWY_NOINLINE void transposed_tile(const TransposedProduct<T>& p, Index m, Index M, Index k,
                                  Index column) {
  const Tag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index L = lanes<T>;
  const Index columns = std::min(p.N - column, NV * L);
  T* c[MR];
  repeat<MR>([&](int r) UNROLL_INLINE { c[r] = p.row(k + r) + column; });
  T* inside[MR];
  HWY_ALIGN T copy[MR][NV * L];
  const bool edge = columns < NV * L;
  if (edge) {
    repeat<MR>([&](int r) UNROLL_INLINE { inside[r] = std::exchange(c[r], copy[r]); });
    copy_rows(MR, columns, inside, c);
  }
  V sums[MR][NV];
  repeat<MR * NV>(
      [&](int i) UNROLL_INLINE { sums[i / NV][i % NV] = hn::LoadU(d, c[i / NV] + i % NV * L); });
  const Index lda = p.lda, ldd = p.ldd;
  const T* a = p.a + m * lda + k;
  const T* b = p.d + m * ldd + column;
  UNROLL_FOUR_TIMES
  for (Index i = 0; i < M; ++i) {
    add_outer<MR, NV>(
        d, [&](int r) UNROLL_INLINE { return a[r]; }, b, sums);
    a += lda;
    b += ldd;
  }
  repeat<MR * NV>(
      [&](int i) UNROLL_INLINE { hn::StoreU(sums[i / NV][i % NV], d, c[i / NV] + i % NV * L); });
  if (edge) copy_rows(MR, columns, c, inside);
}

template <int NV, int MR, class T>
HWY_INLINE void transposed_tile_of(Index rows, const TransposedProduct<T>& p, Index m, Index M,
                                   Index k, Index column) {
  if constexpr (MR == 1) {
    transposed_tile<1, NV>(p, m, M, k, column);
  } else {
    if (rows == MR) return transposed_tile<MR, NV>(p, m, M, k, column);
    transposed_tile_of<NV, every_height<T> ? MR - 1 : 1>(rows, p, m, M, k, column);
  }
}

template <int NV, int MR, class T>
void transposed_panel(const TransposedProduct<T>& p, Index m, Index M, Index column) {
  const Index K = p.K();
  for (Index k = 0; k < K;) {
    const Index next = tile_rows<T>(K - k, MR);
    transposed_tile_of<NV, MR>(next, p, m, M, k, column);
    k += next;
  }
}

// The last few columns, where they would fill a small part of a vector: their transpose is
// computed, with vectors along K. The same terms in the same order, so the same bits.
template <int MR, int NV, class T>
HWY_NOINLINE void turned_tile(const TransposedProduct<T>& p, Index m, Index M, Index k,
                              Index column) {
  const Tag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index L = lanes<T>;
  const Index rows = std::min(p.K() - k, NV * L);
  HWY_ALIGN T c[MR][NV * L];
  for (Index i = 0; i < rows; ++i) {
    const T* row = p.row(k + i) + column;
    for (int r = 0; r < MR; ++r) c[r][i] = row[r];
  }
  for (Index i = rows; i < NV * L; ++i) {
    for (int r = 0; r < MR; ++r) c[r][i] = 0;
  }
  V sums[MR][NV];
  repeat<MR * NV>(
      [&](int i) UNROLL_INLINE { sums[i / NV][i % NV] = hn::Load(d, c[i / NV] + i % NV * L); });
  const Index lda = p.lda, ldd = p.ldd;
  const T* a = p.a + m * lda + k;
  const T* b = p.d + m * ldd + column;
  UNROLL_FOUR_TIMES
  for (Index i = 0; i < M; ++i) {
    add_outer<MR, NV>(
        d, [&](int r) UNROLL_INLINE { return b[r]; }, a, sums);
    a += lda;
    b += ldd;
  }
  repeat<MR * NV>(
      [&](int i) UNROLL_INLINE { hn::Store(sums[i / NV][i % NV], d, c[i / NV] + i % NV * L); });
  for (Index i = 0; i < rows; ++i) {
    T* row = p.row(k + i) + column;
    for (int r = 0; r < MR; ++r) row[r] = c[r][i];
  }
}

template <int MR, class T>
void turned_columns(const TransposedProduct<T>& p, Index m, Index M, Index column) {
  constexpr Index L = lanes<T>;
  Index k = 0;
  for (Index left = vectors_for(p.K(), L), now; left > 0; left -= now) {
    now = std::min<Index>(left, 4);
    if (now == 4) turned_tile<MR, 4>(p, m, M, k, column);
    if (now == 3) turned_tile<MR, 3>(p, m, M, k, column);
    if (now == 2) turned_tile<MR, 2>(p, m, M, k, column);
    if (now == 1) turned_tile<MR, 1>(p, m, M, k, column);
    k += now * L;
  }
}

template <class T>
void multiply_transposed(const TransposedProduct<T>& p) {
  constexpr Index L = lanes<T>;
  const Index edge = p.N % L;
  const bool turn = every_height<T> && p.wide_a && 2 * edge <= L;
  const Index straight = turn ? p.N - edge : p.N;
  for (Index m = 0; m < p.M; m += piece_of_M) {
    const Index M = std::min(piece_of_M, p.M - m);
    Index column = 0;
    for (Index left = vectors_for(straight, L), now; left > 0; left -= now) {
      now = panel_vectors(left);
      if (now == 3) transposed_panel<3, 4>(p, m, M, column);
      if (now == 2) transposed_panel<2, 6>(p, m, M, column);
      if (now == 1) transposed_panel<1, 8>(p, m, M, column);
      column += now * L;
    }
    if constexpr (every_height<T>) {
      for (; turn && column + 2 <= p.N; column += 2) turned_columns<2>(p, m, M, column);
      if (turn && column < p.N) turned_columns<1>(p, m, M, column);
    }
  }
}

// --- strips ---
template <int NV, class T>
HWY_NOINLINE void strip_tile(Index rows, const T* strip, const T* b, bool accumulate, T* c) {
  const Tag<T> d;
  constexpr int MR = static_cast<int>(strip_width);
  hn::Vec<decltype(d)> sums[MR][NV];
  if (accumulate) {
    repeat<MR * NV>([&](int i)
                        UNROLL_INLINE { sums[i / NV][i % NV] = hn::LoadU(d, c + i * lanes<T>); });
  } else {
    repeat<MR * NV>([&](int i) UNROLL_INLINE { sums[i / NV][i % NV] = hn::Zero(d); });
  }
  UNROLL_FOUR_TIMES
  for (Index i = 0; i < rows; ++i) {
    add_outer<MR, NV>(
        d, [&](int r) UNROLL_INLINE { return strip[r]; }, b, sums);
    strip += MR;
    b += NV * lanes<T>;
  }
  repeat<MR * NV>([&](int i)
                      UNROLL_INLINE { hn::StoreU(sums[i / NV][i % NV], d, c + i * lanes<T>); });
}

template <int NV, class T>
void strip_tiles(Index rows, const T* strips, Index count, const T* d, bool accumulate, T* c) {
  for (Index i = 0; i < count; ++i) {
    strip_tile<NV>(rows, strips + i * strip_width * rows, d, accumulate,
                   c + i * strip_width * NV * lanes<T>);
  }
}

/// Large products work on copies of pieces: rows that lie far apart would each cost an entry of the
/// processor's page table cache, or all fall into the same few lines of the first cache.
template <class T>
HWY_NOINLINE void multiply_large(const TransposedProduct<T>& p) {
  constexpr Index K_piece = 1024 / static_cast<Index>(sizeof(T)), a_ld = K_piece + lanes<T>;
  HWY_ALIGN T a[piece_of_M * a_ld];
  HWY_ALIGN T d[piece_of_M * 3 * lanes<T>];
  const Index K = p.K();
  for (Index m = 0; m < p.M; m += piece_of_M) {
    const Index M = std::min(piece_of_M, p.M - m);
    for (Index k = 0; k < K; k += K_piece) {
      const Index rows = std::min(K_piece, K - k);
      copy_block(M, rows, p.a + m * p.lda + k, p.lda, a, a_ld);
      for (Index column = 0, width; column < p.N; column += width) {
        width = panel_vectors(vectors_for(p.N - column, lanes<T>)) * lanes<T>;
        const Index columns = std::min(width, p.N - column);
        copy_block(M, columns, p.d + m * p.ldd + column, p.ldd, d, width);
        TransposedProduct<T> part = p.part(k, rows, column);
        part.M = M;
        part.N = columns;
        part.a = a;
        part.lda = a_ld;
        part.wide_a = true;
        part.d = d;
        part.ldd = width;
        multiply_transposed(part);
      }
    }
  }
}

template <class T>
void multiply_any(const TransposedProduct<T>& p) {
  constexpr Index page = 4096 / static_cast<Index>(sizeof(T));
  const bool large = p.M >= 32 && p.K() >= 64 && p.N >= 6 * lanes<T>;
  const bool far = p.lda + p.ldd >= 2 * page;
  const bool colliding = p.lda % (page / 2) == 0 || p.ldd % (page / 2) == 0;
  if (every_height<T> && large && (far || colliding)) return multiply_large(p);
  multiply_transposed(p);
}

}  // namespace

void multiply(const TransposedProduct<float>& product) { multiply_any(product); }
void multiply(const TransposedProduct<double>& product) { multiply_any(product); }

template <class T>
void pack_strips(Index rows, Index columns, const T* a, Index lda, T* strips) {
  const hn::CappedTag<T, strip_width> d;
  constexpr Index L = static_cast<Index>(hn::MaxLanes(d));
  for (Index k = 0; k < columns; k += strip_width) {
    const Index there = std::min(strip_width, columns - k);
    const T* from = a + k;
    for (Index i = 0; i < rows; ++i, from += lda, strips += strip_width) {
      if (there == strip_width) {
        for (Index n = 0; n < strip_width; n += L)
          hn::StoreU(hn::LoadU(d, from + n), d, strips + n);
      } else {
        for (Index n = 0; n < strip_width; ++n) strips[n] = n < there ? from[n] : T{0};
      }
    }
  }
}
template void pack_strips(Index, Index, const float*, Index, float*);
template void pack_strips(Index, Index, const double*, Index, double*);

template <class T>
void multiply_strips(Index rows, const T* strips, Index count, const T* d, Index vectors,
                     bool accumulate, T* c) {
  if (vectors == 3) return strip_tiles<3>(rows, strips, count, d, accumulate, c);
  if (vectors == 2) return strip_tiles<2>(rows, strips, count, d, accumulate, c);
  strip_tiles<1>(rows, strips, count, d, accumulate, c);
}
template void multiply_strips(Index, const float*, Index, const float*, Index, bool, float*);
template void multiply_strips(Index, const double*, Index, const double*, Index, bool, double*);

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
