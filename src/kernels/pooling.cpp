#include "src/kernels/pooling.h"

#include <algorithm>
#include <array>
#include <limits>

#include "src/kernels/windows.h"

namespace unroll::kernels {

namespace {

/// f(m, place) for the places of the input under each window m, window by window.
template <class F>
void for_each_place(const ConvolutionShape& s, Index m, F f) {
  for_each_run(s, m, [&](Index, Index taps, Index place) {
    for (Index t = 0; place >= 0 && t < taps; ++t) f(place + t);
  });
}

template <class T>
T reciprocal_count(const ConvolutionShape& s, Index m) {
  Index count = 0;
  for_each_place(s, m, [&](Index) { ++count; });
  return T{1} / static_cast<T>(count);
}

}  // namespace

template <class T>
void max_pooling(const ConvolutionShape& s, const T* x, T* y) {
  const Index C = s.channels;
  for (Index m = 0; m < s.windows(); ++m, y += C) {
    std::fill_n(y, C, -std::numeric_limits<T>::infinity());
    for_each_place(s, m, [&](Index place) {
      const T* from = x + place * C;
      for (Index c = 0; c < C; ++c) y[c] = from[c] > y[c] ? from[c] : y[c];
    });
  }
}

template <class T>
void max_pooling_gradient(const ConvolutionShape& s, const T* x, const T* y, const T* dy, T* dx) {
  constexpr Index most = 64;
  const Index C = s.channels;
  for (Index m = 0; m < s.windows(); ++m, y += C, dy += C) {
    for (Index first = 0; first < C; first += most) {
      const auto count = static_cast<std::size_t>(std::min(most, C - first));
      std::array<T, most> left;  // what no place has taken yet
      std::copy_n(dy + first, count, left.begin());
      for_each_place(s, m, [&](Index place) {
        const T* from = x + place * C + first;
        T* to = dx + place * C + first;
        for (std::size_t c = 0; c < count; ++c) {
          const T taken = from[c] == y[first + static_cast<Index>(c)] ? left[c] : T{0};
          to[c] += taken;
          left[c] -= taken;
        }
      });
    }
  }
}

template <class T>
void average_pooling(const ConvolutionShape& s, const T* x, T* y) {
  const Index C = s.channels;
  for (Index m = 0; m < s.windows(); ++m, y += C) {
    std::fill_n(y, C, T{0});
    for_each_place(s, m, [&](Index place) {
      for (Index c = 0; c < C; ++c) y[c] += x[place * C + c];
    });
    const T share = reciprocal_count<T>(s, m);
    for (Index c = 0; c < C; ++c) y[c] *= share;
  }
}

template <class T>
void average_pooling_gradient(const ConvolutionShape& s, const T* dy, T* dx) {
  const Index C = s.channels;
  for (Index m = 0; m < s.windows(); ++m, dy += C) {
    const T share = reciprocal_count<T>(s, m);
    for_each_place(s, m, [&](Index place) {
      for (Index c = 0; c < C; ++c) dx[place * C + c] += share * dy[c];
    });
  }
}

#define UNROLL_INSTANTIATE(T)                                                                  \
  template void max_pooling<T>(const ConvolutionShape&, const T*, T*);                         \
  template void max_pooling_gradient<T>(const ConvolutionShape&, const T*, const T*, const T*, \
                                        T*);                                                   \
  template void average_pooling<T>(const ConvolutionShape&, const T*, T*);                     \
  template void average_pooling_gradient<T>(const ConvolutionShape&, const T*, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
