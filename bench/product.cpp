// One matrix product (M, K) x (K, N) on one thread, timed on request (bench/side.h).
//
//   build/bench/product M N K [check]
//
// B is packed once, outside the times, as a layer packs its weights once an update.
#include <cstdlib>
#include <iostream>
#include <vector>

#include "bench/side.h"
#include "src/base/aligned.h"
#include "src/kernels/gemm.h"

int main(int count, char** arguments) {
  using namespace unroll;
  if (count < 4) {
    std::cerr << "product: M N K [check]\n";
    return 2;
  }
  const Index M = std::atol(arguments[1]), N = std::atol(arguments[2]), K = std::atol(arguments[3]);
  const std::vector<float> A = bench::weight(M * K, 0), B = bench::weight(K * N, 1);
  std::vector<float> C(static_cast<std::size_t>(M * N));
  const auto memory = base::aligned_bytes(kernels::packed_size<float>(K, N) * 4);
  auto* packed = static_cast<float*>(memory.get());
  kernels::pack(K, N, B.data(), N, false, packed);
  const auto multiply = [&] { kernels::gemm(M, N, K, A.data(), K, packed, C.data(), N); };
  if (count > 4) {
    multiply();
    bench::print_values({C.begin(), C.begin() + std::min<Index>(M * N, 1000)});
    return 0;
  }
  const auto rounds = std::max<Index>(1, 1'000'000 / (M * N * K));
  return bench::answer([&] {
    const auto start = bench::Clock::now();
    for (Index i = 0; i < rounds; ++i) multiply();
    return bench::seconds_since(start) / static_cast<double>(rounds);
  });
}
