// Products of whole numbers. Weights lie as [panel of up to 4 units][K / 4][unit of 8 columns][4
// k]: 32 bytes are what one instruction multiplies with four numbers of `a`. That instruction wants
// one side without a sign and adds pairs in 16 bits: so `a` has 7 bits, to which 64 is added; 64
// times the sum of a column is taken away at the end. Behind the weights are the columns' scales,
// then these sums.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "src/kernels/gemv_int8.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "src/base/aligned.h"
#include "src/kernels/gemm_outer-inl.h"
#include "src/kernels/gemv-inl.h"

#ifndef UNROLL_KERNELS_INT8_SIZES
#define UNROLL_KERNELS_INT8_SIZES
namespace unroll::kernels {
// With more units in a panel g++ keeps some of their sums in memory.
constexpr Index unit_columns = 8, panel_units = 4;
}  // namespace unroll::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels::HWY_NAMESPACE {
namespace {

/// `a` as whole numbers times a scale.
struct Quantised {
  const std::int32_t* fours = nullptr;  // four numbers each, 1 to 127
  float scale = 0;
};

Quantised quantise(Index K, const float* a, float* scratch) {
  // Without their sign, floats are in the order of their bits; infinity and NaN come last.
  std::int32_t largest = 0;
  for (Index k = 0; k < K; ++k) {
    largest = std::max(largest, std::bit_cast<std::int32_t>(a[k]) & 0x7fffffff);
  }
  const float most = std::bit_cast<float>(largest);
  const bool none = most < 1e-30f;
  const float factor = none ? 0.0f : 63.0f / most;
  auto* q = reinterpret_cast<std::uint8_t*>(scratch);
  // Adding it leaves the nearest whole number, and 64, in the low bits, on every target.
  constexpr float magic = 0x1.8p23f + 64.0f;
  for (Index k = 0; k < K; ++k) {
    q[k] = static_cast<std::uint8_t>(std::bit_cast<std::int32_t>(a[k] * factor + magic));
  }
  for (Index k = K; k % 4 != 0; ++k) q[k] = 0;
  const float poison = most - most;  // NaN where a number is none, or infinite
  return {reinterpret_cast<const std::int32_t*>(scratch), none ? 0.0f : most / 63.0f + poison};
}

struct Int8Term {
  Quantised a;
  const std::int8_t* weights = nullptr;
  const float* scales = nullptr;
  const std::int32_t* offsets = nullptr;
  Index fours = 0;
};

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL

template <int units>
HWY_INLINE void add_products(const Int8Term& term, Index unit, float* y) {
  __m256i sums[units];
  repeat<units>([&](int n) UNROLL_INLINE { sums[n] = _mm256_setzero_si256(); });
  const std::int8_t* w = term.weights + unit * 32 * term.fours;
  const __m256i ones = _mm256_set1_epi16(1);
  UNROLL_FOUR_TIMES
  for (Index k = 0; k < term.fours; ++k, w += 32 * units) {
    const __m256i a = _mm256_set1_epi32(term.a.fours[k]);
    repeat<units>([&](int n) UNROLL_INLINE {
      const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + 32 * n));
      const __m256i pairs = _mm256_maddubs_epi16(a, b);
      sums[n] = _mm256_add_epi32(sums[n], _mm256_madd_epi16(pairs, ones));
    });
  }
  const __m256 scale = _mm256_set1_ps(term.a.scale);
  repeat<units>([&](int n) UNROLL_INLINE {
    float* to = y + n * unit_columns;
    const Index column = (unit + n) * unit_columns;
    const __m256i offset =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(term.offsets + column));
    const __m256 sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums[n], offset));
    const __m256 part =
        _mm256_mul_ps(sum, _mm256_mul_ps(scale, _mm256_loadu_ps(term.scales + column)));
    _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), part));
  });
}

#else

template <int units>
void add_products(const Int8Term& term, Index unit, float* y) {
  const auto* a = reinterpret_cast<const std::uint8_t*>(term.a.fours);
  const std::int8_t* w = term.weights + unit * 32 * term.fours;
  std::int32_t sums[units * unit_columns] = {};
  for (Index k = 0; k < term.fours; ++k) {
    for (Index n = 0; n < units * unit_columns; ++n, w += 4) {
      for (Index i = 0; i < 4; ++i) sums[n] += a[4 * k + i] * w[i];
    }
  }
  for (Index n = 0; n < units * unit_columns; ++n) {
    const Index column = unit * unit_columns + n;
    const std::int32_t sum = sums[n] - term.offsets[column];
    y[n] += static_cast<float>(sum) * (term.a.scale * term.scales[column]);
  }
}

#endif

template <int units>
HWY_NOINLINE void panel(const Int8Term& first, const Int8Term& second, const float* bias,
                        Index unit, float* y) {
  const Index column = unit * unit_columns;
  for (Index n = 0; n < units * unit_columns; ++n) y[column + n] = bias ? bias[column + n] : 0.0f;
  add_products<units>(first, unit, y + column);
  if (second.fours > 0) add_products<units>(second, unit, y + column);
}

template <int units = static_cast<int>(panel_units)>
void panel_of(Index count, const Int8Term& first, const Int8Term& second, const float* bias,
              Index unit, float* y) {
  if constexpr (units > 1) {
    if (count < units) return panel_of<units - 1>(count, first, second, bias, unit, y);
  }
  panel<units>(first, second, bias, unit, y);
}

Int8Term term_of(const GemvTerm& term, float* scratch) {
  if (term.w == nullptr) return {};
  const Index fours = (term.w->K() + 3) / 4;
  const Index units = (term.w->N() + unit_columns - 1) / unit_columns;
  const auto* weights = static_cast<const std::int8_t*>(term.w->data());
  const auto* scales = reinterpret_cast<const float*>(weights + units * 32 * fours);
  const auto* offsets = reinterpret_cast<const std::int32_t*>(scales + units * unit_columns);
  return {quantise(term.w->K(), term.a, scratch), weights, scales, offsets, fours};
}

}  // namespace

void MultiplyInt8(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
                  float* y, bool backwards) {
  const Int8Term one = term_of(first, scratch);
  const Int8Term two = term_of(second, scratch + base::round_up(one.fours, 16));
  const Index units = (first.w->N() + unit_columns - 1) / unit_columns;
  const Index panels = (units + panel_units - 1) / panel_units;
  for (Index i = 0; i < panels; ++i) {
    const Index unit = (backwards ? panels - 1 - i : i) * panel_units;
    panel_of(std::min(panel_units, units - unit), one, two, bias, unit, y);
  }
}

}  // namespace unroll::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace unroll::kernels {

Index int8_bytes(Index K, Index N) {
  const Index units = (N + unit_columns - 1) / unit_columns;
  return units * 32 * ((K + 3) / 4) + units * unit_columns * 8;  // a scale and a sum each
}

void pack_int8(Index K, Index N, const float* w, void* packed) {
  const Index units = (N + unit_columns - 1) / unit_columns, fours = (K + 3) / 4;
  auto* to = static_cast<std::int8_t*>(packed);
  auto* scales = reinterpret_cast<float*>(to + units * 32 * fours);
  auto* offsets = reinterpret_cast<std::int32_t*>(scales + units * unit_columns);
  for (Index n = 0; n < N; ++n) {
    float most = 0;
    for (Index k = 0; k < K; ++k) {
      const float size = std::abs(w[k * N + n]);
      if (size > most || std::isnan(size)) most = size;  // what is no number stays
    }
    scales[n] = most / 127.0f;
    const Index unit = n / unit_columns, first = unit / panel_units * panel_units;
    const Index width = std::min(panel_units, units - first);
    for (Index k = 0; most > 0 && std::isfinite(most) && k < K; ++k) {
      const auto q = static_cast<std::int8_t>(std::lrint(w[k * N + n] / most * 127.0f));
      to[first * 32 * fours + (k / 4 * width + unit - first) * 32 + n % unit_columns * 4 + k % 4] =
          q;
      offsets[n] += 64 * q;
    }
  }
}

}  // namespace unroll::kernels
#endif
