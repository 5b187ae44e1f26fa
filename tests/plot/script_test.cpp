#include "src/plot/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unroll::plot {
namespace {

using testing::HasSubstr;

TEST(Literal, SpellsWhatMeansSomethingInOctal) {
  EXPECT_EQ(literal("CLOSE (USD), 2024-06-28"), "\"CLOSE (USD), 2024-06-28\"");
  EXPECT_EQ(literal("'it's"), R"("\047it\047s")");
  EXPECT_EQ(literal("`d` $x @m \"q\" \\n"), R"("\140d\140 \044x \100m \042q\042 \134n")");
  EXPECT_EQ(literal("\xc3\xa4"), R"("\303\244")");
  EXPECT_EQ(literal(""), R"("")");
  // gnuplot would read \0445 as one character.
  EXPECT_EQ(literal("$5 a1"), R"("\044\065 a1")");
  EXPECT_EQ(tic_label("5 %s"), R"("5 %%s")");
}

TEST(Literal, MakesControlCharactersBlanks) {
  EXPECT_EQ(literal(std::string_view("a\nb\tc\0d\x7f", 8)), "\"a b c d \"");
}

TEST(Script, HasThePointsInLine) {
  const PlotOptions options{.lines = {{"up", Tensor::of<float>({3}, {0.1f, 2, -3}), 5}}};
  EXPECT_THAT(script(options, {Canvas::png, 1000, 600}),
              HasSubstr("$line0 << END\n5 0.1\n6 2\n7 -3\nEND\n"));
}

TEST(Script, CountsDatesInSeconds) {
  using namespace std::chrono;
  const sys_days day = year(1970) / 1 / 2;
  const PlotOptions options{.lines = {{"up", Tensor::of<double>({2}, {1e-7, 0.3})}},
                            .dates = {day, day + days(1)}};
  EXPECT_THAT(script(options, {Canvas::png, 1000, 600}),
              HasSubstr("$line0 << END\n86400 1e-07\n172800 0.3\nEND\n"));
}

TEST(Script, WritesHoles) {
  const float infinite = std::numeric_limits<float>::infinity();
  const PlotOptions options{.lines = {{"", Tensor::of<float>({2}, {1, infinite})}}};
  EXPECT_THAT(script(options, {Canvas::png, 1000, 600}), HasSubstr("0 1\n1 NaN\nEND\n"));
}

/// Points where there are more than a picture shows: each stretch keeps its extremes and holes.
TEST(Script, ThinsWhatCannotBeSeen) {
  Tensor values({10'000});
  values.floats()[1234] = 9;
  values.floats()[4321] = -9;
  values.floats()[7777] = std::numeric_limits<float>::quiet_NaN();
  const std::string text = script({.lines = {{"", values}}}, {Canvas::png, 100, 100});
  for (const char* point : {"\n1234 9\n", "\n4321 -9\n", "\n7777 NaN\n"}) {
    EXPECT_THAT(text, HasSubstr(point));
  }
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 700);
}

TEST(Script, GivesEachLineAStyleOfItsOwn) {
  PlotOptions options;
  for (int i = 0; i < 20; ++i) options.lines.push_back({"x", Tensor::full({2}, i)});
  const std::string text = script(options, {Canvas::png, 1000, 600});
  EXPECT_THAT(text, HasSubstr("linecolor '#0072B2' dashtype 1 "));
  EXPECT_THAT(text, HasSubstr("linecolor '#0072B2' dashtype 2 "));
  EXPECT_THAT(text, HasSubstr("linecolor '#56B4E9' dashtype 3 "));
  EXPECT_THAT(text, HasSubstr("set key outside right"));
}

}  // namespace
}  // namespace unroll::plot
