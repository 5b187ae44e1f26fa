// Operations on each element: arithmetic with broadcasting, functions, where, dropout.
#include <algorithm>
#include <cmath>

#include "src/autograd/broadcast.h"
#include "src/autograd/dispatch.h"
#include "src/base/random.h"
#include "src/kernels/vector.h"
#include "unroll/autograd.h"

namespace unroll {

namespace {

enum class Arithmetic { add, subtract, multiply, divide };

template <class T>
void apply(Arithmetic kind, Index n, const T* a, Index step_a, const T* b, Index step_b, T* out) {
  if (step_a == 1 && step_b == 1) {
    switch (kind) {
      case Arithmetic::add:
        return kernels::add(n, a, b, out);
      case Arithmetic::subtract:
        return kernels::subtract(n, a, b, out);
      case Arithmetic::multiply:
        return kernels::multiply(n, a, b, out);
      case Arithmetic::divide:
        return kernels::divide(n, a, b, out);
    }
  }
  for (Index i = 0; i < n; ++i) {
    const T x = a[i * step_a], y = b[i * step_b];
    switch (kind) {
      case Arithmetic::add:
        out[i] = x + y;
        break;
      case Arithmetic::subtract:
        out[i] = x - y;
        break;
      case Arithmetic::multiply:
        out[i] = x * y;
        break;
      case Arithmetic::divide:
        out[i] = x / y;
        break;
    }
  }
}

/// dx[i * step] += the i-th term: contiguous, or summed into one place.
template <class T, class F>
void add_terms(Index n, T* dx, Index step, F term) {
  if (step == 1) {
    for (Index i = 0; i < n; ++i) dx[i] += term(i);
  } else {
    T total{0};
    for (Index i = 0; i < n; ++i) total += term(i);
    *dx += total;
  }
}

template <class T>
void apply_backward(Arithmetic kind, const Run& run, const Var& a, const Var& b, const T* dy) {
  const Index n = run.count, sa = run.step_a, sb = run.step_b;
  const T* x = a.data<T>() + run.a;
  const T* y = b.data<T>() + run.b;
  const T* d = dy + run.out;
  if (a.needs_gradient()) {
    T* da = a.gradient<T>() + run.a;
    switch (kind) {
      case Arithmetic::add:
      case Arithmetic::subtract:
        add_terms(n, da, sa, [=](Index i) { return d[i]; });
        break;
      case Arithmetic::multiply:
        if (sa == 1 && sb == 1) {
          kernels::add_product(n, d, y, da);
        } else {
          add_terms(n, da, sa, [=](Index i) { return d[i] * y[i * sb]; });
        }
        break;
      case Arithmetic::divide:
        add_terms(n, da, sa, [=](Index i) { return d[i] / y[i * sb]; });
        break;
    }
  }
  if (b.needs_gradient()) {
    T* db = b.gradient<T>() + run.b;
    switch (kind) {
      case Arithmetic::add:
        add_terms(n, db, sb, [=](Index i) { return d[i]; });
        break;
      case Arithmetic::subtract:
        add_terms(n, db, sb, [=](Index i) { return -d[i]; });
        break;
      case Arithmetic::multiply:
        if (sa == 1 && sb == 1) {
          kernels::add_product(n, d, x, db);
        } else {
          add_terms(n, db, sb, [=](Index i) { return d[i] * x[i * sa]; });
        }
        break;
      case Arithmetic::divide:
        add_terms(n, db, sb, [=](Index i) {
          const T divisor = y[i * sb];
          return -d[i] * x[i * sa] / (divisor * divisor);
        });
        break;
    }
  }
}

Var arithmetic(Arithmetic kind, const Var& a, const Var& b) {
  Tape& tape = a.tape();
  const Broadcast plan(a.shape(), b.shape());
  Var out = tape.result(plan.shape(), {a, b});
  out.set_time_first(a.time_first() || b.time_first());
  with_float(a.dtype(), [&]<class T>() {
    plan.for_each([&](const Run& run) {
      apply(kind, run.count, a.data<T>() + run.a, run.step_a, b.data<T>() + run.b, run.step_b,
            out.data<T>() + run.out);
    });
  });
  tape.record(out, [kind, a, b, out, plan] {
    with_float(out.dtype(), [&]<class T>() {
      const T* dy = out.gradient<T>();
      plan.for_each([&](const Run& run) { apply_backward<T>(kind, run, a, b, dy); });
    });
  });
  return out;
}

/// scale x + shift
Var affine(const Var& x, double scale, double shift) {
  Var out = x.tape().result(x.shape(), {x});
  out.set_time_first(x.time_first());
  with_float(x.dtype(), [&]<class T>() {
    kernels::scale_shift(x.elements(), static_cast<T>(scale), static_cast<T>(shift), x.data<T>(),
                         out.data<T>());
  });
  x.tape().record(out, [x, out, scale] {
    with_float(out.dtype(), [&]<class T>() {
      kernels::add_scaled(x.elements(), static_cast<T>(scale), out.gradient<T>(), x.gradient<T>());
    });
  });
  return out;
}

/// A function of one number: f(n, x, y) on rows; df(x, y) its derivative at a point.
template <class Forward, class Derivative>
Var function(const Var& x, Forward forward, Derivative derivative) {
  Var out = x.tape().result(x.shape(), {x});
  out.set_time_first(x.time_first());
  with_float(x.dtype(), [&]<class T>() { forward(x.elements(), x.data<T>(), out.data<T>()); });
  x.tape().record(out, [x, out, derivative] {
    with_float(out.dtype(), [&]<class T>() {
      const T *in = x.data<T>(), *y = out.data<T>(), *dy = out.gradient<T>();
      T* dx = x.gradient<T>();
      for (Index i = 0; i < x.elements(); ++i) dx[i] += dy[i] * derivative(in[i], y[i]);
    });
  });
  return out;
}

}  // namespace

Var operator+(const Var& a, const Var& b) { return arithmetic(Arithmetic::add, a, b); }
Var operator-(const Var& a, const Var& b) { return arithmetic(Arithmetic::subtract, a, b); }
Var operator*(const Var& a, const Var& b) { return arithmetic(Arithmetic::multiply, a, b); }
Var operator/(const Var& a, const Var& b) { return arithmetic(Arithmetic::divide, a, b); }
Var operator+(const Var& a, double b) { return affine(a, 1, b); }
Var operator-(const Var& a, double b) { return affine(a, 1, -b); }
Var operator*(const Var& a, double b) { return affine(a, b, 0); }
Var operator/(const Var& a, double b) { return affine(a, 1 / b, 0); }
Var operator+(double a, const Var& b) { return affine(b, 1, a); }
Var operator-(double a, const Var& b) { return affine(b, -1, a); }
Var operator*(double a, const Var& b) { return affine(b, a, 0); }
Var operator/(double a, const Var& b) {
  Var numerator = b.tape().result({1}, b.dtype(), false);
  with_float(b.dtype(), [&]<class T>() { *numerator.data<T>() = static_cast<T>(a); });
  return numerator / b;
}
Var operator-(const Var& a) { return affine(a, -1, 0); }

Var exp(const Var& x) {
  return function(
      x, [](Index n, const auto* in, auto* out) { kernels::exp(n, in, out); },
      [](auto, auto y) { return y; });
}

Var log(const Var& x) {
  return function(
      x, [](Index n, const auto* in, auto* out) { kernels::log(n, in, out); },
      [](auto in, auto) { return 1 / in; });
}

Var sqrt(const Var& x) {
  return function(
      x, [](Index n, const auto* in, auto* out) { kernels::sqrt(n, in, out); },
      [](auto, auto y) { return decltype(y)(0.5) / y; });
}

Var activate(const Var& x, Activation activation) {
  if (activation.kind() == ActivationKind::linear) return x;
  const Index n = x.rank() == 0 ? 1 : x.shape()[-1];
  const Index rows = n == 0 ? 0 : x.elements() / n;
  Var out = x.tape().result(x.shape(), {x});
  out.set_time_first(x.time_first());
  with_float(x.dtype(), [&]<class T>() {
    kernels::activate(activation, rows, n, x.data<T>(), out.data<T>());
  });
  x.tape().record(out, [x, out, activation, rows, n] {
    with_float(out.dtype(), [&]<class T>() {
      kernels::activate_backward(activation, rows, n, x.data<T>(), out.data<T>(), out.gradient<T>(),
                                 x.gradient<T>());
    });
  });
  return out;
}

Var tanh(const Var& x) { return activate(x, "tanh"); }
Var sigmoid(const Var& x) { return activate(x, "sigmoid"); }
Var relu(const Var& x) { return activate(x, "relu"); }
Var softmax(const Var& x) { return activate(x, "softmax"); }

Var where(const Var& condition, const Var& a, const Var& b) {
  if (condition.dtype() != DType::uint8) {
    throw Error(ErrorKind::value, "where wants a condition of uint8",
                {.got = std::string(to_string(condition.dtype()))});
  }
  Tape& tape = a.tape();
  const Shape shape = broadcast(broadcast(a.shape(), b.shape()), condition.shape());
  Var out = tape.result(shape, {a, b});
  out.set_time_first(a.time_first() || b.time_first());
  const Broadcast chosen(shape, condition.shape()), from_a(shape, a.shape()),
      from_b(shape, b.shape());
  const auto pick = [=](Index i) {
    return condition.data<std::uint8_t>()[chosen.second_offset(i)] != 0;
  };
  with_float(a.dtype(), [&]<class T>() {
    for (Index i = 0; i < out.elements(); ++i) {
      out.data<T>()[i] =
          pick(i) ? a.data<T>()[from_a.second_offset(i)] : b.data<T>()[from_b.second_offset(i)];
    }
  });
  tape.record(out, [=] {
    with_float(out.dtype(), [&]<class T>() {
      const T* dy = out.gradient<T>();
      for (Index i = 0; i < out.elements(); ++i) {
        const bool first = pick(i);
        const Var& source = first ? a : b;
        const Broadcast& from = first ? from_a : from_b;
        if (source.needs_gradient()) source.gradient<T>()[from.second_offset(i)] += dy[i];
      }
    });
  });
  return out;
}

Var dropout(const Var& x, double rate, std::uint64_t seed, std::uint64_t stream) {
  if (!(rate >= 0 && rate < 1)) {
    throw Error(ErrorKind::value, "dropout: rate is not a probability below 1",
                {.got = std::to_string(rate), .want = "0 <= rate < 1"});
  }
  if (rate == 0) return x;
  const base::Random random(seed, stream);
  Var scale = x.tape().result(x.shape(), x.dtype(), false);
  with_float(x.dtype(), [&]<class T>() {
    const T keep = static_cast<T>(1 / (1 - rate));
    for (Index i = 0; i < x.elements(); ++i) {
      scale.data<T>()[i] = random.uniform(static_cast<std::uint64_t>(i)) < rate ? T{0} : keep;
    }
  });
  return x * scale;
}

}  // namespace unroll
