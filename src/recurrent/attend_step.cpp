#include "src/recurrent/attend_step.h"

#include <algorithm>
#include <cmath>

#include "src/autograd/dispatch.h"
#include "src/kernels/softmax.h"
#include "src/kernels/vector.h"

namespace unroll {

namespace {

/// Letters: S steps, B sequences, A features of a key, E of a value.
template <class T>
struct Step {
  Index S, B, A, E;
  const T *keys, *values, *scale;
  const std::uint8_t* mask;

  Step(const Var& query, const Attended& to)
      : S(to.values.shape()[0]),
        B(to.values.shape()[1]),
        A(query.shape()[1]),
        E(to.values.shape()[2]),
        keys(to.keys.data<T>()),
        values(to.values.data<T>()),
        scale(to.scale ? to.scale.data<T>() : nullptr),
        mask(to.mask.data) {}

  bool kept(Index s, Index b) const { return mask == nullptr || mask[s * B + b] != 0; }

  T score(const T* query, Index s, Index b, T* u) const {
    const T* key = keys + (s * B + b) * A;
    if (scale == nullptr) return kernels::dot(A, query, key);
    kernels::add(A, query, key, u);
    kernels::tanh(A, u, u);
    return kernels::dot(A, u, scale);
  }

  /// The weights of sequence b, and the mean of its values.
  void forward(const T* query, Index b, T* weights, T* context, T* u) const {
    std::fill_n(context, E, T{0});
    Index count = 0;
    for (Index s = 0; s < S; ++s) {
      if (kept(s, b)) u[count++] = score(query, s, b, u + S);
    }
    if (count > 0) kernels::softmax(1, count, u, u);
    Index next = 0;
    for (Index s = 0; s < S; ++s) {
      weights[s] = kept(s, b) ? u[next++] : T{0};
      if (weights[s] != 0) kernels::add_scaled(E, weights[s], values + (s * B + b) * E, context);
    }
  }

  /// Adds to the gradients; each may be null. u has room for S + A numbers.
  void backward(const T* query, Index b, const T* weights, const T* dcontext, T* dquery, T* dkeys,
                T* dvalues, T* dscale, T* u) const {
    T along = 0;
    for (Index s = 0; s < S; ++s) {
      if (!kept(s, b)) continue;
      const Index at = (s * B + b) * E;
      u[s] = kernels::dot(E, dcontext, values + at);
      along += weights[s] * u[s];
      if (dvalues != nullptr) kernels::add_scaled(E, weights[s], dcontext, dvalues + at);
    }
    for (Index s = 0; s < S; ++s) {
      if (!kept(s, b)) continue;
      score_backward(query, s, b, weights[s] * (u[s] - along), dquery, dkeys, dscale, u + S);
    }
  }

  void score_backward(const T* query, Index s, Index b, T d, T* dquery, T* dkeys, T* dscale,
                      T* u) const {
    const Index at = (s * B + b) * A;
    if (scale == nullptr) {
      if (dquery != nullptr) kernels::add_scaled(A, d, keys + at, dquery);
      if (dkeys != nullptr) kernels::add_scaled(A, d, query, dkeys + at);
      return;
    }
    kernels::add(A, query, keys + at, u);
    kernels::tanh(A, u, u);
    if (dscale != nullptr) kernels::add_scaled(A, d, u, dscale);
    for (Index i = 0; i < A; ++i) u[i] = d * (1 - u[i] * u[i]) * scale[i];
    if (dquery != nullptr) kernels::add(A, dquery, u, dquery);
    if (dkeys != nullptr) kernels::add(A, dkeys + at, u, dkeys + at);
  }
};

template <class T>
T* gradient_of(const Var& v) {
  return v && v.needs_gradient() ? v.gradient<T>() : nullptr;
}

}  // namespace

Attention1 attend_step(const Var& query, const Attended& to, const Index* rows) {
  Tape& tape = query.tape();
  const Index R = query.shape()[0], S = to.values.shape()[0], E = to.values.shape()[2];
  const bool needs = query.needs_gradient() || to.values.needs_gradient() ||
                     to.keys.needs_gradient() || (to.scale && to.scale.needs_gradient());
  Attention1 result{tape.result({R, E}, query.dtype(), needs),
                    tape.result({R, S}, query.dtype(), false)};
  with_float(query.dtype(), [&]<class T>() {
    const Step<T> step(query, to);
    const auto before = tape.arena().mark();
    T* u = tape.arena().take<T>(S + step.A);
    for (Index i = 0; i < R; ++i) {
      step.forward(query.data<T>() + i * step.A, rows[i], result.weights.data<T>() + i * S,
                   result.context.data<T>() + i * E, u);
    }
    tape.arena().release(before);
    tape.record(result.context, [query, to, rows, result, R] {
      T *dquery = gradient_of<T>(query), *dkeys = gradient_of<T>(to.keys),
        *dvalues = gradient_of<T>(to.values), *dscale = gradient_of<T>(to.scale);
      const Step<T> step(query, to);
      base::Arena& arena = query.tape().arena();
      const auto mark = arena.mark();
      T* scratch = arena.take<T>(step.S + step.A);
      for (Index i = 0; i < R; ++i) {
        step.backward(query.data<T>() + i * step.A, rows[i], result.weights.data<T>() + i * step.S,
                      result.context.gradient<T>() + i * step.E,
                      dquery == nullptr ? nullptr : dquery + i * step.A, dkeys, dvalues, dscale,
                      scratch);
      }
      arena.release(mark);
    });
  });
  return result;
}

}  // namespace unroll
