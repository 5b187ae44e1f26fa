// Sums, means and maxima along an axis or over everything.
#include <algorithm>

#include "src/autograd/axis.h"
#include "src/autograd/dispatch.h"
#include "src/kernels/vector.h"
#include "unroll/autograd.h"

namespace unroll {

namespace {

/// x as (outer, size, inner) around an axis.
struct Around {
  Index outer, size, inner;
  Shape shape;  // of the result
};

Around around(const Var& x, int axis, bool keep) {
  const int at = positive_axis(axis, x.rank());
  Around a{.outer = 1, .size = x.shape()[at], .inner = 1, .shape = x.shape()};
  a.outer = x.shape().product(0, at);
  a.inner = x.shape().product(at + 1, x.rank());
  if (keep) {
    a.shape.set(at, 1);
  } else {
    a.shape = x.shape().without(at);
  }
  return a;
}

}  // namespace

Var sum(const Var& x) {
  Var out = x.tape().result({}, {x});
  with_float(x.dtype(),
             [&]<class T>() { *out.data<T>() = kernels::sum(x.elements(), x.data<T>()); });
  x.tape().record(out, [x, out] {
    with_float(x.dtype(), [&]<class T>() {
      T* dx = x.gradient<T>();
      kernels::scale_shift(x.elements(), T{1}, *out.gradient<T>(), dx, dx);
    });
  });
  return out;
}

Var mean(const Var& x) { return sum(x) * (1.0 / static_cast<double>(x.elements())); }

Var sum(const Var& x, int axis, bool keep_axis) {
  const Around a = around(x, axis, keep_axis);
  Var out = x.tape().result(a.shape, {x});
  with_float(x.dtype(), [&]<class T>() {
    T* to = out.data<T>();
    for (Index o = 0; o < a.outer; ++o, to += a.inner) {
      const T* from = x.data<T>() + o * a.size * a.inner;
      if (a.inner == 1) {
        *to = kernels::sum(a.size, from);
        continue;
      }
      std::fill(to, to + a.inner, T{0});
      for (Index s = 0; s < a.size; ++s) kernels::add(a.inner, to, from + s * a.inner, to);
    }
  });
  x.tape().record(out, [x, out, a] {
    with_float(x.dtype(), [&]<class T>() {
      T* dx = x.gradient<T>();
      for (Index o = 0; o < a.outer; ++o) {
        const T* dy = out.gradient<T>() + o * a.inner;
        for (Index s = 0; s < a.size; ++s, dx += a.inner) {
          if (a.inner == 1) {
            *dx += *dy;
          } else {
            kernels::add(a.inner, dx, dy, dx);
          }
        }
      }
    });
  });
  return out;
}

Var mean(const Var& x, int axis, bool keep_axis) {
  const Var total = sum(x, axis, keep_axis);
  return total * (1.0 / static_cast<double>(x.shape()[axis]));
}

Var max(const Var& x, int axis, bool keep_axis) {
  const Around a = around(x, axis, keep_axis);
  if (a.size == 0)
    throw Error(ErrorKind::shape, "the maximum of nothing", {.got = x.shape().to_string()});
  Var out = x.tape().result(a.shape, {x});
  with_float(x.dtype(), [&]<class T>() {
    for (Index o = 0; o < a.outer; ++o) {
      for (Index i = 0; i < a.inner; ++i) {
        const T* from = x.data<T>() + o * a.size * a.inner + i;
        T best = *from;
        for (Index s = 1; s < a.size; ++s) best = std::max(best, from[s * a.inner]);
        out.data<T>()[o * a.inner + i] = best;
      }
    }
  });
  x.tape().record(out, [x, out, a] {
    with_float(x.dtype(), [&]<class T>() {
      for (Index o = 0; o < a.outer; ++o) {
        for (Index i = 0; i < a.inner; ++i) {
          const T* from = x.data<T>() + o * a.size * a.inner + i;
          T* dx = x.gradient<T>() + o * a.size * a.inner + i;
          const T best = out.data<T>()[o * a.inner + i];
          Index ties = 0;
          for (Index s = 0; s < a.size; ++s) ties += from[s * a.inner] == best ? 1 : 0;
          const T share = out.gradient<T>()[o * a.inner + i] / static_cast<T>(ties);
          for (Index s = 0; s < a.size; ++s) {
            if (from[s * a.inner] == best) dx[s * a.inner] += share;
          }
        }
      }
    });
  });
  return out;
}

}  // namespace unroll
