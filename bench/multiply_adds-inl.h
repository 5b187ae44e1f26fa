// What multiply-adds a processor can do, for every Highway target: the peak of the percentages.

#if defined(UNROLL_BENCH_MULTIPLY_ADDS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_BENCH_MULTIPLY_ADDS_INL_H_
#undef UNROLL_BENCH_MULTIPLY_ADDS_INL_H_
#else
#define UNROLL_BENCH_MULTIPLY_ADDS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace unroll::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Floating-point operations of `rounds` rounds of twelve independent multiply-adds.
inline double MultiplyAdds(std::int64_t rounds, float* out) {
  const hn::CappedTag<float, 16> d;
  constexpr int chains = 12;
  const auto a = hn::Set(d, out[0]), b = hn::Set(d, out[1]);
  hn::Vec<decltype(d)> sums[chains];
  for (auto& sum : sums) sum = hn::Zero(d);
  for (std::int64_t i = 0; i < rounds; ++i) {
    for (auto& sum : sums) sum = hn::MulAdd(sum, a, b);
  }
  auto all = hn::Zero(d);
  for (auto& sum : sums) all = hn::Add(all, sum);
  hn::StoreU(all, d, out + 2);
  return static_cast<double>(rounds) * chains * 2 * static_cast<double>(hn::Lanes(d));
}

}  // namespace unroll::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
