// What the programs that bench/run measures have in common: numbers that every peer makes alike, in
// whatever language, and how a program is asked.
//
// A program says "ready" when it is warm. Each line "go MILLISECONDS" from standard input is
// answered by a line of JSON with the times of the steps done meanwhile, in seconds. So several
// programs stay alive and are measured in turns.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace unroll::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Numbers in [0, 1) that depend on nothing but their place and the seed.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : state_(seed) {}
  std::uint32_t bits() {
    state_ = state_ * 1664525u + 1013904223u;
    return state_ >> 8;
  }
  float next() { return static_cast<float>(bits()) / 16777216.0f; }

 private:
  std::uint32_t state_;
};

inline std::vector<float> numbers(std::int64_t count, std::uint32_t seed = 1) {
  Numbers source(seed);
  std::vector<float> list(static_cast<std::size_t>(count));
  for (float& value : list) value = source.next();
  return list;
}

/// Of weight number k of a model, in Keras's order and layout: what checks compute with.
inline std::vector<float> weight(std::int64_t count, std::size_t k) {
  std::vector<float> list = numbers(count, static_cast<std::uint32_t>(100 + k));
  for (float& value : list) value = 0.3f * (value - 0.5f);
  return list;
}

/// Ids of words: frequent words are frequent, as cubing a uniform number crowds the small ids.
inline std::vector<std::int32_t> ids(std::int64_t count, std::int64_t vocabulary) {
  Numbers source(7);
  std::vector<std::int32_t> list(static_cast<std::size_t>(count));
  for (std::int32_t& id : list) {
    const double u = source.bits() / 16777216.0;
    id = static_cast<std::int32_t>(u * u * u * static_cast<double>(vocabulary));
  }
  return list;
}

/// The most memory that this program has had. getrusage would count what its parent had, too.
inline long peak_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return 0;
}

/// Answers until standard input ends. `step` does its work once and returns the seconds that one
/// unit of it took. `more` is told besides: ", \"rows\": 12".
template <class Step>
int answer(Step step, const std::string& more = {}) {
  std::cout << "ready" << std::endl;
  std::string word;
  double milliseconds = 0;
  while (std::cin >> word >> milliseconds) {
    std::vector<double> times;
    const auto begin = Clock::now();
    do {
      times.push_back(step());
    } while (seconds_since(begin) * 1e3 < milliseconds);
    std::ranges::sort(times);
    std::cout << "{\"min\": " << times.front() << ", \"median\": " << times[times.size() / 2]
              << ", \"steps\": " << times.size() << ", \"rss_kb\": " << peak_kilobytes() << more
              << "}" << std::endl;
  }
  return 0;
}

/// Calls `step` until it is warm: 20 times, or for a second.
template <class Step>
void warm_up(Step step) {
  const auto begin = Clock::now();
  for (int i = 0; i < 20 && seconds_since(begin) < 1; ++i) step();
}

/// What a check found, as a line of JSON.
inline void print_values(const std::vector<double>& values) {
  std::cout.precision(10);
  std::cout << "{\"values\": [";
  for (std::size_t i = 0; i < values.size(); ++i) std::cout << (i > 0 ? ", " : "") << values[i];
  std::cout << "]}" << std::endl;
}

}  // namespace unroll::bench
