// Matrix products.
//
// Letters: C (M, N) = A (M, K) times B (K, N), all row-major; ld is the distance between rows.
// Every element of C has one accumulator, its terms are added in ascending k, always fused: an
// element has the same bits whatever else is computed with it. That is what makes a lane's rows
// independent of the lane they are in, and results independent of the number of threads.
//
// B is packed first, into panels of a few columns, k-major, so that the inner loop reads one
// contiguous stream. Weights are packed once an update and used for every step. What is packed fits
// the instruction set of this processor: it is no format to be stored.
#pragma once

#include "unroll/activation.h"
#include "unroll/index.h"

namespace unroll::base {
class Workers;
}

namespace unroll::kernels {

/// Numbers that packed() needs for a (K, N) matrix.
template <class T>
Index packed_size(Index K, Index N);

/// Packs B (K, N). If `transposed`, b is (N, K) row-major and its transpose is packed.
template <class T>
void pack(Index K, Index N, const T* b, Index ldb, bool transposed, T* packed);

/// What happens to a product before it is stored:
/// C = activation(product + bias + (accumulate ? C : 0)). The accumulators start from C and bias.
template <class T>
struct Epilogue {
  const T* bias = nullptr;  // (N), or none
  bool accumulate = false;
  Activation activation = {};  // any element-wise one
};

/// C = A B with B packed. A and C must not overlap. A team shares the rows.
template <class T>
void gemm(Index M, Index N, Index K, const T* A, Index lda, const T* packed_B, T* C, Index ldc,
          const Epilogue<T>& epilogue = {}, base::Workers* team = nullptr);

/// C (K, N) += A^T D, where A is (M, K) and D is (M, N): the gradient of a weight. Terms are added
/// in ascending row m, in chunks that depend on the sizes only. `D` and `A` are read as they lie. A
/// team shares the rows of C.
template <class T>
void gemm_transposed_a(Index M, Index N, Index K, const T* A, Index lda, const T* D, Index ldd,
                       T* C, Index ldc, base::Workers* team = nullptr);

/// sums (N) += the sum of the M rows of D, in ascending order: the gradient of a bias.
template <class T>
void add_rows(Index M, Index N, const T* D, Index ldd, T* sums);

}  // namespace unroll::kernels
