#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/rows.cpp"
#include "src/kernels/rows.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <type_traits>

#include "src/kernels/gemm_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

/// NV vectors of all rows at a time: the sums stay in registers.
template <int NV, class T>
HWY_INLINE void sum_columns(Index width, const T* x, const std::int32_t* rows, Index count,
                            T* out) {
  const Tag<T> d;
  hn::Vec<decltype(d)> sums[NV];
  for (int n = 0; n < NV; ++n) sums[n] = hn::Zero(d);
  for (Index i = 0; i < count; ++i) {
    const T* row = x + rows[i] * width;
    for (int n = 0; n < NV; ++n) sums[n] = hn::Add(sums[n], hn::LoadU(d, row + n * lanes<T>));
  }
  for (int n = 0; n < NV; ++n) hn::StoreU(sums[n], d, out + n * lanes<T>);
}

template <class T>
void sum_rows_of(Index width, const T* x, const std::int32_t* rows, Index count, T* out) {
  constexpr Index L = lanes<T>;
  Index column = 0;
  for (; column + 8 * L <= width; column += 8 * L) {
    sum_columns<8>(width, x + column, rows, count, out + column);
  }
  for (; column + 2 * L <= width; column += 2 * L) {
    sum_columns<2>(width, x + column, rows, count, out + column);
  }
  for (; column < width; column += L) {
    sum_columns<1>(width, x + column, rows, count, out + column);
  }
}

template <class T>
void gather_of(Index width, const T* table, const std::int32_t* ids, Index count, T* out) {
  for (Index i = 0; i < count; ++i) copy_row(width, table + ids[i] * width, out + i * width);
}
template <class T>
void scatter_of(Index width, const T* rows, const std::int32_t* ids, Index count, T* table) {
  for (Index i = 0; i < count; ++i) copy_row(width, rows + i * width, table + ids[i] * width);
}
template <class T>
void scatter_add_of(Index width, const T* rows, const std::int32_t* ids, Index count, T* table,
                    Index part, Index parts) {
  for (Index i = 0; i < count; ++i, rows += width) {
    if (parts == 1 || ids[i] % parts == part) add_row(width, rows, table + ids[i] * width);
  }
}

}  // namespace

#define UNROLL_FOR_TYPE(T, Suffix)                                                               \
  void SumRows##Suffix(Index width, const T* x, const std::int32_t* rows, Index count, T* out) { \
    sum_rows_of(width, x, rows, count, out);                                                     \
  }                                                                                              \
  void GatherRows##Suffix(Index width, const T* table, const std::int32_t* ids, Index count,     \
                          T* out) {                                                              \
    gather_of(width, table, ids, count, out);                                                    \
  }                                                                                              \
  void ScatterRows##Suffix(Index width, const T* rows, const std::int32_t* ids, Index count,     \
                           T* table) {                                                           \
    scatter_of(width, rows, ids, count, table);                                                  \
  }                                                                                              \
  void ScatterAddRows##Suffix(Index width, const T* rows, const std::int32_t* ids, Index count,  \
                              T* table, Index part, Index parts) {                               \
    scatter_add_of(width, rows, ids, count, table, part, parts);                                 \
  }
UNROLL_FOR_TYPE(float, Float)
UNROLL_FOR_TYPE(double, Double)
#undef UNROLL_FOR_TYPE

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "src/kernels/dispatch.h"

namespace unroll::kernels {

HWY_EXPORT(SumRowsFloat);
HWY_EXPORT(SumRowsDouble);
HWY_EXPORT(GatherRowsFloat);
HWY_EXPORT(GatherRowsDouble);
HWY_EXPORT(ScatterRowsFloat);
HWY_EXPORT(ScatterRowsDouble);
HWY_EXPORT(ScatterAddRowsFloat);
HWY_EXPORT(ScatterAddRowsDouble);

template <class T>
void gather_rows(Index width, const T* table, const std::int32_t* ids, Index count, T* out) {
  UNROLL_DISPATCH(GatherRows, width, table, ids, count, out)
}
template <class T>
void scatter_rows(Index width, const T* rows, const std::int32_t* ids, Index count, T* table) {
  UNROLL_DISPATCH(ScatterRows, width, rows, ids, count, table)
}
template <class T>
void scatter_add_rows(Index width, const T* rows, const std::int32_t* ids, Index count, T* table,
                      Index part, Index parts) {
  UNROLL_DISPATCH(ScatterAddRows, width, rows, ids, count, table, part, parts)
}
template <class T>
void sum_rows(Index width, const T* x, const std::int32_t* rows, Index count,
              T* out){UNROLL_DISPATCH(SumRows, width, x, rows, count, out)}

#define UNROLL_INSTANTIATE(T)                                                                    \
  template void gather_rows(Index, const T*, const std::int32_t*, Index, T*);                    \
  template void scatter_rows(Index, const T*, const std::int32_t*, Index, T*);                   \
  template void scatter_add_rows(Index, const T*, const std::int32_t*, Index, T*, Index, Index); \
  template void sum_rows(Index, const T*, const std::int32_t*, Index, T*);
UNROLL_INSTANTIATE(float) UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
#endif
