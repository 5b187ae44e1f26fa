// Cells that the kernels can run over a whole sequence at once.
#pragma once

#include "src/kernels/recurrent.h"
#include "unroll/recurrent.h"

namespace unroll {

/// A built-in cell: `step` in ordinary operations is what it means; the kernels are how it runs.
/// A law test holds both to the same values and gradients.
class FusedCell : public CellImpl {
 public:
  /// Sizes without time and rows, which the caller fills in.
  virtual kernels::RecurrentShape kernel_shape() const = 0;

  struct Weights {
    const Parameter* kernel = nullptr;
    const Parameter* recurrent_kernel = nullptr;
    const Parameter* bias = nullptr;  // null without use_bias
  };
  virtual Weights weights() const = 0;

  /// Whether a step is combine() of two products: a = x W + b, and u = h R, with the recurrent bias
  /// where there is one (GRU: row 1 of the bias).
  virtual bool separable() const noexcept { return true; }
  virtual Step combine(const Var& a, const Var& u, const Vars& states) const = 0;

  virtual double dropout() const = 0;
  virtual double recurrent_dropout() const = 0;
  virtual Index seed() const = 0;
};

/// The dropout of a cell: which features of a row are dropped, the same at every step.
/// Shape (rows, features); 1 / (1 - rate) or 0. `recurrent` draws another set for the state; `seed`
/// is of a layer of its own, or -1.
Var cell_dropout(Call& call, const Component& cell, const Var& like, Index features, double rate,
                 Index seed, bool recurrent);

}  // namespace unroll
