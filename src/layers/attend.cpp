#include "src/layers/attend.h"

#include <algorithm>

#include "src/autograd/dispatch.h"
#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"
#include "src/layers/noise.h"

namespace unroll {

namespace {

/// Where one head of one row lies in a sequence.
struct Heads {
  Index rows, steps, heads, size;
  Index step;  ///< numbers from one step to the next
  bool time_first;

  Heads(const Var& x, Index heads)
      : rows(rows_of(x)),
        steps(steps_of(x)),
        heads(heads),
        size(x.shape()[-1] / heads),
        step(x.shape()[-1] * (x.time_first() ? rows : 1)),
        time_first(x.time_first()) {}

  Index start(Index row, Index head) const {
    return row * size * heads * (time_first ? 1 : steps) + head * size;
  }
};

/// f(i, row, head) for all rows and heads; i counts them.
template <class F>
void for_each_head(const Heads& h, F f) {
  for (Index row = 0, i = 0; row < h.rows; ++row) {
    for (Index head = 0; head < h.heads; ++head) f(i++, row, head);
  }
}

}  // namespace

Index rows_of(const Var& x) { return x.shape()[x.time_first() ? 1 : 0]; }
Index steps_of(const Var& x) { return x.shape()[x.time_first() ? 0 : 1]; }

Var dot_scores(const Var& q, const Var& k, Index heads) {
  Tape& tape = q.tape();
  const Heads hq(q, heads), hk(k, heads);
  const Index Tq = hq.steps, Tv = hk.steps, size = hq.size;
  Var scores = tape.result({hq.rows, heads, Tq, Tv}, {q, k});
  with_float(q.dtype(), [&]<class T>() {
    const auto before = tape.arena().mark();
    T* packed = tape.arena().take<T>(kernels::packed_size<T>(size, Tv));
    for_each_head(hq, [&](Index i, Index row, Index head) {
      kernels::pack(size, Tv, k.data<T>() + hk.start(row, head), hk.step, true, packed);
      kernels::gemm(Tq, Tv, size, q.data<T>() + hq.start(row, head), hq.step, packed,
                    scores.data<T>() + i * Tq * Tv, Tv);
    });
    tape.arena().release(before);
  });
  tape.record(scores, [=] {
    with_float(q.dtype(), [&]<class T>() {
      T* dq = q.needs_gradient() ? q.gradient<T>() : nullptr;
      T* dk = k.needs_gradient() ? k.gradient<T>() : nullptr;
      base::Arena& arena = q.tape().arena();
      const auto before = arena.mark();
      T* packed = arena.take<T>(kernels::packed_size<T>(Tv, size));
      for_each_head(hq, [&](Index i, Index row, Index head) {
        const T* d = scores.gradient<T>() + i * Tq * Tv;
        const Index at_q = hq.start(row, head), at_k = hk.start(row, head);
        if (dq != nullptr) {
          kernels::pack(Tv, size, k.data<T>() + at_k, hk.step, false, packed);
          kernels::gemm(Tq, size, Tv, d, Tv, packed, dq + at_q, hq.step, {.accumulate = true});
        }
        if (dk != nullptr) {
          kernels::gemm_transposed_a(Tq, size, Tv, d, Tv, q.data<T>() + at_q, hq.step, dk + at_k,
                                     hk.step);
        }
      });
      arena.release(before);
    });
  });
  return scores;
}

Var weighted_values(const Var& weights, const Var& v, Index heads) {
  Tape& tape = v.tape();
  const Heads hv(v, heads);
  const Index Tq = weights.shape()[2], Tv = hv.steps, size = hv.size;
  Shape shape = v.shape();
  shape.set(v.time_first() ? 0 : 1, Tq);
  Var y = tape.result(shape, {weights, v});
  y.set_time_first(v.time_first());
  const Heads hy(y, heads);
  with_float(v.dtype(), [&]<class T>() {
    const auto before = tape.arena().mark();
    T* packed = tape.arena().take<T>(kernels::packed_size<T>(Tv, size));
    for_each_head(hv, [&](Index i, Index row, Index head) {
      kernels::pack(Tv, size, v.data<T>() + hv.start(row, head), hv.step, false, packed);
      kernels::gemm(Tq, size, Tv, weights.data<T>() + i * Tq * Tv, Tv, packed,
                    y.data<T>() + hy.start(row, head), hy.step);
    });
    tape.arena().release(before);
  });
  tape.record(y, [=] {
    with_float(v.dtype(), [&]<class T>() {
      T* dw = weights.needs_gradient() ? weights.gradient<T>() : nullptr;
      T* dv = v.needs_gradient() ? v.gradient<T>() : nullptr;
      base::Arena& arena = v.tape().arena();
      const auto before = arena.mark();
      T* packed = arena.take<T>(kernels::packed_size<T>(size, Tv));
      for_each_head(hv, [&](Index i, Index row, Index head) {
        const T* dy = y.gradient<T>() + hy.start(row, head);
        const Index at = hv.start(row, head), part = i * Tq * Tv;
        if (dw != nullptr) {
          kernels::pack(size, Tv, v.data<T>() + at, hv.step, true, packed);
          kernels::gemm(Tq, Tv, size, dy, hy.step, packed, dw + part, Tv, {.accumulate = true});
        }
        if (dv != nullptr) {
          kernels::gemm_transposed_a(Tq, size, Tv, weights.data<T>() + part, Tv, dy, hy.step,
                                     dv + at, hv.step);
        }
      });
      arena.release(before);
    });
  });
  return y;
}

namespace {

/// u (Tv, size) = tanh(q + k_j) for one query.
template <class T>
void fill_tanh(const T* query, const T* keys, const Heads& hk, T* u) {
  for (Index j = 0; j < hk.steps; ++j) {
    kernels::add(hk.size, query, keys + j * hk.step, u + j * hk.size);
  }
  kernels::tanh(hk.steps * hk.size, u, u);
}

/// Adds what one query's scores (Tv) take back; u is overwritten, any of the three may be null.
template <class T>
void take_back(const T* d, const T* scale, const Heads& hk, T* u, T* dq, T* dk, T* d_scale) {
  const Index size = hk.size;
  for (Index j = 0; j < hk.steps; ++j, u += size) {
    if (d_scale != nullptr) kernels::add_scaled(size, d[j], u, d_scale);
    for (Index i = 0; i < size; ++i) {
      u[i] = d[j] * (1 - u[i] * u[i]) * (scale != nullptr ? scale[i] : T{1});
    }
    if (dq != nullptr) kernels::add(size, dq, u, dq);
    if (dk != nullptr) kernels::add(size, dk + j * hk.step, u, dk + j * hk.step);
  }
}

}  // namespace

Var additive_scores(const Var& q, const Var& k, const Var& scale) {
  Tape& tape = q.tape();
  const Heads hq(q, 1), hk(k, 1);
  const Index Tq = hq.steps, Tv = hk.steps, size = hq.size;
  Var scores = scale ? tape.result({hq.rows, 1, Tq, Tv}, {q, k, scale})
                     : tape.result({hq.rows, 1, Tq, Tv}, {q, k});
  with_float(q.dtype(), [&]<class T>() {
    const auto before = tape.arena().mark();
    T* u = tape.arena().take<T>(Tv * size);
    T* to = scores.data<T>();
    for (Index i = 0; i < hq.rows * Tq; ++i) {
      const Index row = i / Tq;
      fill_tanh(q.data<T>() + hq.start(row, 0) + i % Tq * hq.step, k.data<T>() + hk.start(row, 0),
                hk, u);
      for (Index j = 0; j < Tv; ++j, ++to) {
        *to = scale ? kernels::dot(size, u + j * size, scale.data<T>())
                    : kernels::sum(size, u + j * size);
      }
    }
    tape.arena().release(before);
  });
  tape.record(scores, [=] {
    with_float(q.dtype(), [&]<class T>() {
      T* dq = q.needs_gradient() ? q.gradient<T>() : nullptr;
      T* dk = k.needs_gradient() ? k.gradient<T>() : nullptr;
      T* d_scale = scale && scale.needs_gradient() ? scale.gradient<T>() : nullptr;
      base::Arena& arena = q.tape().arena();
      const auto before = arena.mark();
      T* u = arena.take<T>(Tv * size);
      for (Index i = 0; i < hq.rows * Tq; ++i) {
        const Index row = i / Tq, at = hq.start(row, 0) + i % Tq * hq.step, keys = hk.start(row, 0);
        fill_tanh(q.data<T>() + at, k.data<T>() + keys, hk, u);
        take_back(scores.gradient<T>() + i * Tv, scale ? scale.data<T>() : nullptr, hk, u,
                  dq != nullptr ? dq + at : nullptr, dk != nullptr ? dk + keys : nullptr, d_scale);
      }
      arena.release(before);
    });
  });
  return scores;
}

Var visible(Call& call, const Mask& queries, const Mask& values, bool causal, Index Tq, Index Tv) {
  if (!queries && !values && !causal) return {};
  const Index rows = queries || values ? call.rows() : 1, steps = queries || causal ? Tq : 1;
  Var seen = call.tape().result({rows, 1, steps, Tv}, call.tape().dtype(), false);
  with_float(seen.dtype(), [&]<class T>() {
    T* to = seen.data<T>();
    for (Index r = 0; r < rows; ++r) {
      for (Index i = 0; i < steps; ++i) {
        const bool asked = !queries || queries.data[i * queries.rows + r] != 0;
        for (Index j = 0; j < Tv; ++j) {
          const bool kept = !values || values.data[j * values.rows + r] != 0;
          *to++ = asked && kept && (!causal || j <= i) ? T{1} : T{0};
        }
      }
    }
  });
  return seen;
}

Var dropped_weights(Call& call, const Component& layer, const Var& weights, double rate,
                    Index seed) {
  if (!call.training() || rate <= 0) return weights;
  const base::Random random = random_of(call, layer, seed);
  Var scale = call.tape().result(weights.shape(), weights.dtype(), false);
  with_float(weights.dtype(), [&]<class T>() {
    const T keep = rate < 1 ? static_cast<T>(1 / (1 - rate)) : T{0};
    for_each_position(call, weights, [&](Index i, std::uint64_t position) {
      scale.data<T>()[i] = random.uniform(position) < rate ? T{0} : keep;
    });
  });
  return weights * scale;
}

}  // namespace unroll
