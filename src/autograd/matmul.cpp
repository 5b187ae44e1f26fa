// Matrix products on a tape.
#include "src/autograd/dispatch.h"
#include "src/kernels/gemm.h"
#include "unroll/autograd.h"

namespace unroll {

namespace {

/// One product of a batch: a (M, K), b (K, N), out (M, N).
struct Sizes {
  Index batch, M, N, K;
  bool shared_b;  // one b for every product; then batch is 1 and M counts all rows
};

Sizes sizes_of(const Var& a, const Var& b) {
  const bool shared = b.rank() == 2;
  const bool batched = b.rank() > 2 && a.rank() == b.rank() &&
                       a.shape().slice(0, a.rank() - 2) == b.shape().slice(0, b.rank() - 2);
  if (a.rank() < 1 || !(shared || batched) || a.shape()[-1] != b.shape()[-2]) {
    throw Error(ErrorKind::shape, "matmul: shapes do not fit",
                {.got = a.shape().to_string() + " times " + b.shape().to_string(),
                 .want = "(..., K) times (K, N), or (..., M, K) times (..., K, N) with equal "
                         "leading axes"});
  }
  const Index K = b.shape()[-2], N = b.shape()[-1];
  if (shared) return {1, a.shape().product(0, a.rank() - 1), N, K, true};
  return {a.shape().product(0, a.rank() - 2), a.shape()[-2], N, K, false};
}

template <class T>
void multiply(Tape& tape, const Sizes& s, const T* a, const T* b, T* out) {
  base::Arena& arena = tape.arena();
  const auto before = arena.mark();
  T* packed = arena.take<T>(kernels::packed_size<T>(s.K, s.N));
  for (Index i = 0; i < s.batch; ++i) {
    kernels::pack(s.K, s.N, b + i * s.K * s.N, s.N, false, packed);
    kernels::gemm(s.M, s.N, s.K, a + i * s.M * s.K, s.K, packed, out + i * s.M * s.N, s.N, {},
                  tape.team());
  }
  arena.release(before);
}

/// da += d b^T
template <class T>
void add_left_gradient(Tape& tape, const Sizes& s, const T* d, const T* b, T* da) {
  base::Arena& arena = tape.arena();
  const auto before = arena.mark();
  T* packed = arena.take<T>(kernels::packed_size<T>(s.N, s.K));
  for (Index i = 0; i < s.batch; ++i) {
    kernels::pack(s.N, s.K, b + i * s.K * s.N, s.N, true, packed);
    kernels::gemm(s.M, s.K, s.N, d + i * s.M * s.N, s.N, packed, da + i * s.M * s.K, s.K,
                  {.accumulate = true}, tape.team());
  }
  arena.release(before);
}

}  // namespace

Var matmul(const Var& a, const Var& b) {
  Tape& tape = a.tape();
  const Sizes s = sizes_of(a, b);
  Shape shape = a.shape().slice(0, a.rank() - 1);
  shape.push_back(s.N);
  Var out = tape.result(shape, {a, b});
  out.set_time_first(a.time_first());
  with_float(a.dtype(),
             [&]<class T>() { multiply(tape, s, a.data<T>(), b.data<T>(), out.data<T>()); });
  tape.record(out, [s, a, b, out] {
    with_float(out.dtype(), [&]<class T>() {
      const T* d = out.gradient<T>();
      if (a.needs_gradient()) {
        T* da = a.gradient<T>();
        add_left_gradient(a.tape(), s, d, b.data<T>(), da);
      }
      if (!b.needs_gradient()) return;
      for (Index i = 0; i < s.batch; ++i) {
        kernels::gemm_transposed_a(s.M, s.N, s.K, a.data<T>() + i * s.M * s.K, s.K,
                                   d + i * s.M * s.N, s.N, b.gradient<T>() + i * s.K * s.N, s.N,
                                   a.tape().team());
      }
    });
  });
  return out;
}

}  // namespace unroll
