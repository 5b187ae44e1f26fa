#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/gemv.cpp"
#include "src/kernels/gemv.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "src/base/aligned.h"
#include "src/kernels/gemm_outer-inl.h"
#include "src/kernels/gemv-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

constexpr Index L = lanes<float>;
using F = Tag<float>;
using V = hn::Vec<F>;

/// Sums that one result has: enough of them in all to hide how long an addition takes.
template <int vectors>
constexpr int chains = vectors >= 6   ? 1
                       : vectors >= 3 ? 2
                                      : 4;

/// Panels as equal as can be, of up to `most` units each: f(unit, units). Backwards: from the last.
template <class G>
void for_panels(Index units, Index most, bool backwards, G f) {
  const Index panels = (units + most - 1) / most, some = units / panels, more = units % panels;
  for (Index i = 0; i < panels; ++i) {
    const Index at = backwards ? panels - 1 - i : i;
    f(at * some + std::min(at, more), some + (at < more ? 1 : 0));
  }
}

/// The sums of a panel of `vectors` vectors.
template <int vectors>
struct Sums {
  static constexpr int ways = chains<vectors>;
  V at[ways][vectors];

  HWY_INLINE void start(const float* bias) {
    repeat<ways * vectors>([&](int i) UNROLL_INLINE {
      const int n = i % vectors;
      at[i / vectors][n] = i < vectors && bias ? hn::LoadU(F(), bias + n * L) : hn::Zero(F());
    });
  }
  HWY_INLINE void store(float* y) const {
    repeat<vectors>([&](int n) UNROLL_INLINE {
      V sum = at[0][n];
      if constexpr (ways == 2) sum = hn::Add(sum, at[1][n]);
      if constexpr (ways == 4) {
        sum = hn::Add(hn::Add(sum, at[2][n]), hn::Add(at[1][n], at[3][n]));
      }
      hn::StoreU(sum, F(), y + n * L);
    });
  }
};

// --- float32: a unit is one vector of columns ---

struct Float32 {
  using Weight = float;
  static constexpr Index columns = L, most = 8;
  template <int units>
  static constexpr int vectors = units;

  static void pack(Index K, Index N, Index units, const float* w, Index ld, Weight* to) {
    for (Index k = 0; k < K; ++k) {
      for (Index n = 0; n < units * L; ++n) to[k * units * L + n] = n < N ? w[k * ld + n] : 0.0f;
    }
  }
  template <int units>
  static HWY_INLINE void add(V a, const Weight* w, V* sums) {
    repeat<units>(
        [&](int n) UNROLL_INLINE { sums[n] = hn::MulAdd(a, hn::LoadU(F(), w + n * L), sums[n]); });
  }
};

// --- bfloat16: a unit is two vectors of columns, whose numbers share 32 bits ---

struct Bfloat16 {
  using Weight = std::uint32_t;
  static constexpr Index columns = 2 * L, most = 4;
  template <int units>
  static constexpr int vectors = 2 * units;

  /// The upper half of the bits, rounded.
  static std::uint32_t rounded(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    if (value != value) return bits >> 16 | 0x40;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  }
  static void pack(Index K, Index N, Index units, const float* w, Index ld, Weight* to) {
    const auto at = [&](Index k, Index n) { return n < N ? rounded(w[k * ld + n]) : 0u; };
    for (Index k = 0; k < K; ++k) {
      for (Index unit = 0; unit < units; ++unit) {
        const Index first = unit * 2 * L;
        for (Index n = 0; n < L; ++n) *to++ = at(k, first + n) | at(k, first + L + n) << 16;
      }
    }
  }
  template <int units>
  static HWY_INLINE void add(V a, const Weight* w, V* sums) {
    const hn::RebindToUnsigned<F> bits;
    repeat<units>([&](int n) UNROLL_INLINE {
      const auto both = hn::LoadU(bits, w + n * L);
      const V low = hn::BitCast(F(), hn::ShiftLeft<16>(both));
      const V high = hn::BitCast(F(), hn::And(both, hn::Set(bits, 0xffff0000u)));
      sums[2 * n] = hn::MulAdd(a, low, sums[2 * n]);
      sums[2 * n + 1] = hn::MulAdd(a, high, sums[2 * n + 1]);
    });
  }
};

template <class Type>
Index units_of(Index N) {
  return (N + Type::columns - 1) / Type::columns;
}
/// Weights in a unit for one k.
template <class Type>
constexpr Index stride = L;

template <class Type, int units>
HWY_INLINE void add_term(const GemvTerm& term, Index unit, Sums<Type::template vectors<units>>& s) {
  constexpr int ways = Sums<Type::template vectors<units>>::ways;
  constexpr Index row = units * stride<Type>;
  const Index K = term.w->K();
  const auto* w = static_cast<const typename Type::Weight*>(term.w->data()) + unit * K * L;
  const float* a = term.a;
  Index k = 0;
  for (; k + 4 <= K; k += 4, w += 4 * row) {
    repeat<4>([&](int i) UNROLL_INLINE {
      Type::template add<units>(hn::Set(F(), a[k + i]), w + i * row, s.at[i % ways]);
    });
  }
  for (; k < K; ++k, w += row) Type::template add<units>(hn::Set(F(), a[k]), w, s.at[0]);
}

template <class Type, int units>
HWY_NOINLINE void panel(const GemvTerm& first, const GemvTerm& second, const float* bias,
                        Index unit, float* y) {
  Sums<Type::template vectors<units>> sums;
  sums.start(bias ? bias + unit * Type::columns : nullptr);
  add_term<Type, units>(first, unit, sums);
  if (second.w != nullptr) add_term<Type, units>(second, unit, sums);
  sums.store(y + unit * Type::columns);
}

template <class Type, int units = static_cast<int>(Type::most)>
HWY_INLINE void panel_of(Index count, const GemvTerm& first, const GemvTerm& second,
                         const float* bias, Index unit, float* y) {
  if constexpr (units > 1) {
    if (count < units) return panel_of<Type, units - 1>(count, first, second, bias, unit, y);
  }
  panel<Type, units>(first, second, bias, unit, y);
}

template <class Type>
void multiply(const GemvTerm& first, const GemvTerm& second, const float* bias, bool backwards,
              float* y) {
  for_panels(units_of<Type>(first.w->N()), Type::most, backwards,
             [&](Index unit, Index count) { panel_of<Type>(count, first, second, bias, unit, y); });
}

template <class Type>
Index pack(Index K, Index N, const float* w, void* packed) {
  auto* to = static_cast<typename Type::Weight*>(packed);
  const Index units = units_of<Type>(N);
  if (to == nullptr) return units * K * L * static_cast<Index>(sizeof *to);
  for_panels(units, Type::most, false, [&](Index unit, Index count) {
    const Index column = unit * Type::columns;
    Type::pack(K, N - column, count, w + column, N, to + unit * K * L);
  });
  return 0;
}

}  // namespace

/// Bytes that packing needs, where `packed` is null; else packs.
Index Pack(Index K, Index N, const float* w, WeightType type, void* packed) {
  return type == WeightType::bfloat16 ? pack<Bfloat16>(K, N, w, packed)
                                      : pack<Float32>(K, N, w, packed);
}

void Multiply(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
              float* y, bool backwards) {
  switch (first.w->type()) {
    case WeightType::float32:
      return multiply<Float32>(first, second, bias, backwards, y);
    case WeightType::bfloat16:
      return multiply<Bfloat16>(first, second, bias, backwards, y);
    case WeightType::int8:
      return MultiplyInt8(first, second, bias, scratch, y, backwards);
  }
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

HWY_EXPORT(Pack);
HWY_EXPORT(Multiply);

PackedMatrix::PackedMatrix(Index K, Index N, const float* w, WeightType type)
    : K_(K), N_(N), type_(type) {
  const bool whole = type == WeightType::int8;
  bytes_ = whole ? int8_bytes(K, N) : HWY_DYNAMIC_DISPATCH(Pack)(K, N, w, type, nullptr);
  memory_ = base::aligned_bytes(bytes_);
  if (memory_ == nullptr) return;
  if (whole) {
    pack_int8(K, N, w, memory_.get());
  } else {
    HWY_DYNAMIC_DISPATCH(Pack)(K, N, w, type, memory_.get());
  }
}

Index gemv_room(Index N) { return base::round_up(N, 2 * base::cache_line / 4); }
Index gemv_scratch(const PackedMatrix& w) {
  return w.type() == WeightType::int8 ? base::round_up((w.K() + 3) / 4, 16) : 0;
}

void gemv(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
          float* y) {
  HWY_DYNAMIC_DISPATCH(Multiply)(first, second, bias, scratch, y, false);
}

}  // namespace unroll::kernels
#endif
