// Rows times packed weights for one instruction set: what gemv.cpp multiplies with, panel by panel,
// for kernels that do something else meanwhile.

#if defined(UNROLL_KERNELS_GEMV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_GEMV_INL_H_
#undef UNROLL_KERNELS_GEMV_INL_H_
#else
#define UNROLL_KERNELS_GEMV_INL_H_
#endif

#include <hwy/highway.h>

#include <cstring>
#include <type_traits>

#include "src/kernels/gemm_outer-inl.h"
#include "src/kernels/gemv.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {

/// gemv() of gemv.h. Backwards: from the last panel to the first, so that a product that follows
/// its like begins with the weights that the cache has kept. The numbers are the same.
void Multiply(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
              float* y, bool backwards);
void MultiplyInt8(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
                  float* y, bool backwards);

namespace {

constexpr Index L = lanes<float>;
using F = Tag<float>;
using V = hn::Vec<F>;

/// What is computed beside a product: in pieces, each after some more of its terms. A product of
/// few columns waits for its weights most of the time; there is no hurry about a piece, so that it
/// fills the gaps.
struct Nothing {
  static constexpr int pieces = 0;
  bool waits() const { return false; }
  void piece(int) const {}
  void end() {}
};

/// Sums that one result has: enough of them in all to hide how long an addition takes.
template <int vectors>
constexpr int chains = vectors >= 6   ? 1
                       : vectors >= 3 ? 2
                                      : 4;

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

/// a[0] to a[3], each in all lanes of a vector: by four loads, or by one, where weights in the
/// cache take all the loads there are.
struct Loads {
  const float* a;
  V operator[](int i) const { return hn::Set(F(), a[i]); }
};
#if HWY_TARGET == HWY_SCALAR
using OneLoad = Loads;
#else
struct OneLoad {
  V all;
  explicit OneLoad(const float* a) : all(hn::LoadDup128(F(), a)) {}
  HWY_INLINE V operator[](int i) const {
    return i == 0   ? hn::Broadcast<0>(all)
           : i == 1 ? hn::Broadcast<1>(all)
           : i == 2 ? hn::Broadcast<2>(all)
                    : hn::Broadcast<3>(all);
  }
};
#endif

template <class Type, int units>
HWY_INLINE void add_four(const float* a, const typename Type::Weight* w,
                         Sums<Type::template vectors<units>>& s) {
  // Weights that make panels of eight come from farther away.
  const std::conditional_t<(units < 8), OneLoad, Loads> four{a};
  repeat<4>([&](int i) UNROLL_INLINE {
    Type::template add<units>(four[i], w + i * units * L, s.at[i % s.ways]);
  });
}

template <class Type, int units, class Aside>
HWY_INLINE void add_product(const GemvTerm& term, Index unit,
                            Sums<Type::template vectors<units>>& s, Aside& aside) {
  constexpr Index row = units * L;
  const Index K = term.w->K();
  const auto* w = static_cast<const typename Type::Weight*>(term.w->data()) + unit * K * L;
  const float* a = term.a;
  Index k = 0;
  if (aside.waits() && 8 * Aside::pieces <= K) {
    repeat<Aside::pieces>([&](int i) UNROLL_INLINE {
      add_four<Type, units>(a + k, w, s);
      add_four<Type, units>(a + k + 4, w + 4 * row, s);
      k += 8;
      w += 8 * row;
      aside.piece(i);
    });
    aside.end();
  }
  for (; k + 4 <= K; k += 4, w += 4 * row) add_four<Type, units>(a + k, w, s);
  for (; k < K; ++k, w += row) Type::template add<units>(hn::Set(F(), a[k]), w, s.at[0]);
}

/// The columns of `units` units of a packed matrix, from `unit` on, which make a panel of it.
template <class Type, int units, class Aside>
HWY_NOINLINE void panel(const GemvTerm& first, const GemvTerm& second, const float* bias,
                        Index unit, float* y, Aside& aside) {
  Sums<Type::template vectors<units>> sums;
  sums.start(bias ? bias + unit * Type::columns : nullptr);
  add_product<Type, units>(first, unit, sums, aside);
  Nothing nothing;
  if (second.w != nullptr) add_product<Type, units>(second, unit, sums, nothing);
  sums.store(y + unit * Type::columns);
}

}  // namespace
}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
