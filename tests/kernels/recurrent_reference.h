// The slow twin of src/kernels/recurrent.h: one row at a time, plain loops, Keras's formulas.
#pragma once

#include <cmath>
#include <vector>

#include "src/kernels/hard_sigmoid.h"
#include "src/kernels/recurrent.h"

namespace unroll::kernels {

template <class T>
using Numbers = std::vector<T>;

template <class T>
T activated(Activation activation, T v) {
  switch (activation.kind()) {
    case ActivationKind::relu:
      return v > 0 ? v : T{0};
    case ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-v));
    case ActivationKind::tanh:
      return std::tanh(v);
    case ActivationKind::hard_sigmoid:
      return v <= -3 ? T{0} : v >= 3 ? T{1} : (v + 3) / 6;
    default:
      return v;
  }
}
/// The derivative, from the output y.
template <class T>
T derivative(Activation activation, T y) {
  switch (activation.kind()) {
    case ActivationKind::relu:
      return y > 0 ? T{1} : T{0};
    case ActivationKind::sigmoid:
      return y * (1 - y);
    case ActivationKind::tanh:
      return 1 - y * y;
    case ActivationKind::hard_sigmoid:
      return y > 0 && y < 1 ? static_cast<T>(kernels::hard_sigmoid_slope) : T{0};
    default:
      return 1;
  }
}

/// Weights in Keras's layouts; also their gradients. bias is empty where there is none.
template <class T>
struct RecurrentWeights {
  Numbers<T> kernel, recurrent_kernel, bias;
};

/// One row's walk through time: all steps forward, then all back.
template <class T>
class RecurrentReference {
 public:
  RecurrentReference(const RecurrentShape& shape, const RecurrentWeights<T>& weights)
      : s_(shape), w_(weights), F_(shape.features), U_(shape.units), G_(gates(shape.cell)) {}

  /// One step of one row: h and c become the new state.
  void forward(const T* x, Numbers<T>& h, Numbers<T>& c) {
    Step step{x, h, c, {}, {}, {}, {}};
    const Index GU = G_ * U_;
    step.gates.assign(size(GU), 0);
    step.inner.assign(size(U_), 0);
    for (Index g = 0; g < G_; ++g) {
      const bool candidate = g == 2 && is_gru();
      for (Index u = 0; u < U_; ++u) {
        T sum = bias(0, g, u), inner = 0;
        for (Index f = 0; f < F_; ++f) sum += x[f] * at(w_.kernel, f * GU + g * U_ + u);
        if (candidate && s_.cell == CellKind::gru_reset_after) inner = bias(1, g, u);
        if (!candidate && s_.cell == CellKind::gru_reset_after) sum += bias(1, g, u);
        for (Index k = 0; k < U_; ++k) {
          const T r = candidate && s_.cell == CellKind::gru ? at(step.gates, U_ + k) : T{1};
          inner += r * at(h, k) * at(w_.recurrent_kernel, k * GU + g * U_ + u);
        }
        at(step.inner, u) = inner;
        const bool scaled = candidate && s_.cell == CellKind::gru_reset_after;
        sum += scaled ? at(step.gates, U_ + u) * inner : inner;
        at(step.gates, g * U_ + u) = activated(activation_of(g), sum);
      }
    }
    for (Index u = 0; u < U_; ++u) new_state(step, u, at(h, u), at(c, u));
    step.c_new = c;
    step.h_new = h;
    steps_.push_back(step);
  }

  /// Back through the last step that is left: dh and dc become the gradients of the state before.
  void backward(Numbers<T>& dh, Numbers<T>& dc, T* dx, RecurrentWeights<T>& d) {
    const Step step = steps_.back();
    steps_.pop_back();
    const Index GU = G_ * U_;
    Numbers<T> pre(size(GU)), dh_old(size(U_)), d_inner(size(U_));
    for (Index u = 0; u < U_; ++u) gate_gradients(step, u, at(dh, u), at(dc, u), pre, dh_old);
    for (Index i = 0; i < GU; ++i) {
      const Index g = i / U_;
      if (is_gru() && g == 1) continue;  // r's gradient needs the candidate's first
      at(pre, i) *= derivative(activation_of(g), at(step.gates, i));
    }
    if (is_gru()) reset_gradients(step, pre, d_inner, dh_old);
    for (Index g = 0; g < G_; ++g) {
      const bool candidate = g == 2 && is_gru();
      for (Index u = 0; u < U_; ++u) {
        const Index column = g * U_ + u;
        const T dz = at(pre, column);
        const T recurrent = candidate ? at(d_inner, u) : dz;
        add_bias(d, g, u, dz, recurrent);
        for (Index f = 0; f < F_; ++f) {
          at(d.kernel, f * GU + column) += step.x[f] * dz;
          if (dx) dx[f] += dz * at(w_.kernel, f * GU + column);
        }
        for (Index k = 0; k < U_; ++k) {
          const bool reset = candidate && s_.cell == CellKind::gru;
          const T read = at(step.h, k) * (reset ? at(step.gates, U_ + k) : T{1});
          at(d.recurrent_kernel, k * GU + column) += read * recurrent;
          if (!reset) at(dh_old, k) += recurrent * at(w_.recurrent_kernel, k * GU + column);
        }
      }
    }
    dh = dh_old;
  }

 private:
  struct Step {
    const T* x;
    Numbers<T> h, c;          // read
    Numbers<T> gates, inner;  // inner: the candidate's recurrent part, before r
    Numbers<T> h_new, c_new;
  };

  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }
  static T& at(Numbers<T>& v, Index i) { return v[size(i)]; }
  static T at(const Numbers<T>& v, Index i) { return v[size(i)]; }
  bool is_gru() const { return s_.cell == CellKind::gru || s_.cell == CellKind::gru_reset_after; }
  T bias(Index row, Index g, Index u) const {
    return w_.bias.empty() ? T{0} : at(w_.bias, (row * G_ + g) * U_ + u);
  }
  Activation activation_of(Index g) const {
    const bool own = s_.cell == CellKind::simple_rnn || g == 2;
    return own ? s_.activation : s_.recurrent_activation;
  }

  void new_state(const Step& step, Index u, T& h, T& c) const {
    const auto gate = [&](Index g) { return at(step.gates, g * U_ + u); };
    if (s_.cell == CellKind::simple_rnn) {
      h = gate(0);
    } else if (is_gru()) {
      h = gate(0) * h + (1 - gate(0)) * gate(2);
    } else {
      c = gate(1) * c + gate(0) * gate(2);
      h = gate(3) * activated(s_.activation, c);
    }
  }

  // Gradients of the gates themselves; dc becomes that of the c before.
  void gate_gradients(const Step& step, Index u, T dh, T& dc, Numbers<T>& pre,
                      Numbers<T>& dh_old) const {
    const auto gate = [&](Index g) { return at(step.gates, g * U_ + u); };
    const auto d = [&](Index g) -> T& { return at(pre, g * U_ + u); };
    if (s_.cell == CellKind::simple_rnn) {
      d(0) = dh;
    } else if (is_gru()) {
      d(0) = dh * (at(step.h, u) - gate(2));
      d(2) = dh * (1 - gate(0));
      at(dh_old, u) = dh * gate(0);
    } else {
      const T out = activated(s_.activation, at(step.c_new, u));
      const T all = dc + dh * gate(3) * derivative(s_.activation, out);
      d(0) = all * gate(2);
      d(1) = all * at(step.c, u);
      d(2) = all * gate(0);
      d(3) = dh * out;
      dc = all * gate(1);
    }
  }

  void reset_gradients(const Step& step, Numbers<T>& pre, Numbers<T>& d_inner,
                       Numbers<T>& dh_old) const {
    const Index GU = G_ * U_;
    for (Index k = 0; k < U_; ++k) {
      const T dc = at(pre, 2 * U_ + k), r = at(step.gates, U_ + k);
      T dr = 0;
      if (s_.cell == CellKind::gru_reset_after) {
        at(d_inner, k) = dc * r;
        dr = dc * at(step.inner, k);
      } else {
        at(d_inner, k) = dc;
        T product = 0;  // gradient of r h
        for (Index u = 0; u < U_; ++u) {
          product += at(pre, 2 * U_ + u) * at(w_.recurrent_kernel, k * GU + 2 * U_ + u);
        }
        dr = product * at(step.h, k);
        at(dh_old, k) += product * r;
      }
      at(pre, U_ + k) = dr * derivative(s_.recurrent_activation, r);
    }
  }

  void add_bias(RecurrentWeights<T>& d, Index g, Index u, T input, T recurrent) const {
    if (d.bias.empty()) return;
    at(d.bias, g * U_ + u) += input;
    if (s_.cell == CellKind::gru_reset_after) at(d.bias, (G_ + g) * U_ + u) += recurrent;
  }

  const RecurrentShape s_;
  const RecurrentWeights<T>& w_;
  const Index F_, U_, G_;
  std::vector<Step> steps_;
};

}  // namespace unroll::kernels
