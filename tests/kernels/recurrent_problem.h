// A recurrent layer with everything that goes in, run through the kernels and through their twin.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "src/base/aligned.h"
#include "src/base/random.h"
#include "src/base/threads.h"
#include "tests/kernels/recurrent_reference.h"

namespace unroll::kernels {

enum class Masking { none, left, right, holes, rows };  // rows: whole rows, and a whole step

struct ProblemOptions {
  Masking masking = Masking::none;
  bool zero_output_for_mask = false;
  bool initial_state = true;
  bool bias = true;
  bool backwards = false;  // through time, by negative strides
  bool sequence = true;    // y and dy
};

template <class T>
struct Outputs {
  Numbers<T> y, h_last, c_last, last;
};
template <class T>
struct Gradients {
  Numbers<T> dx, dh0, dc0;
  RecurrentWeights<T> weights;
};

/// Calls f(name, member of a, member of b).
template <class T, class S, class F>
void for_each_result(const Outputs<T>& a, const Outputs<S>& b, F f) {
  f("y", a.y, b.y);
  f("h_last", a.h_last, b.h_last);
  f("c_last", a.c_last, b.c_last);
  f("last", a.last, b.last);
}
template <class T, class S, class F>
void for_each_result(const Gradients<T>& a, const Gradients<S>& b, F f) {
  f("dx", a.dx, b.dx);
  f("dh0", a.dh0, b.dh0);
  f("dc0", a.dc0, b.dc0);
  f("dkernel", a.weights.kernel, b.weights.kernel);
  f("drecurrent_kernel", a.weights.recurrent_kernel, b.weights.recurrent_kernel);
  f("dbias", a.weights.bias, b.weights.bias);
}

/// Memory as an arena gives it: aligned, and full of NaN, so that a number that is used before it
/// is written shows. Its end is guarded.
template <class T>
class Buffer {
 public:
  explicit Buffer(Index count)
      : count_(count),
        memory_(base::aligned_bytes((count + guards) * static_cast<Index>(sizeof(T)))) {
    std::fill_n(data(), count_, std::numeric_limits<T>::quiet_NaN());
    std::fill_n(data() + count_, guards, T{42});
  }
  T* data() const { return static_cast<T*>(memory_.get()); }
  bool guarded() const {
    return std::all_of(data() + count_, data() + count_ + guards, [](T v) { return v == 42; });
  }

 private:
  static constexpr Index guards = 32;
  Index count_;
  std::shared_ptr<void> memory_;
};

template <class T>
class Problem {
 public:
  Problem(const RecurrentShape& s, const ProblemOptions& o) : shape(s), options(o) {
    const Index G = gates(s.cell), U = s.units, B = s.rows;
    const Index bias_rows = s.cell == CellKind::gru_reset_after ? 2 : 1;
    const double scale = 1 / std::sqrt(static_cast<double>(U));
    weights.kernel = numbers(s.features * G * U, scale);
    weights.recurrent_kernel = numbers(U * G * U, scale);
    if (o.bias) weights.bias = numbers(bias_rows * G * U, 0.5);
    x = numbers(s.time * B * s.features, 1);
    if (o.initial_state) {
      h0 = numbers(B * U, 1);
      if (s.cell == CellKind::lstm) c0 = numbers(B * U, 1);
    }
    if (o.sequence) dy = numbers(s.time * B * U, 1);
    dlast = numbers(B * U, 1);
    dh_last = numbers(B * U, 1);
    if (s.cell == CellKind::lstm) dc_last = numbers(B * U, 1);
    make_mask();
  }

  /// The same problem for one of its rows.
  Problem alone(Index row) const {
    Problem one = *this;
    one.shape.rows = 1;
    const Index U = shape.units;
    for (Numbers<T>* v : {&one.h0, &one.c0, &one.dlast, &one.dh_last, &one.dc_last}) {
      *v = rows_of(*v, U, row);
    }
    one.dy = rows_of(dy, U, row);
    one.x = rows_of(x, shape.features, row);
    one.mask = rows_of(mask, 1, row);
    return one;
  }
  /// Of rows of all steps, (.., B, n), those of one row of the batch.
  template <class S>
  std::vector<S> rows_of(const std::vector<S>& v, Index n, Index row) const {
    std::vector<S> picked;
    for (Index i = 0; i < size(v); ++i) {
      if (i / n % shape.rows == row) picked.push_back(v[static_cast<std::size_t>(i)]);
    }
    return picked;
  }

  template <class S>
  Problem<S> as() const;

  Outputs<T> empty_outputs() const {
    const Index BU = shape.rows * shape.units;
    Outputs<T> out;
    if (options.sequence) out.y = zeros(shape.time * BU);
    out.h_last = out.last = zeros(BU);
    if (shape.cell == CellKind::lstm) out.c_last = zeros(BU);
    return out;
  }
  /// Gradients that hold something already: the kernels add.
  Gradients<T> started_gradients() const {
    Gradients<T> d;
    d.weights = weights;
    for (Numbers<T>* v : {&d.weights.kernel, &d.weights.recurrent_kernel, &d.weights.bias}) {
      for (T& number : *v) number *= T{0.25};
    }
    d.dx = zeros(size(x));
    for (std::size_t i = 0; i < x.size(); ++i) d.dx[i] = x[i] / 2;
    if (options.initial_state) d.dh0 = h0;
    if (options.initial_state) d.dc0 = c0;
    return d;
  }

  Index x_step() const { return (options.backwards ? -1 : 1) * shape.rows * shape.features; }
  Index mask_step() const { return (options.backwards ? -1 : 1) * shape.rows; }
  /// Where the first step that is processed lies in something with `step` numbers a step.
  template <class P>
  P begin(P data, Index step) const {
    return options.backwards ? data - step * (shape.time - 1) : data;
  }
  bool kept(Index step, Index row) const {
    return mask.empty() || begin(mask.data(), mask_step())[step * mask_step() + row];
  }

  RecurrentShape shape;
  ProblemOptions options;
  RecurrentWeights<T> weights;
  Numbers<T> x, h0, c0, dy, dlast, dh_last, dc_last;
  std::vector<std::uint8_t> mask;

 private:
  template <class S>
  static Index size(const std::vector<S>& v) {
    return static_cast<Index>(v.size());
  }
  static Numbers<T> zeros(Index n) { return Numbers<T>(static_cast<std::size_t>(n)); }
  Numbers<T> numbers(Index n, double scale) {
    Numbers<T> v = zeros(n);
    for (T& number : v) {
      number = static_cast<T>(static_cast<float>((random_.uniform(at_++) * 2 - 1) * scale));
    }
    return v;
  }
  void make_mask() {
    if (options.masking == Masking::none) return;
    const Index T_ = shape.time, B = shape.rows;
    mask.resize(static_cast<std::size_t>(T_ * B));
    for (Index i = 0; i < T_ * B; ++i) {
      const Index step = i / B, row = i % B;
      const Index length = static_cast<Index>(
          random_.below(T_ + 1, at_ + 1000000 + static_cast<std::uint64_t>(row)));
      bool keep = true;
      if (options.masking == Masking::left) keep = step >= length;
      if (options.masking == Masking::right) keep = step < length;
      if (options.masking == Masking::holes) keep = random_.below(3, at_++) > 0;
      if (options.masking == Masking::rows) keep = row % 2 == 0 && step != T_ / 2;
      mask[static_cast<std::size_t>(i)] = keep;
    }
  }

  base::Random random_{11};
  std::uint64_t at_ = 0;
};

template <class T>
template <class S>
Problem<S> Problem<T>::as() const {
  Problem<S> other(shape, options);  // the same numbers: they are made of floats
  return other;
}

// --- through the kernels ---
template <class T>
class KernelRun {
 public:
  explicit KernelRun(const Problem<T>& problem)
      : p_(problem),
        packed_(recurrent_packed_size<T>(p_.shape)),
        saved_(recurrent_saved_size<T>(p_.shape)) {
    recurrent_pack(p_.shape, p_.weights.kernel.data(), p_.weights.recurrent_kernel.data(),
                   pointer(p_.weights.bias), true, packed_.data());
  }

  Outputs<T> forward(bool training) const {
    Outputs<T> out = p_.empty_outputs();
    const Buffer<T> scratch(recurrent_scratch_size<T>(p_.shape, training));
    RecurrentForward<T> call;
    inputs(call);
    call.y = pointer(out.y);
    call.h_last = pointer(out.h_last);
    call.c_last = pointer(out.c_last);
    call.last = pointer(out.last);
    call.saved = training ? saved_.data() : nullptr;
    call.scratch = scratch.data();
    recurrent_forward(p_.shape, call);
    guarded = guarded && scratch.guarded() && saved_.guarded() && packed_.guarded();
    return out;
  }

  /// Those that `wanted` lacks are not asked for.
  Gradients<T> backward(Gradients<T> wanted) const {
    const Buffer<T> scratch(recurrent_scratch_size<T>(p_.shape, true));
    RecurrentBackward<T> call;
    inputs(call);
    call.saved = saved_.data();
    call.dy = pointer(p_.dy);
    call.dlast = pointer(p_.dlast);
    call.dh_last = pointer(p_.dh_last);
    call.dc_last = pointer(p_.dc_last);
    call.dx = wanted.dx.empty() ? nullptr : p_.begin(wanted.dx.data(), p_.x_step());
    call.dx_step = p_.x_step();
    call.dkernel = pointer(wanted.weights.kernel);
    call.drecurrent_kernel = pointer(wanted.weights.recurrent_kernel);
    call.dbias = pointer(wanted.weights.bias);
    call.dh0 = pointer(wanted.dh0);
    call.dc0 = pointer(wanted.dc0);
    call.scratch = scratch.data();
    recurrent_backward(p_.shape, call);
    guarded = guarded && scratch.guarded() && saved_.guarded();
    return wanted;
  }

  mutable bool guarded = true;  // nothing was written behind a buffer
  base::Workers* team = nullptr;

 private:
  template <class V>
  static auto pointer(V& v) {
    return v.empty() ? nullptr : v.data();
  }
  template <class Call>
  void inputs(Call& call) const {
    call.x = p_.begin(p_.x.data(), p_.x_step());
    call.x_step = p_.x_step();
    if (!p_.mask.empty()) call.mask = p_.begin(p_.mask.data(), p_.mask_step());
    call.mask_step = p_.mask_step();
    call.zero_output_for_mask = p_.options.zero_output_for_mask;
    call.h0 = pointer(p_.h0);
    call.c0 = pointer(p_.c0);
    call.packed = packed_.data();
    call.team = team;
  }

  const Problem<T>& p_;
  const Buffer<T> packed_, saved_;
};

// --- through the twin ---
template <class T>
class ReferenceRun {
 public:
  explicit ReferenceRun(const Problem<T>& problem) : p_(problem) {}

  Outputs<T> forward() {
    out_ = p_.empty_outputs();
    for (Index row = 0; row < p_.shape.rows; ++row) forward(row);
    return out_;
  }
  Gradients<T> backward(Gradients<T> d) {
    for (Index row = 0; row < p_.shape.rows; ++row) backward(row, d);
    return d;
  }

 private:
  static void add(const Numbers<T>& from, Index at, Numbers<T>& to) {
    for (std::size_t u = 0; u < to.size(); ++u) to[u] += from[static_cast<std::size_t>(at) + u];
  }
  void put(const Numbers<T>& from, Index at, Numbers<T>& to) const {
    if (!to.empty()) std::copy(from.begin(), from.end(), to.begin() + at);
  }
  Numbers<T> row_of(const Numbers<T>& v, Index row) const {
    const Index U = p_.shape.units;
    Numbers<T> picked(static_cast<std::size_t>(U));
    if (!v.empty()) std::copy_n(v.begin() + row * U, U, picked.begin());
    return picked;
  }
  const T* x(Index step, Index row) const {
    return p_.begin(p_.x.data(), p_.x_step()) + step * p_.x_step() + row * p_.shape.features;
  }

  void forward(Index row) {
    const Index U = p_.shape.units, B = p_.shape.rows;
    walks_.emplace_back(p_.shape, p_.weights);
    Numbers<T> h = row_of(p_.h0, row), c = row_of(p_.c0, row);
    Numbers<T> output(h.size());
    for (Index step = 0; step < p_.shape.time; ++step) {
      const bool kept = p_.kept(step, row);
      if (kept) {
        walks_.back().forward(x(step, row), h, c);
        output = h;
      }
      const bool zero = !kept && p_.options.zero_output_for_mask;
      const Numbers<T> y = zero ? Numbers<T>(h.size()) : output;
      put(y, (step * B + row) * U, out_.y);
      if (step == p_.shape.time - 1) put(y, row * U, out_.last);
    }
    put(h, row * U, out_.h_last);
    put(c, row * U, out_.c_last);
  }

  // Written from the forward rule: an output that repeats the one before hands its gradient to it.
  void backward(Index row, Gradients<T>& d) {
    const Index U = p_.shape.units, B = p_.shape.rows;
    Numbers<T> dh = row_of(p_.dh_last, row), dc = row_of(p_.dc_last, row);
    Numbers<T> repeated(dh.size());
    for (Index step = p_.shape.time - 1; step >= 0; --step) {
      Numbers<T> dy(dh.size());
      if (!p_.dy.empty()) add(p_.dy, (step * B + row) * U, dy);
      if (step == p_.shape.time - 1) add(p_.dlast, row * U, dy);
      if (!p_.kept(step, row)) {
        if (!p_.options.zero_output_for_mask) add(dy, 0, repeated);
        continue;
      }
      add(dy, 0, dh);
      add(repeated, 0, dh);
      repeated.assign(dh.size(), 0);
      T* dx = d.dx.empty() ? nullptr
                           : p_.begin(d.dx.data(), p_.x_step()) + step * p_.x_step() +
                                 row * p_.shape.features;
      walks_[static_cast<std::size_t>(row)].backward(dh, dc, dx, d.weights);
    }
    for (Index u = 0; u < U; ++u) {
      const auto i = static_cast<std::size_t>(row * U + u), j = static_cast<std::size_t>(u);
      if (!d.dh0.empty()) d.dh0[i] += dh[j];
      if (!d.dc0.empty()) d.dc0[i] += dc[j];
    }
  }

  const Problem<T>& p_;
  Outputs<T> out_;
  std::vector<RecurrentReference<T>> walks_;
};

}  // namespace unroll::kernels
