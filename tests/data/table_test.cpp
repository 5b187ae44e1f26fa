#include "unroll/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "tests/refused.h"
#include "unroll/csv.h"

namespace unroll {
namespace {

using testing::ElementsAre;

Table sample() {
  return parse_csv("note,d,x,y\na,2024-01-02,1,\nb,,2,5\n,2024-01-04,,6\nd,2024-01-05,4,7\n",
                   "s.csv");
}

TEST(Table, IsEmptyByDefault) {
  EXPECT_EQ(Table().rows(), 0);
  EXPECT_TRUE(Table().column_names().empty());
  EXPECT_EQ(Table().first_date_column(), std::nullopt);
}

TEST(Table, KnowsItsColumns) {
  EXPECT_TRUE(sample().has("x"));
  EXPECT_FALSE(sample().has("X"));
  EXPECT_EQ(sample().first_date_column(), "d");
  EXPECT_THAT(sample().number_columns(), ElementsAre("x", "y"));
  EXPECT_EQ(to_string(sample().kind("note")), "text");
}

TEST(Table, LeavesOutRowsWithHoles) {
  const std::vector<std::string> both = {"x", "y"};
  EXPECT_EQ(sample().missing(both), 2);
  const Table complete = sample().complete(both);
  EXPECT_THAT(complete.column("x").values<float>(), ElementsAre(2, 4));
  EXPECT_THAT(complete.text("note"), ElementsAre("b", "d"));
  EXPECT_EQ(complete.dates("d")[0], no_date);
  EXPECT_EQ(complete.line(0), 3);
  EXPECT_EQ(complete.line(1), 5);
  const std::vector<std::string> others = {"d", "note"};
  EXPECT_EQ(sample().complete(others).rows(), 2);
  EXPECT_EQ(sample().missing({}), 0);
}

TEST(Table, IsSliced) {
  const Table middle = sample().slice(1, 3);
  EXPECT_EQ(middle.rows(), 2);
  EXPECT_THAT(middle.text("note"), ElementsAre("b", ""));
  EXPECT_EQ(middle.line(0), 3);
  EXPECT_EQ(refused_with_kind([] { sample().slice(2, 5); }),
            "shape: s.csv: no such rows\n  got    2 to 5\n  want   rows of 4");
}

TEST(Table, IsBuiltInMemory) {
  Table::Builder builder("made");
  const Table table =
      builder.numbers("x", {1, 2}).text("t", {"a", "b"}).dates("d", {no_date, Timestamp()}).build();
  EXPECT_EQ(table.name(), "made");
  EXPECT_EQ(table.column("x").at({1, 0}), 2);
  EXPECT_THAT(table.text("t"), ElementsAre("a", "b"));
  EXPECT_EQ(table.line(1), 2);
  EXPECT_EQ(builder.build().rows(), 0);
  EXPECT_EQ(refused_with_kind([] {
              Table::Builder("made").numbers("x", {1, 2}).numbers("y", {1});
            }),
            "shape: made, column y: another number of rows\n  got    1\n  want   2");
}

// The generator must give the same series on every machine and in every version.
TEST(Reef, IsTheSameEverywhere) {
  const Table table = reef();
  ASSERT_EQ(table.rows(), 9000);
  EXPECT_THAT(table.column_names(), ElementsAre("DATE", "CLOSE"));
  const Tensor close = table.column("CLOSE", DType::float64);
  std::uint64_t sum = 0;
  for (double level : close.values<double>()) {
    sum = sum * 31 + static_cast<std::uint64_t>(std::llround(100 * level));
  }
  EXPECT_EQ(sum, 6073201320609228131u);
  EXPECT_EQ(close.at({0, 0}), 15.97);
  EXPECT_EQ(close.at({8999, 0}), 18.27);
}

TEST(Reef, LooksLikeAVolatilityIndex) {
  const Table table = reef();
  const Tensor close = table.column("CLOSE", DType::float64);
  const auto levels = close.values<double>();
  double least = 1e9, greatest = 0, moves = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    least = std::min(least, levels[i]);
    greatest = std::max(greatest, levels[i]);
    if (i > 0) moves += std::abs(levels[i] - levels[i - 1]);
  }
  EXPECT_GT(least, 8.5);
  EXPECT_LT(least, 11);
  EXPECT_GT(greatest, 60);
  EXPECT_LT(greatest, 85);
  EXPECT_NEAR(moves / 8999, 1, 0.1);
}

TEST(Reef, HasBusinessDaysToItsLast) {
  const auto dates = reef().dates("DATE");
  EXPECT_EQ(to_iso(dates.front()), "1990-01-01");
  EXPECT_EQ(to_iso(dates.back()), "2024-06-28");
  const Rhythm rhythm = infer_step(dates);
  EXPECT_EQ(rhythm.step.to_string(), "business day");
  EXPECT_EQ(rhythm.gaps, 0);
  EXPECT_EQ(to_iso(next(dates.back(), rhythm.step)), "2024-07-01");
}

/// A file of the data sets; "" where they are not at hand.
std::string data_file(const std::string& name) {
  const char* const folder = std::getenv("UNROLL_DATA_DIR");
  const std::string path = folder == nullptr ? "" : std::string(folder) + "/" + name;
  return std::filesystem::exists(path) ? path : "";
}

TEST(RealData, Vix) {
  const std::string path = data_file("vix-daily.csv");
  if (path.empty()) GTEST_SKIP() << "no vix-daily.csv in UNROLL_DATA_DIR";
  const Table table = read_csv(path);
  EXPECT_EQ(table.rows(), 9235);
  EXPECT_THAT(table.column_names(), ElementsAre("DATE", "OPEN", "HIGH", "LOW", "CLOSE"));
  EXPECT_EQ(table.column("CLOSE").at({0, 0}), static_cast<double>(17.24f));
  EXPECT_EQ(table.first_date_column(), "DATE");
  const auto dates = table.dates("DATE");
  EXPECT_EQ(to_iso(dates.front()), "1990-01-02");
  EXPECT_EQ(to_iso(dates.back()), "2026-07-23");
  const Rhythm rhythm = infer_step(dates);
  EXPECT_EQ(rhythm.step.to_string(), "business day");
  EXPECT_EQ(rhythm.off_grid + rhythm.repeats + rhythm.backwards, 0);
  EXPECT_GT(rhythm.gaps, 250);  // holidays
  EXPECT_EQ(to_iso(next(dates.back(), rhythm.step, 2)), "2026-07-27");
}

TEST(RealData, Ett) {
  const std::string path = data_file("ETTh1.csv");
  if (path.empty()) GTEST_SKIP() << "no ETTh1.csv in UNROLL_DATA_DIR";
  const Table table = read_csv(path);
  EXPECT_EQ(table.rows(), 17420);
  EXPECT_EQ(table.columns(table.number_columns()).shape(), (Shape{17420, 7}));
  EXPECT_EQ(table.column("HUFL", DType::float64).at({0, 0}), 5.827000141143799);
  EXPECT_EQ(infer_step(table.dates("date")).step.to_string(), "hour");
}

}  // namespace
}  // namespace unroll
