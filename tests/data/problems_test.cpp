// The made-up problems hold what they promise, and follow from the seed.
#include "unroll/problems.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/refused.h"

namespace unroll {
namespace {

float at(const Tensor& t, Index row, Index step, Index feature) {
  return t.floats()[(row * t.shape()[1] + step) * t.shape()[2] + feature];
}

std::int32_t id(const Tensor& t, Index i) {
  return t.values<std::int32_t>()[static_cast<std::size_t>(i)];
}

TEST(Problems, AddingMarksOneNumberInEitherHalf) {
  const Problem p = adding_problem(200, 11, 5);
  double squared = 0;
  for (Index row = 0; row < 200; ++row) {
    double sum = 0;
    Index first = 0, second = 0;
    for (Index t = 0; t < 11; ++t) {
      if (at(p.x, row, t, 1) == 0) continue;
      (t < 5 ? first : second) += 1;
      sum += static_cast<double>(at(p.x, row, t, 0));
    }
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
    EXPECT_NEAR(static_cast<double>(p.y.floats()[row]), sum, 1e-6);
    squared += (sum - 1) * (sum - 1) / 200;
  }
  EXPECT_NEAR(squared, 1.0 / 6, 0.04);
  const Problem again = adding_problem(200, 11, 5), other = adding_problem(200, 11, 6);
  EXPECT_TRUE(std::ranges::equal(p.x.values<float>(), again.x.values<float>()));
  EXPECT_FALSE(std::ranges::equal(p.x.values<float>(), other.x.values<float>()));
}

TEST(Problems, CopyAsksForTheSymbolsAfterTheLag) {
  const Problem p = copy_problem(20, 3, 4, 1);
  ASSERT_EQ(p.x.shape(), (Shape{20, 10, 10}));
  ASSERT_EQ(p.y.shape(), (Shape{20, 10}));
  for (Index row = 0; row < 20; ++row) {
    for (Index t = 0; t < 10; ++t) {
      const std::int32_t said = id(p.y, row * 10 + t);
      if (t < 7) {
        EXPECT_EQ(said, 8);
      } else {
        EXPECT_EQ(at(p.x, row, t - 7, said), 1) << "symbol " << t - 7;
      }
      EXPECT_EQ(at(p.x, row, t, 9), t == 6 ? 1 : 0);
      EXPECT_EQ(at(p.x, row, t, 8), t >= 3 && t != 6 ? 1 : 0);
    }
  }
}

TEST(Problems, TemporalOrderIsThatOfTheTwoMarks) {
  const Problem p = temporal_order_problem(100, 20, 2);
  std::set<std::int32_t> seen;
  for (Index row = 0; row < 100; ++row) {
    std::vector<Index> marks;
    for (Index t = 0; t < 20; ++t) {
      for (Index mark = 0; mark < 2; ++mark) {
        if (at(p.x, row, t, 4 + mark) == 0) continue;
        EXPECT_LT(t, 8);
        marks.push_back(mark);
      }
    }
    ASSERT_EQ(marks.size(), 2u);
    EXPECT_EQ(id(p.y, row), 2 * marks[0] + marks[1]);
    seen.insert(id(p.y, row));
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST(Reber, EveryStringIsLegalAndEndsAsItBegan) {
  const std::vector<std::string> strings = reber_strings(300, 4);
  ASSERT_EQ(strings.size(), 300u);
  std::set<std::string> inner_branches;
  for (const std::string& text : strings) {
    for (std::size_t t = 0; t < text.size(); ++t) {
      EXPECT_NE(legal_after(text.substr(0, t)).find(text[t]), std::string::npos) << text;
    }
    EXPECT_EQ(legal_after(text), "");
    EXPECT_EQ(text[1], text[text.size() - 2]) << text;
    EXPECT_GE(text.size(), 9u);  // BTBTXSETE
    inner_branches.insert(text.substr(1, 3));
  }
  EXPECT_EQ(inner_branches, (std::set<std::string>{"TBT", "TBP", "PBT", "PBP"}));
  EXPECT_EQ(reber_strings(300, 4), strings);
}

TEST(Reber, LegalAfterFollowsTheGraph) {
  EXPECT_EQ(legal_after(""), "B");
  EXPECT_EQ(legal_after("B"), "PT");
  EXPECT_EQ(legal_after("BT"), "B");
  EXPECT_EQ(legal_after("BTB"), "PT");
  EXPECT_EQ(legal_after("BTBT"), "SX");
  EXPECT_EQ(legal_after("BTBTX"), "SX");
  EXPECT_EQ(legal_after("BTBTXX"), "TV");
  EXPECT_EQ(legal_after("BTBTXXVP"), "SX");
  EXPECT_EQ(legal_after("BTBPV"), "PV");
  EXPECT_EQ(legal_after("BTBTXS"), "E");
  EXPECT_EQ(legal_after("BTBTXSE"), "T");
  EXPECT_EQ(legal_after("BPBTXSE"), "P");
  EXPECT_EQ(legal_after("BPBTXSEP"), "E");
}

TEST(Problems, Refuse) {
  EXPECT_EQ(refused_with_kind([] { adding_problem(0, 5, 1); }),
            "value: adding_problem: too few rows\n  got    0\n  want   1 or more");
  EXPECT_EQ(refused_with_kind([] { adding_problem(1, 1, 1); }),
            "value: adding_problem: too few steps\n  got    1\n  want   2 or more");
  EXPECT_EQ(refused_with_kind([] { copy_problem(1, 1, 0, 1); }),
            "value: copy_problem: too few blanks\n  got    0\n  want   1 or more");
  EXPECT_EQ(refused_with_kind([] { temporal_order_problem(1, 9, 1); }),
            "value: temporal_order_problem: too few steps\n  got    9\n  want   10 or more");
  EXPECT_EQ(refused_with_kind([] { reber_strings(-1, 1); }),
            "value: reber_strings: no such count\n  got    -1\n  want   0 or more");
  EXPECT_EQ(refused_with_kind([] { legal_after("BTBTXSEP"); }),
            "value: legal_after: the grammar has no such beginning\n"
            "  got    \"BTBTXSEP\"\n  want   one of T");
  EXPECT_EQ(refused_with_kind([] { legal_after("BTBTXSETEE"); }),
            "value: legal_after: the grammar has no such beginning\n"
            "  got    \"BTBTXSETEE\"\n  want   nothing more");
}

}  // namespace
}  // namespace unroll
