#include "src/kernels/rows.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/kernels/targets.h"

namespace unroll::kernels {
namespace {

template <class T>
class RowsOf : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(RowsOf, Types);

constexpr Index size = 11;

/// Small whole numbers: their sums are exact in any order.
template <class T>
std::vector<T> numbers(Index count, int seed) {
  std::vector<T> list(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < list.size(); ++i) {
    list[i] = static_cast<T>((i * 7 + static_cast<std::size_t>(seed)) % 23);
  }
  return list;
}

TYPED_TEST(RowsOf, TablesAreTheirPlainLoops) {
  using T = TypeParam;
  const std::vector<std::int32_t> ids{3, 0, 10, 3, 3, 7, 0};
  const auto count = static_cast<Index>(ids.size());
  on_every_target([&](const std::string& target) {
    for (const Index width : {1, 5, 16, 32, 37}) {
      const std::vector<T> table = numbers<T>(size * width, 1);
      std::vector<T> rows(ids.size() * static_cast<std::size_t>(width)), added = table;
      gather_rows(width, table.data(), ids.data(), count, rows.data());
      std::vector<T> sums = table;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto step = i / static_cast<std::size_t>(width);
        const auto at =
            static_cast<std::size_t>(ids[step] * width) + i % static_cast<std::size_t>(width);
        EXPECT_EQ(rows[i], table[at]) << target << " " << width;
        sums[at] += rows[i];
      }
      scatter_add_rows(width, rows.data(), ids.data(), count, added.data());
      EXPECT_EQ(added, sums) << target << " " << width;
      // Three that share the table, each with its part of the numbers.
      std::vector<T> shared = table;
      for (const Index part : {2, 0, 1}) {
        scatter_add_rows(width, rows.data(), ids.data(), count, shared.data(), part, 3);
      }
      EXPECT_EQ(shared, sums) << target << " " << width;
      std::vector<T> scattered(table.size(), T{-1});
      scatter_rows(width, rows.data(), ids.data(), count, scattered.data());
      for (std::size_t i = 0; i < table.size(); ++i) {
        const auto id = static_cast<std::int32_t>(i / static_cast<std::size_t>(width));
        const bool there = id == 0 || id == 3 || id == 7 || id == 10;
        EXPECT_EQ(scattered[i], there ? table[i] : T{-1}) << target << " " << width;
      }
    }
  });
}

TYPED_TEST(RowsOf, SumsAreTheirPlainLoops) {
  using T = TypeParam;
  const std::vector<std::int32_t> some{4, 1, 9};
  on_every_target([&](const std::string& target) {
    for (const Index width : {16, 48, 160}) {
      const std::vector<T> x = numbers<T>(size * width, 2);
      std::vector<T> sum(static_cast<std::size_t>(width), T{-1});
      sum_rows(width, x.data(), some.data(), 3, sum.data());
      for (Index n = 0; n < width; ++n) {
        T all = 0;
        for (const std::int32_t row : some) all += x[static_cast<std::size_t>(row * width + n)];
        EXPECT_EQ(sum[static_cast<std::size_t>(n)], all) << target << " " << width;
      }
      sum_rows(width, x.data(), some.data(), 0, sum.data());
      EXPECT_EQ(sum, std::vector<T>(sum.size())) << target;
    }
  });
}

}  // namespace
}  // namespace unroll::kernels
