// How fast tables are read: 100 MB of three kinds of CSV, from a file in the page cache.
//
//   build/bench/csv [megabytes]
#include "unroll/csv.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "bench/made_up.h"

namespace {

using Clock = std::chrono::steady_clock;

/// Repeats rows until the text is so large.
std::string text_of(std::size_t bytes, const std::string& header,
                    const std::function<void(std::string&, unsigned)>& row) {
  std::string text = header;
  for (unsigned i = 0; text.size() < bytes; ++i) row(text, i);
  return text;
}

std::string long_numbers(std::size_t bytes) {
  return text_of(bytes, "a,b,c,d,e,f\n", [](std::string& text, unsigned i) {
    char number[40];
    for (unsigned column = 0; column < 6; ++column) {
      std::snprintf(number, sizeof(number), "%.17g", (i + 1) * 0.7310529 / (column + 3));
      text += number;
      text += column < 5 ? ',' : '\n';
    }
  });
}

std::string many_columns(std::size_t bytes) {
  std::string header = "c0";
  for (int i = 1; i < 5000; ++i) header += ",c" + std::to_string(i);
  return text_of(bytes, header + "\n", [](std::string& text, unsigned i) {
    for (unsigned column = 0; column < 5000; ++column) {
      text += std::to_string((i * 31 + column * 7) % 100000);
      text += column < 4999 ? ',' : '\n';
    }
  });
}

void measure(const char* what, const std::string& text, const std::string& path) {
  std::ofstream(path, std::ios::binary) << text;
  std::vector<double> seconds;
  unroll::Index rows = 0;
  for (int i = 0; i < 5; ++i) {
    const auto start = Clock::now();
    rows = unroll::read_csv(path).rows();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::ranges::sort(seconds);
  const double megabytes = static_cast<double>(text.size()) * 1e-6;
  std::printf("%-28s %9lld rows  %6.1f MB  median %.3f s  least %.3f s  %5.0f MB/s\n", what,
              static_cast<long long>(rows), megabytes, seconds[2], seconds[0],
              megabytes / seconds[2]);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t bytes = std::strtoull(argc > 1 ? argv[1] : "100", nullptr, 10) * 1'000'000;
  const std::string path = (std::filesystem::temp_directory_path() / "unroll-bench.csv").string();
  measure("dates and prices", unroll::bench::prices(bytes), path);
  measure("numbers of 17 digits", long_numbers(bytes), path);
  measure("integers in 5,000 columns", many_columns(bytes), path);
  std::filesystem::remove(path);
}
