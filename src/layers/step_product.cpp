#include "src/layers/step_product.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"

namespace unroll {

void PackedKernel::prepare(DType dtype, bool training) {
  with_float(dtype, [&]<class T>() {
    const Index K = features(), N = units();
    const Index forward = kernels::packed_size<T>(K, N);
    const Index backward = training ? kernels::packed_size<T>(N, K) : 0;
    const Index bytes = (forward + backward) * static_cast<Index>(sizeof(T));
    packed_.refresh(kernel_->version(), dtype, training, bytes, [&](void* memory) {
      const T* w = kernel_->value().template values<T>().data();
      T* panels = static_cast<T*>(memory);
      const Index ld = is_table_ ? K : N;
      kernels::pack(K, N, w, ld, is_table_, panels);
      if (training) kernels::pack(N, K, w, ld, !is_table_, panels + forward);
    });
  });
}

template <class T>
const T* PackedKernel::transposed() const {
  return packed_.data<T>() + kernels::packed_size<T>(features(), units());
}

namespace {

/// A weight on the tape, and where its gradient goes; null where none is wanted.
struct Weights {
  Var w, b;
  Index bias_at = 0;
  bool is_table = false;

  Weights(Call& call, const PackedKernel& kernel)
      : w(call.use(kernel.kernel())), is_table(kernel.is_table()) {
    if (kernel.bias() == nullptr) return;
    b = call.use(*kernel.bias());
    bias_at = kernel.bias_row() * kernel.units();
  }
  bool needs() const { return w.needs_gradient() || (b && b.needs_gradient()); }
  template <class T>
  void add_gradient(Index rows, Index K, Index N, const T* x, const T* dy) const {
    if (w.needs_gradient() && is_table) {
      kernels::gemm_transposed_a(rows, K, N, dy, N, x, K, w.gradient<T>(), K);
    } else if (w.needs_gradient()) {
      kernels::gemm_transposed_a(rows, N, K, x, K, dy, N, w.gradient<T>(), N);
    }
    if (b && b.needs_gradient()) kernels::add_rows(rows, N, dy, N, b.gradient<T>() + bias_at);
  }
};

template <class T>
T* numbers(std::byte* bytes) {
  return reinterpret_cast<T*>(bytes);
}

}  // namespace

StepProduct::StepProduct(Call& call, const PackedKernel& kernel, Index rows)
    : tape_(call.tape()),
      kernel_(kernel),
      features_(kernel.features()),
      units_(kernel.units()),
      needs_(tape_.recording()) {
  const Weights weights(call, kernel);
  with_float(tape_.dtype(), [&]<class T>() {
    const auto room = [&](Index count) {
      return reinterpret_cast<std::byte*>(tape_.arena().take<T>(count));
    };
    x_ = room(rows * features_);
    y_ = room(rows * units_);
    if (weights.b) {
      bias_ = reinterpret_cast<const std::byte*>(weights.b.data<T>() + weights.bias_at);
    }
    if (!needs_) return;
    dy_ = room(rows * units_);
    std::memset(dy_, 0, static_cast<std::size_t>(rows * units_) * sizeof(T));
    // Recorded before the steps, so it runs when they have all come back.
    tape_.record_always([weights, rows, K = features_, N = units_, x = x_, dy = dy_] {
      weights.template add_gradient<T>(rows, K, N, numbers<T>(x), numbers<T>(dy));
    });
  });
}

Var StepProduct::add(std::initializer_list<Var> parts) {
  constexpr std::size_t most_parts = 3;
  std::array<Var, most_parts> kept;
  std::copy(parts.begin(), parts.end(), kept.begin());
  const Index rows = kept[0].shape()[0], K = features_, N = units_;
  Var y;
  with_float(tape_.dtype(), [&]<class T>() {
    T* x = numbers<T>(x_) + used_ * K;
    Index column = 0;
    for (const Var& part : parts) {
      const Index width = part.shape()[1];
      for (Index i = 0; i < rows; ++i) {
        std::copy_n(part.data<T>() + i * width, width, x + i * K + column);
      }
      column += width;
    }
    T* out = numbers<T>(y_) + used_ * N;
    T* dy = needs_ ? numbers<T>(dy_) + used_ * N : nullptr;
    kernels::gemm(rows, N, K, x, K, kernel_.forward<T>(), out, N,
                  {.bias = reinterpret_cast<const T*>(bias_)});
    y = tape_.leaf({rows, N}, tape_.dtype(), out, dy);
    const bool wanted = std::ranges::any_of(parts, &Var::needs_gradient);
    if (!needs_ || !wanted) return;
    tape_.record_always([kept, rows, K, N, dy, transposed = kernel_.transposed<T>()] {
      for (const Var& part : kept) {
        if (part && part.needs_gradient()) part.gradient<T>();
      }
      base::Arena& arena = kept[0].tape().arena();
      const auto before = arena.mark();
      T* dx = arena.take<T>(rows * K);
      kernels::gemm(rows, K, N, dy, N, transposed, dx, K);
      Index at = 0;
      for (const Var& part : kept) {
        if (!part) continue;
        const Index width = part.shape()[1];
        if (part.needs_gradient()) {
          T* d = part.gradient<T>();
          for (Index i = 0; i < rows; ++i) {
            kernels::add(width, d + i * width, dx + i * K + at, d + i * width);
          }
        }
        at += width;
      }
      arena.release(before);
    });
  });
  used_ += rows;
  return y;
}

KeptRows kept_rows_of(Call& call, const Mask& mask, bool time_first) {
  if (!mask) return {};
  auto* which = call.tape().arena().take<Index>(mask.time * mask.rows);
  Index count = 0;
  const Index outer = time_first ? mask.time : mask.rows,
              inner = time_first ? mask.rows : mask.time;
  for (Index i = 0; i < outer; ++i) {
    for (Index j = 0; j < inner; ++j) {
      const bool kept = mask.data[time_first ? i * inner + j : j * outer + i] != 0;
      if (kept) which[count++] = i * inner + j;
    }
  }
  return {which, count};
}

namespace {

/// `count` rows out of a matrix, or all of it as it lies.
template <class T>
const T* gathered(base::Arena& arena, const T* x, Index width, const Index* which, Index count) {
  if (which == nullptr) return x;
  T* rows = arena.take<T>(count * width);
  for (Index i = 0; i < count; ++i) std::copy_n(x + which[i] * width, width, rows + i * width);
  return rows;
}

}  // namespace

Var packed_product(Call& call, const PackedKernel& kernel, const Var& x, const Index* which,
                   Index count) {
  Tape& tape = call.tape();
  const Weights weights(call, kernel);
  const Index K = kernel.features(), N = kernel.units(), all = x.elements() / K;
  if (which == nullptr) count = all;
  Shape shape = x.shape();
  shape.set(-1, N);
  Var y = weights.b ? tape.result(shape, {x, weights.w, weights.b})
                    : tape.result(shape, {x, weights.w});
  y.set_time_first(x.time_first());
  with_float(x.dtype(), [&]<class T>() {
    const auto before = tape.arena().mark();
    const T* rows = gathered(tape.arena(), x.data<T>(), K, which, count);
    T* product = which == nullptr ? y.data<T>() : tape.arena().take<T>(count * N);
    kernels::gemm(count, N, K, rows, K, kernel.forward<T>(), product, N,
                  {.bias = weights.b ? weights.b.data<T>() + weights.bias_at : nullptr});
    for (Index i = 0, next = 0; which != nullptr && i < all; ++i) {
      T* row = y.data<T>() + i * N;
      if (next < count && which[next] == i) {
        std::copy_n(product + next++ * N, N, row);
      } else {
        std::fill_n(row, N, T{0});
      }
    }
    tape.arena().release(before);
    if (!y.needs_gradient()) return;
    tape.record(y, [weights, x, y, which, count, K, N, transposed = kernel.transposed<T>()] {
      T* dx = x.needs_gradient() ? x.gradient<T>() : nullptr;
      base::Arena& arena = y.tape().arena();
      const auto mark = arena.mark();
      const T* dy = gathered<T>(arena, y.gradient<T>(), N, which, count);
      weights.template add_gradient<T>(count, K, N,
                                       gathered<T>(arena, x.data<T>(), K, which, count), dy);
      if (dx != nullptr && which == nullptr) {
        kernels::gemm(count, K, N, dy, N, transposed, dx, K, {.accumulate = true});
      } else if (dx != nullptr) {
        T* rows_back = arena.take<T>(count * K);
        kernels::gemm(count, K, N, dy, N, transposed, rows_back, K);
        for (Index i = 0; i < count; ++i) {
          kernels::add(K, dx + which[i] * K, rows_back + i * K, dx + which[i] * K);
        }
      }
      arena.release(mark);
    });
  });
  return y;
}

}  // namespace unroll
