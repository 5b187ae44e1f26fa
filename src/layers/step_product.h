// Products of a walk whose steps are taken one by one: each step multiplies by packed weights, and
// the weights' gradient comes home as one product over all steps.
#pragma once

#include <initializer_list>

#include "src/layers/packed.h"
#include "unroll/layer.h"

namespace unroll {

/// A kernel (features, units) and its packed copies, forward and transposed.
class PackedKernel {
 public:
  PackedKernel() = default;
  /// `bias` may be null; `bias_row` is the row of a bias (rows, units).
  PackedKernel(const Parameter* kernel, const Parameter* bias, Index bias_row = 0)
      : kernel_(kernel), bias_(bias), bias_row_(bias_row) {}
  /// A kernel that is the transpose of a table (units, features).
  static PackedKernel of_table(const Parameter* table, const Parameter* bias) {
    PackedKernel kernel(table, bias);
    kernel.is_table_ = true;
    return kernel;
  }

  void prepare(DType dtype, bool training);
  const Parameter& kernel() const noexcept { return *kernel_; }
  const Parameter* bias() const noexcept { return bias_; }
  Index bias_row() const noexcept { return bias_row_; }
  bool is_table() const noexcept { return is_table_; }
  Index features() const { return kernel_->shape()[is_table_ ? 1 : 0]; }
  Index units() const { return kernel_->shape()[is_table_ ? 0 : 1]; }
  template <class T>
  const T* forward() const noexcept {
    return packed_.data<T>();
  }
  template <class T>
  const T* transposed() const;

 private:
  const Parameter* kernel_ = nullptr;
  const Parameter* bias_ = nullptr;
  Index bias_row_ = 0;
  bool is_table_ = false;
  PackedCopy packed_;
};

/// y = [parts side by side] kernel + bias, for some rows after others. Lives as long as the call;
/// what it records does not need it.
class StepProduct {
 public:
  /// Room for `rows` rows in all. Requires: the kernel is prepared.
  StepProduct(Call& call, const PackedKernel& kernel, Index rows);

  /// The product of the next rows; each part is (rows, its features).
  Var add(std::initializer_list<Var> parts);

 private:
  Tape& tape_;
  const PackedKernel& kernel_;
  Index features_, units_, used_ = 0;
  bool needs_ = false;
  std::byte *x_ = nullptr, *y_ = nullptr, *dy_ = nullptr;
  const std::byte* bias_ = nullptr;
};

/// All rows of x (..., features) times a kernel. With `which`, only those `count` rows of x are
/// computed, and the others are zeros.
Var packed_product(Call& call, const PackedKernel& kernel, const Var& x,
                   const Index* which = nullptr, Index count = 0);

/// The rows of a sequence that a mask keeps, by their place in memory, into the tape's arena. Null
/// where all are kept.
struct KeptRows {
  const Index* which = nullptr;
  Index count = 0;
};
KeptRows kept_rows_of(Call& call, const Mask& mask, bool time_first);

}  // namespace unroll
