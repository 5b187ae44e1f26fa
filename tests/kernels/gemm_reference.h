// The slow twin of src/kernels/gemm.h: the same products as plain loops.
#pragma once

#include <cmath>

#include "src/kernels/gemm.h"
#include "src/kernels/vector.h"

namespace unroll::kernels {

/// C = activation(A B + bias + [C]), B (K, N) row-major; starts from C and bias, k ascending,
/// fused.
template <class T>
void gemm_reference(Index M, Index N, Index K, const T* A, Index lda, const T* B, Index ldb, T* C,
                    Index ldc, const Epilogue<T>& epilogue = {}) {
  for (Index m = 0; m < M; ++m) {
    for (Index n = 0; n < N; ++n) {
      T sum = epilogue.bias ? epilogue.bias[n] : T{0};
      if (epilogue.accumulate) sum += C[m * ldc + n];
      for (Index k = 0; k < K; ++k) sum = std::fma(A[m * lda + k], B[k * ldb + n], sum);
      activate(epilogue.activation, 1, 1, &sum, &C[m * ldc + n]);
    }
  }
}

/// C (K, N) += A^T D, m ascending, fused.
template <class T>
void gemm_transposed_a_reference(Index M, Index N, Index K, const T* A, Index lda, const T* D,
                                 Index ldd, T* C, Index ldc) {
  for (Index k = 0; k < K; ++k) {
    for (Index n = 0; n < N; ++n) {
      for (Index m = 0; m < M; ++m) {
        C[k * ldc + n] = std::fma(A[m * lda + k], D[m * ldd + n], C[k * ldc + n]);
      }
    }
  }
}

}  // namespace unroll::kernels
