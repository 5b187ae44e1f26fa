// The matrix products of gemm.h: panels, blocks of rows, edges.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/gemm.cpp"
#include "src/kernels/gemm.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

#include "src/base/aligned.h"
#include "src/kernels/gemm_tile-inl.h"
#include "src/kernels/team.h"
#include "src/kernels/vector.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

/// Rows of A that stay in L2 while the panels pass by.
constexpr Index rows_at_once = 128;

template <class T>
void pack_panels(Index K, Index N, const T* b, Index ldb, bool transposed, T* packed) {
  constexpr Index L = lanes<T>;
  Index column = 0;
  for (Index left = vectors_for(N, L), now; left > 0; left -= now) {
    now = panel_vectors(left);
    const Index width = now * L, columns = std::min(width, N - column);
    pack_panel(K, columns, width, transposed ? b + column * ldb : b + column, ldb, transposed,
               packed + column * K);
    column += width;
  }
}

template <class T>
void activate_rows(Activation activation, Index M, Index N, T* C, Index ldc) {
  if (activation == Activation("linear") || activation == Activation("relu")) return;
  if (ldc == N) return activate(activation, M, N, C, C);
  for (Index m = 0; m < M; ++m) activate(activation, 1, N, C + m * ldc, C + m * ldc);
}

template <class T>
void gemm_blocks(Index M, Index N, Index K, const T* A, Index lda, const T* packed_B, T* C,
                 Index ldc, const Epilogue<T>& epilogue) {
  constexpr Index L = lanes<T>;
  for (Index m = 0; m < M; m += rows_at_once) {
    const Index rows = std::min(rows_at_once, M - m);
    PanelProduct<T> p;
    p.accumulate = epilogue.accumulate;
    p.relu = epilogue.activation == Activation("relu");
    Index column = 0;
    for (Index left = vectors_for(N, L); left > 0; left -= p.vectors) {
      p.vectors = panel_vectors(left);
      p.columns = std::min(N - column, p.vectors * L);
      p.count = 0;
      p.add({A + m * lda, lda}, K, packed_B + column * K);
      p.c = {C + m * ldc + column, ldc};
      HWY_ALIGN T edge_bias[3 * L] = {};
      p.bias = epilogue.bias ? epilogue.bias + column : nullptr;
      if (p.bias && p.columns < p.vectors * L) {
        std::copy_n(p.bias, p.columns, edge_bias);
        p.bias = edge_bias;
      }
      multiply(p, rows);
      column += p.vectors * L;
    }
    activate_rows(epilogue.activation, rows, N, C + m * ldc, ldc);
  }
}

/// The columns after the last whole vector may not be read as a vector: they are copied.
template <class T>
void transposed_edge(Index M, Index N, Index K, const T* A, Index lda, const T* D, Index ldd, T* C,
                     Index ldc) {
  constexpr Index L = lanes<T>, rows = 64;
  HWY_ALIGN T copy[rows * L] = {};
  for (Index m = 0; m < M; m += rows) {
    const Index now = std::min(rows, M - m);
    for (Index i = 0; i < now; ++i) std::copy_n(D + (m + i) * ldd, N, copy + i * L);
    multiply(TransposedProduct<T>{now, N, A + m * lda, lda, false, copy, L, {{C, K, ldc}}});
  }
}

template <class T>
void gemm_transposed(Index M, Index N, Index K, const T* A, Index lda, const T* D, Index ldd, T* C,
                     Index ldc) {
  const Index whole = N / lanes<T> * lanes<T>;
  if (whole > 0) multiply(TransposedProduct<T>{M, whole, A, lda, false, D, ldd, {{C, K, ldc}}});
  if (whole < N) transposed_edge(M, N - whole, K, A, lda, D + whole, ldd, C + whole, ldc);
}

template <class T>
void add_rows_of(Index M, Index N, const T* D, Index ldd, T* sums) {
  const Tag<T> d;
  constexpr Index L = lanes<T>;
  Index n = 0;
  for (; n + 2 * L <= N; n += 2 * L) {
    auto first = hn::LoadU(d, sums + n), second = hn::LoadU(d, sums + n + L);
    for (Index m = 0; m < M; ++m) {
      first = hn::Add(first, hn::LoadU(d, D + m * ldd + n));
      second = hn::Add(second, hn::LoadU(d, D + m * ldd + n + L));
    }
    hn::StoreU(first, d, sums + n);
    hn::StoreU(second, d, sums + n + L);
  }
  for (; n < N; ++n) {
    for (Index m = 0; m < M; ++m) sums[n] += D[m * ldd + n];
  }
}

}  // namespace

#define UNROLL_FOR_TYPE(T, Suffix)                                                                 \
  void Pack##Suffix(Index K, Index N, const T* b, Index ldb, bool transposed, T* packed) {         \
    pack_panels(K, N, b, ldb, transposed, packed);                                                 \
  }                                                                                                \
  void Gemm##Suffix(Index M, Index N, Index K, const T* A, Index lda, const T* B, T* C, Index ldc, \
                    const Epilogue<T>& epilogue) {                                                 \
    gemm_blocks(M, N, K, A, lda, B, C, ldc, epilogue);                                             \
  }                                                                                                \
  void Transposed##Suffix(Index M, Index N, Index K, const T* A, Index lda, const T* D, Index ldd, \
                          T* C, Index ldc) {                                                       \
    gemm_transposed(M, N, K, A, lda, D, ldd, C, ldc);                                              \
  }                                                                                                \
  void AddRows##Suffix(Index M, Index N, const T* D, Index ldd, T* sums) {                         \
    add_rows_of(M, N, D, ldd, sums);                                                               \
  }
UNROLL_FOR_TYPE(float, Float)
UNROLL_FOR_TYPE(double, Double)
#undef UNROLL_FOR_TYPE

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "src/kernels/dispatch.h"

namespace unroll::kernels {

HWY_EXPORT(PackFloat);
HWY_EXPORT(PackDouble);
HWY_EXPORT(GemmFloat);
HWY_EXPORT(GemmDouble);
HWY_EXPORT(TransposedFloat);
HWY_EXPORT(TransposedDouble);
HWY_EXPORT(AddRowsFloat);
HWY_EXPORT(AddRowsDouble);

template <class T>
Index packed_size(Index K, Index N) {
  return K * base::round_up(N, base::cache_line / static_cast<Index>(sizeof(T)));
}

/// Rows that a thread takes at a time: a few for each thread, so that one with busy neighbours
/// takes fewer.
Index share(Index rows, Index least, int threads) {
  return std::max(least, base::round_up(rows / (4 * threads), least));
}

template <class T>
void pack(Index K, Index N, const T* b, Index ldb, bool transposed, T* packed) {
  UNROLL_DISPATCH(Pack, K, N, b, ldb, transposed, packed)
}
template <class T>
void gemm(Index M, Index N, Index K, const T* A, Index lda, const T* packed_B, T* C, Index ldc,
          const Epilogue<T>& epilogue, base::Workers* team) {
  const Index rows = team ? share(M, 16, team->threads()) : M;
  each(team, rows == 0 ? 0 : (M + rows - 1) / rows, [&](Index i) {
    const Index first = i * rows, now = std::min(rows, M - first);
    UNROLL_DISPATCH(Gemm, now, N, K, A + first * lda, lda, packed_B, C + first * ldc, ldc, epilogue)
  });
}
template <class T>
void gemm_transposed_a(Index M, Index N, Index K, const T* A, Index lda, const T* D, Index ldd,
                       T* C, Index ldc, base::Workers* team) {
  const Index rows = team ? share(K, 12, team->threads()) : K;
  each(team, rows == 0 ? 0 : (K + rows - 1) / rows, [&](Index i) {
    const Index first = i * rows, now = std::min(rows, K - first);
    UNROLL_DISPATCH(Transposed, M, N, now, A + first, lda, D, ldd, C + first * ldc, ldc)
  });
}
template <class T>
void add_rows(Index M, Index N, const T* D, Index ldd,
              T* sums){UNROLL_DISPATCH(AddRows, M, N, D, ldd, sums)}

#define UNROLL_INSTANTIATE(T)                                                                   \
  template Index packed_size<T>(Index, Index);                                                  \
  template void pack<T>(Index, Index, const T*, Index, bool, T*);                               \
  template void gemm<T>(Index, Index, Index, const T*, Index, const T*, T*, Index,              \
                        const Epilogue<T>&, base::Workers*);                                    \
  template void gemm_transposed_a<T>(Index, Index, Index, const T*, Index, const T*, Index, T*, \
                                     Index, base::Workers*);                                    \
  template void add_rows<T>(Index, Index, const T*, Index, T*);
UNROLL_INSTANTIATE(float) UNROLL_INSTANTIATE(double)

}  // namespace unroll::kernels
#endif
