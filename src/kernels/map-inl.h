// Loops over rows of numbers, for every Highway target.
//
// What is left over at the end of a row goes through the same vector code in a padded copy, so that
// a number's result does not depend on its position. Sums have eight virtual lanes: number i is
// added to lane i mod 8 in ascending order, whatever the width of a vector.

// An include guard for each target: this text is compiled once for every one.
#if defined(UNROLL_KERNELS_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef UNROLL_KERNELS_MAP_INL_H_
#undef UNROLL_KERNELS_MAP_INL_H_
#else
#define UNROLL_KERNELS_MAP_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "unroll/index.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// `count` numbers, fewer than a vector holds, and zeros after them.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::VFromD<D> LoadSome(D d, const T* from, Index count) {
  HWY_ALIGN T copy[hn::MaxLanes(D())] = {};
  std::copy_n(from, count, copy);
  return hn::Load(d, copy);
}

template <class D, class T = hn::TFromD<D>>
HWY_INLINE void StoreSome(D d, hn::VFromD<D> v, T* to, Index count) {
  HWY_ALIGN T copy[hn::MaxLanes(D())];
  hn::Store(v, d, copy);
  std::copy_n(copy, count, to);
}

/// out[i] = op(in[i]...). `out` may be one of the inputs.
template <class T, class Op, class... In>
HWY_INLINE void Map(Index n, Op op, T* out, const In*... in) {
  const hn::ScalableTag<T> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  Index i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(op(d, hn::LoadU(d, in + i)...), d, out + i);
  if (i < n) StoreSome(d, op(d, LoadSome(d, in + i, n - i)...), out + i, n - i);
}

inline constexpr Index virtual_lanes = 8;

/// The sum of the eight, in pairs.
template <class T>
HWY_INLINE T SumOfLanes(const T* s) {
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/// sum + term(in[i]...), where term(d, sum, v...) adds to the sum of a lane.
template <class T, class Op, class... In>
HWY_INLINE T Reduce(Index n, Op op, const In*... in) {
  const hn::CappedTag<T, virtual_lanes> d;
  const Index lanes = static_cast<Index>(hn::Lanes(d));
  HWY_ALIGN T sums[virtual_lanes];
  const Index whole = n / virtual_lanes * virtual_lanes;
  for (Index lane = 0; lane < virtual_lanes; lane += lanes) {
    auto s = hn::Zero(d);
    Index i = lane;
    for (; i < whole; i += virtual_lanes) s = op(d, s, hn::LoadU(d, in + i)...);
    const Index left = std::min(lanes, n - i);
    if (left == lanes) {
      s = op(d, s, hn::LoadU(d, in + i)...);
    } else if (left > 0) {
      // Only the lanes that have a number left take the new sum.
      s = hn::IfThenElse(hn::FirstN(d, static_cast<std::size_t>(left)),
                         op(d, s, LoadSome(d, in + i, left)...), s);
    }
    hn::Store(s, d, sums + lane);
  }
  return SumOfLanes(sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace unroll::kernels
HWY_AFTER_NAMESPACE();

#endif  // UNROLL_KERNELS_MAP_INL_H_
