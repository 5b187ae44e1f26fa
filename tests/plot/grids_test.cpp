// Heat maps and scatter plots: what they draw, what they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "tests/refused.h"
#include "unroll/plot.h"

namespace unroll {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Tensor grid() { return Tensor::of<float>({2, 3}, {0, 1, 2, -4, NAN, 3}); }

bool have_gnuplot() { return std::system("gnuplot --version >/dev/null 2>&1") == 0; }

TEST(HeatMap, AsCharacters) {
  EXPECT_EQ(HeatMap({.title = "Hidden", .values = grid(), .rows = {"one", "two"}}).text(),
            "Hidden\n"
            "one                  =+*\n"
            "two                   ?#\n"
            "                     -4 is ' ', 4 is '@'\n");
  // One sign: the scale is that of the values; a constant has one too.
  EXPECT_EQ(HeatMap({.values = Tensor::of<float>({1, 2}, {1, 3})}).text(),
            "0                     @\n                     1 is ' ', 3 is '@'\n");
  EXPECT_THAT(HeatMap({.values = Tensor::of<float>({1, 1}, {7})}).text(),
              HasSubstr("6.5 is ' ', 7.5 is '@'"));
  // What does not fit shares characters: each is the mean of 0, 8, 8 and 8.
  Tensor wide({2, 40});
  for (Index i = 0; i < 80; ++i) wide.floats()[i] = i % 4 == 0 ? 0 : 8;
  const std::string text = HeatMap({.values = wide}).text(31, 5);
  EXPECT_THAT(text, StartsWith("0                    **********\n"));
}

TEST(HeatMap, AsPictures) {
  if (!have_gnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  const HeatMap map({.title = "Hidden",
                     .values = grid(),
                     .columns = {"50 %", "$5", "a'b\"`c`"},
                     .x_label = "words",
                     .scale_label = "state",
                     .command = "unroll trace"});
  EXPECT_THAT(map.png(), StartsWith("\x89PNG"));
  const std::string svg = map.svg();
  for (const char* word :
       {"Hidden", "50 %<", "$5<", "a'b\"`c`", "words", "state", "unroll trace"}) {
    EXPECT_THAT(svg, HasSubstr(word));
  }
}

TEST(HeatMap, Refuses) {
  EXPECT_EQ(refused_with_kind([] {
              HeatMap({.values = Tensor({2, 3, 4})});
            }),
            "shape: HeatMap: the values are no grid\n"
            "  got    (2, 3, 4)\n"
            "  want   (rows, columns), at least 1 x 1");
  EXPECT_EQ(refused_with_kind([] { HeatMap({.values = grid(), .columns = {"a"}}); }),
            "shape: HeatMap: not a word for each of the columns\n"
            "  got    1\n"
            "  want   3");
  EXPECT_EQ(refused_with_kind([] { HeatMap({.values = grid(), .low = 1, .high = 1}); }),
            "value: HeatMap: no such scale\n"
            "  got    1 to 1\n"
            "  want   low below high, or neither");
  EXPECT_EQ(refused_with_kind([] {
              HeatMap({.values = Tensor::of<float>({1, 1}, {NAN})});
            }),
            "value: HeatMap: nothing to draw\n"
            "  got    no finite value\n"
            "  want   at least one");
  EXPECT_EQ(refused_with_kind([] { HeatMap({.values = grid(), .width = 0}); }),
            "value: HeatMap: no such size\n"
            "  got    0 x 6 inches at 100 dots an inch\n"
            "  want   1 to 20000 pixels a side");
}

TEST(Scatter, NamesItsPoints) {
  if (!have_gnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  const Scatter scatter({.points = Tensor::of<float>({3, 2}, {0, 1, 2, 3, NAN, 1}),
                         .labels = {"good", "50% $1", "nowhere"}});
  EXPECT_THAT(scatter.svg(), testing::AllOf(HasSubstr("good<"), HasSubstr("50% $1<")));
  EXPECT_THAT(scatter.text(), HasSubstr("good"));
  EXPECT_THAT(Scatter({.points = Tensor({4, 2})}).png(), StartsWith("\x89PNG"));
}

TEST(Scatter, Refuses) {
  EXPECT_EQ(refused_with_kind([] {
              Scatter({.points = Tensor({4, 3})});
            }),
            "shape: Scatter: the points have the wrong shape\n"
            "  got    (4, 3)\n"
            "  want   (n, 2)");
  EXPECT_EQ(refused_with_kind([] {
              Scatter({.points = Tensor({4, 2}), .labels = {"a", "b"}});
            }),
            "shape: Scatter: not a word for each of the points\n"
            "  got    2\n"
            "  want   4");
  EXPECT_EQ(refused_with_kind([] {
              Scatter({.points = Tensor::of<float>({1, 2}, {NAN, 1})});
            }),
            "value: Scatter: nothing to draw\n"
            "  got    no finite point\n"
            "  want   at least one");
}

}  // namespace
}  // namespace unroll
