// The walk of two broadcast operands: runs along the last axes where each moves by one or not at
// all.
#pragma once

#include <array>

#include "unroll/shape.h"

namespace unroll {

/// `count` results from `out` on; operand a starts at `a` and moves by step_a (0 or 1); likewise b.
struct Run {
  Index count, out, a, step_a, b, step_b;
};

/// How two shapes broadcast. A plain value. Throws: Error (shape) where they do not.
class Broadcast {
 public:
  Broadcast(const Shape& a, const Shape& b) : shape_(broadcast(a, b)) {
    const int rank = shape_.rank();
    Index size_a = 1, size_b = 1;
    for (int axis = rank - 1; axis >= 0; --axis) {
      const int in_a = axis - (rank - a.rank()), in_b = axis - (rank - b.rank());
      const Index na = in_a < 0 ? 1 : a[in_a], nb = in_b < 0 ? 1 : b[in_b];
      const auto i = static_cast<std::size_t>(axis);
      strides_a_[i] = na == 1 ? 0 : size_a;
      strides_b_[i] = nb == 1 ? 0 : size_b;
      size_a *= na;
      size_b *= nb;
    }
    // The innermost run grows over axes in which both operands go on as they began.
    run_axis_ = rank;
    for (int axis = rank - 1; axis >= 0; --axis) {
      const auto i = static_cast<std::size_t>(axis);
      if (shape_[axis] != 1 && run_ > 1 &&
          (strides_a_[i] != run_ * step_a_ || strides_b_[i] != run_ * step_b_)) {
        break;
      }
      if (shape_[axis] != 1) {
        if (run_ == 1) {
          step_a_ = strides_a_[i] == 0 ? 0 : 1;
          step_b_ = strides_b_[i] == 0 ? 0 : 1;
        }
        run_ *= shape_[axis];
      }
      run_axis_ = axis;
    }
  }

  const Shape& shape() const noexcept { return shape_; }

  /// Calls f(run) for all runs, in order.
  template <class F>
  void for_each(F f) const {
    const Index total = shape_.elements();
    std::array<Index, Shape::max_rank> at{};
    Index a = 0, b = 0;
    for (Index out = 0; out < total; out += run_) {
      f(Run{run_, out, a, step_a_, b, step_b_});
      for (int axis = run_axis_ - 1; axis >= 0; --axis) {
        const auto i = static_cast<std::size_t>(axis);
        a += strides_a_[i];
        b += strides_b_[i];
        if (++at[i] < shape_[axis]) break;
        a -= strides_a_[i] * at[i];
        b -= strides_b_[i] * at[i];
        at[i] = 0;
      }
    }
  }

  /// Where operand b has the number for result element i.
  Index second_offset(Index i) const {
    Index offset = 0;
    for (int axis = shape_.rank() - 1; axis >= 0; --axis) {
      offset += (i % shape_[axis]) * strides_b_[static_cast<std::size_t>(axis)];
      i /= shape_[axis];
    }
    return offset;
  }

 private:
  Shape shape_;
  std::array<Index, Shape::max_rank> strides_a_{}, strides_b_{};
  Index run_ = 1;
  Index step_a_ = 1, step_b_ = 1;
  int run_axis_ = 0;
};

}  // namespace unroll
