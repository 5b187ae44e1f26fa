// The other side of bench/product.cpp: OpenBLAS (OPENBLAS_NUM_THREADS or OMP_NUM_THREADS=1).
//
//   build/bench/openblas M N K [check]
#include <cblas.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "bench/side.h"

int main(int count, char** arguments) {
  using namespace unroll;
  if (count < 4) {
    std::cerr << "openblas: M N K [check]\n";
    return 2;
  }
  const int M = std::atoi(arguments[1]), N = std::atoi(arguments[2]), K = std::atoi(arguments[3]);
  const std::vector<float> A = bench::weight(long{M} * K, 0), B = bench::weight(long{K} * N, 1);
  std::vector<float> C(static_cast<std::size_t>(M) * static_cast<std::size_t>(N));
  const auto multiply = [&] {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, N, K, 1.0f, A.data(), K, B.data(), N,
                0.0f, C.data(), N);
  };
  if (count > 4) {
    multiply();
    bench::print_values({C.begin(), C.begin() + std::min(long{M} * N, 1000L)});
    return 0;
  }
  const long rounds = std::max(1L, 1'000'000 / (long{M} * N * K));
  return bench::answer([&] {
    const auto start = bench::Clock::now();
    for (long i = 0; i < rounds; ++i) multiply();
    return bench::seconds_since(start) / static_cast<double>(rounds);
  });
}
