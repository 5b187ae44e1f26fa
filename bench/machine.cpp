// What this processor can do, on request: the other half of every percentage that bench/run prints.
//
//   build/bench/machine fma THREADS         GFLOP/s of multiply-add in float32
//   build/bench/machine read BYTES          GB/s of reading so many bytes again and again, 1 thread
//
// The protocol is that of bench/steps.cpp: "go MILLISECONDS" in, a line of JSON out with the best
// rate of the short windows that fit.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/machine.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "bench/multiply_adds-inl.h"

HWY_BEFORE_NAMESPACE();
namespace unroll::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Reads `count` numbers, a multiple of 128. Called through a pointer, so that no compiler leaves
/// it out.
float Read(const float* numbers, std::int64_t count) {
  const hn::CappedTag<float, 16> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto a = hn::Zero(d), b = a, c = a, e = a;
  for (std::int64_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    a = hn::Add(a, hn::LoadU(d, numbers + i));
    b = hn::Add(b, hn::LoadU(d, numbers + i + lanes));
    c = hn::Add(c, hn::LoadU(d, numbers + i + 2 * lanes));
    e = hn::Add(e, hn::LoadU(d, numbers + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
}

}  // namespace unroll::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace unroll::bench {

HWY_EXPORT(MultiplyAdds);
HWY_EXPORT(Read);

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// GFLOP/s of all threads together over one window.
double multiply_adds(int threads) {
  std::vector<double> operations(static_cast<std::size_t>(threads));
  std::vector<std::thread> team;
  const auto start = Clock::now();
  for (double& done : operations) {
    team.emplace_back([&done] {
      float numbers[2 + 16] = {0.999f, 1e-3f};
      done = HWY_DYNAMIC_DISPATCH(MultiplyAdds)(4'000'000, numbers);
    });
  }
  for (std::thread& thread : team) thread.join();
  const double seconds = seconds_since(start);
  double total = 0;
  for (const double done : operations) total += done;
  return total / seconds / 1e9;
}

/// GB/s over one window.
double reading(const std::vector<float>& numbers) {
  const auto count = static_cast<std::int64_t>(numbers.size());
  const std::int64_t repeats = std::max<std::int64_t>(1, 20'000'000 / count);
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < repeats; ++i) {
    (void)HWY_DYNAMIC_DISPATCH(Read)(numbers.data(), count);
  }
  return 4.0 * static_cast<double>(count * repeats) / seconds_since(start) / 1e9;
}

}  // namespace
}  // namespace unroll::bench

int main(int count, char** arguments) {
  const std::string what = count > 2 ? arguments[1] : "";
  if (what != "fma" && what != "read") {
    std::cerr << "machine: what is to be measured?\n  want   fma THREADS, or read BYTES\n";
    return 2;
  }
  const long number = std::atol(arguments[2]);
  const std::vector<float> numbers(
      what == "read" ? static_cast<std::size_t>(std::max(1L, number / 512) * 128) : 0, 1.0f);
  std::cout << "ready" << std::endl;
  std::string word;
  double milliseconds = 0;
  while (std::cin >> word >> milliseconds) {
    double best = 0;
    const auto begin = unroll::bench::Clock::now();
    do {
      const double rate = what == "fma" ? unroll::bench::multiply_adds(static_cast<int>(number))
                                        : unroll::bench::reading(numbers);
      best = std::max(best, rate);
    } while (unroll::bench::seconds_since(begin) * 1e3 < milliseconds);
    std::cout << "{\"best\": " << best << "}" << std::endl;
  }
}
#endif
