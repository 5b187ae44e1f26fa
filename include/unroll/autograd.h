// Autograd: numbers with a past.
//
//   Tape tape;
//   Var w = tape.variable(weights);                      // (features, units)
//   Var h = tanh(matmul(tape.constant(x), w));
//   tape.backward(sum(h * h));
//   Tensor dw = tape.gradient(w);
//
// A Tape records what is done to its Vars, in order; backward() walks that record once from its
// end. No sorting, no graph: order of creation is enough. An entry may have many inputs and outputs
// and may be as large as a whole LSTM over a sequence.
//
// Gradients are added in place: an operation adds to the gradient of its inputs and never returns
// one. Numbers, gradients and records live in the tape's arena until clear(); a step that has been
// done once allocates nothing when it is done again.
//
// A Tape that does not record keeps values only: inference. There is no global switch.
// The numbers are float32, or float64 for checks; one written operation serves both.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <vector>

#include "unroll/activation.h"
#include "unroll/arena.h"
#include "unroll/inline_vector.h"
#include "unroll/slice.h"
#include "unroll/tensor.h"

namespace unroll::base {
class Workers;
}

namespace unroll {

class Tape;

/// A value on a tape. A small handle: copy it freely. Valid until the tape is cleared.
class Var {
 public:
  Var() = default;

  explicit operator bool() const noexcept { return node_ != nullptr; }
  const Shape& shape() const noexcept { return node_->shape; }
  int rank() const noexcept { return node_->shape.rank(); }
  Index elements() const noexcept { return node_->elements; }
  DType dtype() const noexcept { return node_->dtype; }
  Tape& tape() const noexcept { return *tape_; }

  /// The numbers. Requires: T is what dtype() says.
  template <class T>
  T* data() const noexcept {
    return static_cast<T*>(node_->value);
  }
  /// A copy of the numbers.
  Tensor tensor() const;

  /// Whether backward() computes a gradient for this value.
  bool needs_gradient() const noexcept { return node_->needs_gradient; }
  /// Whether a gradient has reached this value.
  bool has_gradient() const noexcept { return node_->gradient != nullptr; }
  /// The gradient to add to; zeros when first asked for. Requires: needs_gradient().
  template <class T>
  T* gradient() const {
    if (node_->gradient == nullptr) take_gradient();
    return static_cast<T*>(node_->gradient);
  }

  /// Whether the numbers lie time first, (time, batch, ...), though their meaning is
  /// (batch, time, ...). Layers that walk through time want and give this order.
  bool time_first() const noexcept { return node_->time_first; }
  Var& set_time_first(bool value) noexcept {
    node_->time_first = value;
    return *this;
  }

  /// A part: z[{all, range(0, 50)}]; see unroll/slice.h.
  Var operator[](std::initializer_list<Pick> picks) const;

 private:
  friend class Tape;
  struct Node {
    void* value = nullptr;
    void* gradient = nullptr;
    Shape shape;
    Index elements = 0;
    DType dtype = DType::float32;
    bool needs_gradient = false;
    bool time_first = false;
  };
  Var(Tape* tape, Node* node) : tape_(tape), node_(node) {}
  void take_gradient() const;

  Tape* tape_ = nullptr;
  Node* node_ = nullptr;
};

/// A short list of Vars.
using Vars = base::InlineVector<Var, 6>;

/// The record of what is done. Threads: one at a time; lanes have one each.
class Tape {
 public:
  explicit Tape(DType dtype = DType::float32, bool recording = true)
      : dtype_(dtype), recording_(recording) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  DType dtype() const noexcept { return dtype_; }
  bool recording() const noexcept { return recording_; }
  void set_recording(bool recording) noexcept { recording_ = recording; }
  base::Arena& arena() noexcept { return arena_; }
  /// Threads that may share a large product of this tape; null: this thread alone.
  base::Workers* team() const noexcept { return team_; }
  void set_team(base::Workers* team) noexcept { team_ = team; }

  // --- values that come from outside ---
  /// The numbers of a tensor, not copied but kept alive until clear(). Floating-point numbers of
  /// another precision are converted (a copy).
  Var constant(const Tensor& tensor);
  /// The same with a gradient.
  Var variable(const Tensor& tensor);
  /// Numbers and a gradient that the caller owns. `gradient` null: no gradient.
  Var leaf(const Shape& shape, DType dtype, void* value, void* gradient);

  // --- for whoever writes an operation ---
  /// Room for a result, not initialised. It needs a gradient if the tape records and an input does.
  Var result(const Shape& shape, std::initializer_list<Var> inputs);
  Var result(const Shape& shape, std::span<const Var> inputs);
  Var result(const Shape& shape, DType dtype, bool needs_gradient);
  /// Another shape for the same numbers and the same gradient.
  Var alias(const Var& x, const Shape& shape);
  /// `part` of the numbers of x, with a gradient of its own, which the caller's record carries on
  /// to x.
  Var view(const Var& part, const Var& x);

  /// Keeps f for backward(), where it is called unless no gradient has reached `output`.
  template <class F>
  void record(const Var& output, F f) {
    if (output.needs_gradient()) push(output, f);
  }
  /// The same for an entry with several outputs: called whenever backward() passes.
  template <class F>
  void record_always(F f) {
    push(Var(), f);
  }

  // --- and back ---
  /// Gradients of `loss`, one number, with respect to everything it came from. Throws: Error
  /// (shape).
  void backward(const Var& loss);
  /// The same where the gradients of the outputs have been filled in already.
  void backward();
  /// The gradient of a value after backward(); zeros if none reached it.
  Tensor gradient(const Var& x) const;

  /// Forgets everything; memory is kept for the next step.
  void clear();
  /// Entries recorded since clear().
  Index entries() const noexcept { return entries_; }

 private:
  struct Entry {
    void (*run)(void* what);
    void* what;
    Var output;
    Entry* before;
  };

  template <class F>
  void push(const Var& output, const F& f) {
    static_assert(std::is_trivially_destructible_v<F>,
                  "a record may hold Vars and plain values only");
    if (!recording_) return;
    F* kept = new (arena_.take_small<F>()) F(f);
    last_ = new (arena_.take_small<Entry>())
        Entry{[](void* what) { (*static_cast<F*>(what))(); }, kept, output, last_};
    ++entries_;
  }

  DType dtype_;
  bool recording_;
  base::Workers* team_ = nullptr;
  base::Arena arena_;
  std::vector<Tensor> kept_;  // handles of what constants point to
  Entry* last_ = nullptr;
  Index entries_ = 0;
};

// --- element by element, shapes broadcast as in numpy ---
Var operator+(const Var& a, const Var& b);
Var operator-(const Var& a, const Var& b);
Var operator*(const Var& a, const Var& b);
Var operator/(const Var& a, const Var& b);
Var operator+(const Var& a, double b);
Var operator-(const Var& a, double b);
Var operator*(const Var& a, double b);
Var operator/(const Var& a, double b);
Var operator+(double a, const Var& b);
Var operator-(double a, const Var& b);
Var operator*(double a, const Var& b);
Var operator/(double a, const Var& b);
Var operator-(const Var& a);

Var exp(const Var& x);
Var log(const Var& x);
Var sqrt(const Var& x);
Var tanh(const Var& x);
Var sigmoid(const Var& x);
Var relu(const Var& x);
/// Any activation by name; softmax and its kin work along the last axis.
Var activate(const Var& x, Activation activation);
/// Along the last axis.
Var softmax(const Var& x);

/// condition (uint8, broadcast) picks from a where it is not 0, else from b.
Var where(const Var& condition, const Var& a, const Var& b);
/// Zeroes each element with probability `rate` and scales the others by 1 / (1 - rate). Which ones
/// is a function of (seed, stream) and the element's position. Throws: Error (value) unless 0 <=
/// rate < 1.
Var dropout(const Var& x, double rate, std::uint64_t seed, std::uint64_t stream = 0);

// --- products ---
/// a (..., K) times b (K, N), or batched: a (..., M, K) times b (..., K, N) with equal leading
/// axes. Throws: Error (shape).
Var matmul(const Var& a, const Var& b);

// --- shapes ---
Var reshape(const Var& x, const Shape& shape);
/// Axes in another order: result axis i is axis order[i] of x.
Var transpose(const Var& x, std::initializer_list<int> order);
/// The positions of an axis in the opposite order.
Var reverse(const Var& x, int axis);
/// The first two axes exchanged.
Var swap_first_axes(const Var& x);
Var concat(std::span<const Var> parts, int axis);
Var stack(std::span<const Var> parts, int axis);
Var concat(std::initializer_list<Var> parts, int axis);
Var stack(std::initializer_list<Var> parts, int axis);
/// The part of x that a list of picks takes.
Var slice(const Var& x, std::span<const Pick> picks);
/// Rows of a table: table (V, ...), ids int32 of any shape; result ids.shape + (...).
/// Throws: Error (value) for an id outside the table.
Var gather(const Var& table, const Var& ids);

// --- along an axis, or (no axis) over everything ---
Var sum(const Var& x);
Var sum(const Var& x, int axis, bool keep_axis = false);
Var mean(const Var& x);
Var mean(const Var& x, int axis, bool keep_axis = false);
/// The gradient goes to the largest; ties share it equally, as in Keras.
Var max(const Var& x, int axis, bool keep_axis = false);

}  // namespace unroll
