// The tiles that all matrix products are made of.
//
// One accumulator per element, k ascending, multiply and add fused: what a tile is made of (rows,
// vectors, pieces of K) never shows in the bits. A piece of K ends with the accumulators in C and
// the next one starts from there.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/gemm_tile.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <utility>

#include "src/kernels/gemm_outer-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

/// A panel's piece of K that fits L1 beside the rows of A.
template <class T>
constexpr Index piece_of_K = 1024 / static_cast<Index>(sizeof(T));

template <int MR, int NV, class T>
HWY_NOINLINE void tile(const PanelProduct<T>& p, Index row) {
  const Tag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index L = lanes<T>;
  T* c[MR];
  repeat<MR>([&](int r) UNROLL_INLINE { c[r] = p.c.at(row + r); });
  T* inside[MR];
  HWY_ALIGN T copy[MR][NV * L];
  const bool edge = p.columns < NV * L;
  if (edge) {
    repeat<MR>([&](int r) UNROLL_INLINE { inside[r] = std::exchange(c[r], copy[r]); });
    if (p.accumulate) copy_rows(MR, p.columns, inside, c);
  }
  V sums[MR][NV];
  if (p.start.base) {
    repeat<MR>([&](int r) UNROLL_INLINE {
      const T* start = p.start.at(row + r);
      repeat<NV>([&](int n) UNROLL_INLINE { sums[r][n] = hn::LoadU(d, start + n * L); });
    });
  } else {
    repeat<NV>([&](int n) UNROLL_INLINE {
      const V start = p.bias ? hn::LoadU(d, p.bias + n * L) : hn::Zero(d);
      repeat<MR>([&](int r) UNROLL_INLINE { sums[r][n] = start; });
    });
  }
  if (p.accumulate) {
    repeat<MR * NV>([&](int i) UNROLL_INLINE {
      const int r = i / NV, n = i % NV;
      sums[r][n] = hn::Add(sums[r][n], hn::LoadU(d, c[r] + n * L));
    });
  }
  for (int i = 0; i < p.count; ++i) {
    const Terms<T>& terms = p.terms[i];
    const T* a[MR];
    repeat<MR>([&](int r) UNROLL_INLINE { a[r] = terms.a.at(row + r); });
    const T* b = terms.panel;
    UNROLL_FOUR_TIMES
    for (Index k = 0; k < terms.K; ++k) {
      add_outer<MR, NV>(
          d, [&](int r) UNROLL_INLINE { return a[r][k]; }, b, sums);
      b += NV * L;
    }
  }
  if (p.relu) {  // Max in this order lets NaN through
    repeat<MR * NV>([&](int i) UNROLL_INLINE {
      sums[i / NV][i % NV] = hn::Max(hn::Zero(d), sums[i / NV][i % NV]);
    });
  }
  repeat<MR * NV>(
      [&](int i) UNROLL_INLINE { hn::StoreU(sums[i / NV][i % NV], d, c[i / NV] + i % NV * L); });
  if (edge) copy_rows(MR, p.columns, c, inside);
}

template <int NV, int MR, class T>
HWY_INLINE void tile_of(Index rows, const PanelProduct<T>& p, Index row) {
  if constexpr (MR == 1) {
    tile<1, NV>(p, row);
  } else {
    if (rows == MR) return tile<MR, NV>(p, row);
    tile_of<NV, every_height<T> ? MR - 1 : 1>(rows, p, row);
  }
}

template <class T>
HWY_INLINE void fetch(const T* begin, const T* end) {
  for (const T* at = begin; at < end; at += 64 / sizeof(T)) hwy::Prefetch(at);
}

/// Each tile fetches its share of what comes next.
template <int NV, int MR, class T>
void tiles(const PanelProduct<T>& p, Index rows) {
  const T* at = p.next;
  const T* const end = p.next + p.next_count;
  const Index a_row = p.next_count > 0 ? p.next_count / rows + 1 : 0;
  for (Index row = 0; row < rows;) {
    const Index next = tile_rows<T>(rows - row, MR);
    const T* const share = std::min(end, at + a_row * next);
    fetch(at, share);
    at = share;
    tile_of<NV, MR>(next, p, row);
    row += next;
  }
}

template <class T>
void tiles(const PanelProduct<T>& p, Index rows) {
  if (p.vectors == 3) return tiles<3, 4>(p, rows);
  if (p.vectors == 2) return tiles<2, 6>(p, rows);
  tiles<1, 8>(p, rows);
}

template <class T>
void multiply_panel(const PanelProduct<T>& p, Index rows) {
  constexpr Index piece = piece_of_K<T>;
  Index K = 0;
  for (int i = 0; i < p.count; ++i) K += p.terms[i].K;
  // A panel that one tile reads is read once anyhow.
  if (K <= piece + piece / 4 || rows <= 4) return tiles(p, rows);
  PanelProduct<T> part = p;
  part.relu = false;
  for (int i = 0; i < p.count; ++i) {
    const Terms<T>& terms = p.terms[i];
    for (Index k = 0; k < terms.K; k += piece) {
      const bool last = i == p.count - 1 && k + piece >= terms.K;
      part.count = 0;
      part.add({terms.a.base + k, terms.a.ld, terms.a.which}, std::min(piece, terms.K - k),
               terms.panel + k * p.vectors * lanes<T>);
      part.relu = last && p.relu;
      tiles(part, rows);
      part.bias = nullptr;
      part.start = {};
      part.next_count = 0;
      part.accumulate = true;
    }
  }
}

// --- one row ---
template <int NP, int NV, class T>
HWY_NOINLINE void row_tile(const RowProduct<T>& p) {
  const Tag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr Index L = lanes<T>;
  V sums[NP][NV];
  const T* panel[NP];
  repeat<NP>([&](int i) UNROLL_INLINE {
    panel[i] = p.panel + i * p.panel_step;
    repeat<NV>([&](int n)
                   UNROLL_INLINE { sums[i][n] = hn::LoadU(d, p.bias + i * p.bias_step + n * L); });
  });
  const T* a = p.a;
  Index at = 0;
  UNROLL_FOUR_TIMES
  for (Index k = 0; k < p.K; ++k) {
    const V av = hn::Set(d, a[k]);
    repeat<NP * NV>([&](int i) UNROLL_INLINE {
      const int row = i / NV, n = i % NV;
      sums[row][n] = hn::MulAdd(av, hn::LoadU(d, panel[row] + at + n * L), sums[row][n]);
    });
    at += NV * L;
  }
  repeat<NP * NV>([&](int i) UNROLL_INLINE {
    hn::StoreU(sums[i / NV][i % NV], d, p.c + i / NV * p.c_step + i % NV * L);
  });
}

template <int NP, class T>
void row_tiles(const RowProduct<T>& p) {
  if (p.vectors == 3) return row_tile<NP, 3>(p);
  if (p.vectors == 2) return row_tile<NP, 2>(p);
  row_tile<NP, 1>(p);
}

template <class T>
void multiply_row(const RowProduct<T>& p) {
  RowProduct<T> part = p;
  for (Index done = 0; done < p.panels;) {
    const Index now = std::min<Index>(p.panels - done, 4);
    part.panel = p.panel + done * p.panel_step;
    part.bias = p.bias + done * p.bias_step;
    part.c = p.c + done * p.c_step;
    switch (now) {
      case 1:
        row_tiles<1>(part);
        break;
      case 2:
        row_tiles<2>(part);
        break;
      case 3:
        row_tiles<3>(part);
        break;
      default:
        row_tiles<4>(part);
    }
    done += now;
  }
}

}  // namespace

void multiply(const PanelProduct<float>& product, Index rows) { multiply_panel(product, rows); }
void multiply(const PanelProduct<double>& product, Index rows) { multiply_panel(product, rows); }
void multiply(const RowProduct<float>& product) { multiply_row(product); }
void multiply(const RowProduct<double>& product) { multiply_row(product); }

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
