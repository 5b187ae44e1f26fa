#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/gemv.cpp"
#include "src/kernels/gemv.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "src/base/aligned.h"
#include "src/kernels/gemv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

template <class Type>
Index units_of(Index N) {
  return (N + Type::columns - 1) / Type::columns;
}

template <class Type, int units = static_cast<int>(Type::most)>
HWY_INLINE void panel_of(Index count, const GemvTerm& first, const GemvTerm& second,
                         const float* bias, Index unit, float* y) {
  if constexpr (units > 1) {
    if (count < units) return panel_of<Type, units - 1>(count, first, second, bias, unit, y);
  }
  Nothing nothing;
  panel<Type, units>(first, second, bias, unit, y, nothing);
}

template <class Type>
void multiply(const GemvTerm& first, const GemvTerm& second, const float* bias, float* y,
              bool backwards) {
  const Index most = first.w->panel_vectors() > 0 ? first.w->panel_vectors() : Type::most;
  for_panels(units_of<Type>(first.w->N()), most, backwards,
             [&](Index unit, Index count) { panel_of<Type>(count, first, second, bias, unit, y); });
}

template <class Type>
Index pack(Index K, Index N, const float* w, Index most, void* packed) {
  auto* to = static_cast<typename Type::Weight*>(packed);
  const Index units = units_of<Type>(N);
  if (to == nullptr) return units * K * L * static_cast<Index>(sizeof *to);
  for_panels(units, most > 0 ? most : Type::most, false, [&](Index unit, Index count) {
    const Index column = unit * Type::columns;
    Type::pack(K, N - column, count, w + column, N, to + unit * K * L);
  });
  return 0;
}

}  // namespace

/// Bytes that packing needs, where `packed` is null; else packs.
Index Pack(Index K, Index N, const float* w, WeightType type, Index most, void* packed) {
  return type == WeightType::bfloat16 ? pack<Bfloat16>(K, N, w, most, packed)
                                      : pack<Float32>(K, N, w, most, packed);
}

void Multiply(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
              float* y, bool backwards) {
  switch (first.w->type()) {
    case WeightType::float32:
      return multiply<Float32>(first, second, bias, y, backwards);
    case WeightType::bfloat16:
      return multiply<Bfloat16>(first, second, bias, y, backwards);
    case WeightType::int8:
      return MultiplyInt8(first, second, bias, scratch, y, backwards);
  }
}

Index VectorColumns() { return L; }

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

HWY_EXPORT(Pack);
HWY_EXPORT(Multiply);
HWY_EXPORT(VectorColumns);

PackedMatrix::PackedMatrix(Index K, Index N, const float* w, WeightType type, Index most)
    : K_(K), N_(N), panel_vectors_(most), type_(type) {
  const bool whole = type == WeightType::int8;
  bytes_ = whole ? int8_bytes(K, N) : HWY_DYNAMIC_DISPATCH(Pack)(K, N, w, type, most, nullptr);
  memory_ = base::aligned_bytes(bytes_);
  if (memory_ == nullptr) return;
  if (whole) {
    pack_int8(K, N, w, memory_.get());
  } else {
    HWY_DYNAMIC_DISPATCH(Pack)(K, N, w, type, most, memory_.get());
  }
}

Index gemv_room(Index N) { return base::round_up(N, 2 * base::cache_line / 4); }
Index gemv_scratch(const PackedMatrix& w) {
  return w.type() == WeightType::int8 ? base::round_up((w.K() + 3) / 4, 16) : 0;
}
Index gemv_vector() { return HWY_DYNAMIC_DISPATCH(VectorColumns)(); }

void gemv(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
          float* y) {
  HWY_DYNAMIC_DISPATCH(Multiply)(first, second, bias, scratch, y, false);
}

}  // namespace unroll::kernels
#endif
