// The bare linear recurrence h_t = a_t h_{t-1} + b_t of 256 numbers, on one thread, timed on
// request (bench/side.h).
//
//   build/bench/scan T forward|backward
#include "src/kernels/scan.h"

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bench/side.h"

int main(int count, char** arguments) {
  using namespace unroll;
  const std::string way = count > 2 ? arguments[2] : "";
  const Index T = count > 1 ? std::atol(arguments[1]) : 0, n = 256;
  if (T < 1 || (way != "forward" && way != "backward")) {
    std::cerr << "scan: T forward|backward\n";
    return 2;
  }
  const std::vector<float> a = bench::numbers(T * n, 1), b = bench::numbers(T * n, 2);
  std::vector<float> h(a.size()), da(a.size()), db(a.size()), carry(static_cast<std::size_t>(n));
  kernels::linear_scan<float>(T, n, a.data(), b.data(), nullptr, h.data());
  const auto once = [&] {
    const auto start = bench::Clock::now();
    if (way == "forward") {
      kernels::linear_scan<float>(T, n, a.data(), b.data(), nullptr, h.data());
    } else {
      std::fill(carry.begin(), carry.end(), 0.0f);
      kernels::linear_scan_backward<float>(T, n, a.data(), nullptr, h.data(), b.data(),
                                           carry.data(), da.data(), db.data());
    }
    return bench::seconds_since(start);
  };
  bench::warm_up(once);
  return bench::answer(once, ", \"numbers\": " + std::to_string(T * n));
}
