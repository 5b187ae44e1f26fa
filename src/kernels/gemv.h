// One row times packed weights: what a model that takes one time step at a time computes with.
//
// Letters: K terms, N results. y (N) = bias + a (K) W (K, N), or the sum of two such products.
//
// Every weight is used once, so the time is that of reading them. They are packed into panels of
// eight vectors of columns, k-major: a panel is one contiguous stream, and its sums stay in
// registers. The results differ from those of gemm.h in the last bits, as narrow panels keep
// several sums for one result.
//
// float32, bfloat16: W is used as it is, or rounded to 8 bits of precision (to the nearest, ties to
// even).
// int8: column n of W is a scale times whole numbers from -127 to 127; so is `a`, from -63 to 63,
// whose scale is found anew each time. Products and sums are exact integers: the same on every
// instruction set.
#pragma once

#include <algorithm>
#include <memory>

#include "unroll/index.h"
#include "unroll/weight_type.h"

namespace unroll::kernels {

/// Weights that were packed once and are only read from then on.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// w (K, N) is row-major. Panels of float32 have at most so many vectors; 0: as are quickest.
  PackedMatrix(Index K, Index N, const float* w, WeightType type, Index panel_vectors = 0);

  Index K() const noexcept { return K_; }
  Index N() const noexcept { return N_; }
  WeightType type() const noexcept { return type_; }
  Index panel_vectors() const noexcept { return panel_vectors_; }
  const void* data() const noexcept { return memory_.get(); }
  /// What a product reads.
  Index bytes() const noexcept { return bytes_; }

 private:
  Index K_ = 0, N_ = 0, bytes_ = 0, panel_vectors_ = 0;
  WeightType type_ = WeightType::float32;
  std::shared_ptr<void> memory_;
};

/// Room that y and bias need for N results, in numbers: whole cache lines.
Index gemv_room(Index N);
/// Room for `scratch` below, in numbers.
Index gemv_scratch(const PackedMatrix& w);

/// a (K) of a product.
struct GemvTerm {
  const float* a = nullptr;
  const PackedMatrix* w = nullptr;
};

/// y = bias + a W (+ b V, where `second` has a matrix; of the same N and type). y and bias have
/// gemv_room(N); what is behind their N numbers is not meant.
/// scratch: gemv_scratch of both, one after the other.
void gemv(const GemvTerm& first, const GemvTerm& second, const float* bias, float* scratch,
          float* y);

/// Columns of a vector, on the instruction set that is used.
Index gemv_vector();

/// Panels as equal as can be, of up to `most` units each: f(unit, units). Backwards: from the last.
template <class F>
void for_panels(Index units, Index most, bool backwards, F f) {
  if (units <= most) return f(Index{0}, units);
  const Index panels = (units + most - 1) / most, some = units / panels, more = units % panels;
  for (Index i = 0; i < panels; ++i) {
    const Index at = backwards ? panels - 1 - i : i;
    f(at * some + std::min(at, more), some + (at < more ? 1 : 0));
  }
}

// --- of gemv_int8.cpp, for gemv.cpp ---
Index int8_bytes(Index K, Index N);
void pack_int8(Index K, Index N, const float* w, void* packed);

}  // namespace unroll::kernels
