#include "src/kernels/convolution.h"

#include <algorithm>
#include <cstring>

#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"
#include "src/kernels/windows.h"

namespace unroll::kernels {

namespace {

using Sizes = ConvolutionShape;

/// Windows gathered at a time: few enough for their block to stay in the second-level cache.
Index block_of(const Sizes& s) {
  constexpr Index numbers = 32768;
  return std::clamp<Index>(numbers / std::max<Index>(s.depth(), 1), 16, 128);
}

/// Whether a window is one place and every place has one.
bool direct(const Sizes& s) {
  const auto plain = [](const Sizes::Axis& a) {
    return a.kernel == 1 && a.stride == 1 && a.before == 0 && a.out == a.size;
  };
  return plain(s.y) && plain(s.x) && s.groups == 1;
}

/// Short copies in place: a call of memcpy would take longer than they do.
template <class T>
void copy_few(Index n, const T* from, T* to) {
  if (n > 16) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  } else {
    for (Index i = 0; i < n; ++i) to[i] = from[i];
  }
}

template <class T>
void add_few(Index n, const T* from, T* to) {
  if (n > 16) {
    add(n, to, from, to);
  } else {
    for (Index i = 0; i < n; ++i) to[i] += from[i];
  }
}

/// Rows of the block: windows [m, m + count) of group g.
template <class T>
void gather(const Sizes& s, Index g, Index m, Index count, const T* x, T* block) {
  const Index C = s.channels, width = C / s.groups, K = s.depth();
  for (Index i = 0; i < count; ++i, block += K) {
    for_each_run(s, m + i, [&](Index tap, Index taps, Index place) {
      T* to = block + tap * width;
      if (place < 0) {
        std::fill_n(to, taps * width, T{0});
      } else if (s.groups == 1) {
        copy_few(taps * C, x + place * C, to);
      } else {
        for (Index t = 0; t < taps; ++t) {
          copy_few(width, x + (place + t) * C + g * width, to + t * width);
        }
      }
    });
  }
}

/// dx += the block's rows, each to the places it was gathered from.
template <class T>
void scatter(const Sizes& s, Index g, Index m, Index count, const T* block, T* dx) {
  const Index C = s.channels, width = C / s.groups, K = s.depth();
  for (Index i = 0; i < count; ++i, block += K) {
    for_each_run(s, m + i, [&](Index tap, Index taps, Index place) {
      const T* from = block + tap * width;
      if (place < 0) return;
      if (s.groups == 1) return add_few(taps * C, from, dx + place * C);
      for (Index t = 0; t < taps; ++t) {
        add_few(width, from + t * width, dx + (place + t) * C + g * width);
      }
    });
  }
}

/// f(g, m, count) for all blocks of all groups.
template <class F>
void for_each_block(const Sizes& s, F f) {
  const Index most = block_of(s), M = s.windows();
  for (Index m = 0; m < M; m += most) {
    for (Index g = 0; g < s.groups; ++g) f(g, m, std::min(most, M - m));
  }
}

template <class T>
Index forward_size(const Sizes& s) {
  return packed_size<T>(s.depth(), s.filters / s.groups);
}
template <class T>
Index backward_size(const Sizes& s) {
  return packed_size<T>(s.filters / s.groups, s.depth());
}

}  // namespace

template <class T>
Index convolution_packed_size(const Sizes& s, bool backward) {
  return s.groups * (forward_size<T>(s) + (backward ? backward_size<T>(s) : 0));
}

template <class T>
void convolution_pack(const Sizes& s, const T* kernel, bool backward, T* packed) {
  const Index K = s.depth(), N = s.filters, n = N / s.groups;
  for (Index g = 0; g < s.groups; ++g, packed += forward_size<T>(s)) {
    pack(K, n, kernel + g * n, N, false, packed);
  }
  if (!backward) return;
  for (Index g = 0; g < s.groups; ++g, packed += backward_size<T>(s)) {
    pack(n, K, kernel + g * n, N, true, packed);
  }
}

template <class T>
Index convolution_scratch_size(const Sizes& s) {
  return direct(s) ? 0 : block_of(s) * s.depth();
}

template <class T>
void convolution(const Sizes& s, const T* x, const T* packed, const T* bias, Activation activation,
                 T* y, T* scratch) {
  const Index K = s.depth(), N = s.filters, n = N / s.groups;
  if (direct(s)) {
    return gemm(s.windows(), N, K, x, K, packed, y, N, {.bias = bias, .activation = activation});
  }
  for_each_block(s, [&](Index g, Index m, Index count) {
    gather(s, g, m, count, x, scratch);
    gemm(count, n, K, scratch, K, packed + g * forward_size<T>(s), y + m * N + g * n, N,
         {.bias = bias != nullptr ? bias + g * n : nullptr, .activation = activation});
  });
}

template <class T>
void convolution_kernel_gradient(const Sizes& s, const T* x, const T* dy, T* d_kernel, T* scratch) {
  const Index K = s.depth(), N = s.filters, n = N / s.groups;
  if (direct(s)) return gemm_transposed_a(s.windows(), N, K, x, K, dy, N, d_kernel, N);
  for_each_block(s, [&](Index g, Index m, Index count) {
    gather(s, g, m, count, x, scratch);
    gemm_transposed_a(count, n, K, scratch, K, dy + m * N + g * n, N, d_kernel + g * n, N);
  });
}

template <class T>
void convolution_input_gradient(const Sizes& s, const T* dy, const T* packed, T* dx, T* scratch) {
  const Index K = s.depth(), N = s.filters, n = N / s.groups;
  const T* transposed = packed + s.groups * forward_size<T>(s);
  if (direct(s)) {
    return gemm(s.windows(), K, N, dy, N, transposed, dx, K, Epilogue<T>{.accumulate = true});
  }
  for_each_block(s, [&](Index g, Index m, Index count) {
    gemm(count, K, n, dy + m * N + g * n, N, transposed + g * backward_size<T>(s), scratch, K);
    scatter(s, g, m, count, scratch, dx);
  });
}

#define UNROLL_INSTANTIATE(T)                                                                   \
  template Index convolution_packed_size<T>(const Sizes&, bool);                                \
  template void convolution_pack<T>(const Sizes&, const T*, bool, T*);                          \
  template Index convolution_scratch_size<T>(const Sizes&);                                     \
  template void convolution<T>(const Sizes&, const T*, const T*, const T*, Activation, T*, T*); \
  template void convolution_kernel_gradient<T>(const Sizes&, const T*, const T*, T*, T*);       \
  template void convolution_input_gradient<T>(const Sizes&, const T*, const T*, T*, T*);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

}  // namespace unroll::kernels
