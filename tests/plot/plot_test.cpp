#include "unroll/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include "tests/folder.h"
#include "tests/refused.h"

namespace unroll {
namespace {

using testing::HasSubstr;
using testing::Not;

bool have_gnuplot() { return std::system("gnuplot --version >/dev/null 2>&1") == 0; }

#define NEEDS_GNUPLOT() \
  if (!have_gnuplot()) GTEST_SKIP() << "gnuplot is not installed"

Tensor wave(Index count) {
  Tensor values({count, 1});
  for (Index i = 0; i < count; ++i) {
    values.floats()[i] = std::sin(static_cast<float>(i) * 0.1f);
  }
  return values;
}

PlotOptions options() {
  return {.title = "Waves", .lines = {{"up", wave(100)}, {"down", wave(50), 20}}};
}

/// The big-endian number at a place of a PNG.
unsigned number_at(const std::string& bytes, std::size_t at) {
  unsigned value = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

TEST(Plot, APngOfTenBySixInches) {
  NEEDS_GNUPLOT();
  const std::string png = Plot(options()).png();
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(number_at(png, 16), 1000u);
  EXPECT_EQ(number_at(png, 20), 600u);
  PlotOptions large = options();
  large.dpi = 200;
  large.width = 5;
  const std::string other = Plot(large).png();
  EXPECT_EQ(number_at(other, 16), 1000u);
  EXPECT_EQ(number_at(other, 20), 1200u);
}

TEST(Plot, TheSameBytesEachTime) {
  NEEDS_GNUPLOT();
  EXPECT_EQ(Plot(options()).png(), Plot(options()).png());
  EXPECT_EQ(Plot(options()).svg(), Plot(options()).svg());
}

TEST(Plot, ACommandInTheMetadata) {
  NEEDS_GNUPLOT();
  PlotOptions with = options();
  with.command = "unroll forecast a.csv --column <x>";
  EXPECT_THAT(Plot(with).png(),
              HasSubstr(std::string("tEXtComment\0unroll forecast a.csv --column <x>", 46)));
  EXPECT_THAT(Plot(with).svg(), HasSubstr("<desc>unroll forecast a.csv --column &lt;x&gt;</desc>"));
  EXPECT_THAT(Plot(options()).png(), Not(HasSubstr("Comment")));
}

TEST(Plot, AnSvgHasItsWords) {
  NEEDS_GNUPLOT();
  PlotOptions with = options();
  with.x_label = "step";
  with.y_label = "height";
  const std::string svg = Plot(with).svg();
  for (const char* word : {"Waves", "up", "down", "step", "height"}) {
    EXPECT_THAT(svg, HasSubstr("<text>" + std::string(word) + "</text>"));
  }
  EXPECT_THAT(svg, HasSubstr("width=\"1000\" height=\"600\""));
  with.legend = false;
  EXPECT_THAT(Plot(with).svg(), Not(HasSubstr("<text>up</text>")));
}

TEST(Plot, DatesStandAlongTheAxis) {
  NEEDS_GNUPLOT();
  PlotOptions with = options();
  for (int i = 0; i < 100; ++i) {
    with.dates.push_back(std::chrono::sys_days(std::chrono::year(1969) / 11 / 1) +
                         std::chrono::days(i));
  }
  const std::string svg = Plot(with).svg();
  for (const char* word : {"1 Dec", "Dec 1969", "Jan 1970"}) {
    if (svg.find("<text>" + std::string(word)) != std::string::npos) return;
  }
  FAIL() << "no month along the axis";
}

// A title that gnuplot would take for a command, for markup or for the end of a string.
TEST(Plot, WordsAreNeverRun) {
  NEEDS_GNUPLOT();
  const Folder folder;
  const std::string mark = folder / "mark";
  PlotOptions evil = options();
  evil.title = "'\nsystem('touch " + mark + "')\n`touch " + mark + "` \"$(touch " + mark +
               ")\" @x {/Bold b} a_b^c %";
  evil.x_label = evil.title;
  evil.lines[0].label = "END\n" + evil.title;
  const std::string svg = Plot(evil).svg();
  EXPECT_FALSE(std::filesystem::exists(mark));
  EXPECT_THAT(svg, HasSubstr("@x {/Bold b} a_b^c %"));
  EXPECT_THAT(svg, HasSubstr("`touch"));
}

TEST(Plot, TextOfEightyColumns) {
  NEEDS_GNUPLOT();
  const std::string text = Plot(options()).text();
  std::istringstream lines(text);
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    ++count;
    EXPECT_LE(line.size(), 80u);
    EXPECT_FALSE(line.ends_with(' '));
  }
  EXPECT_GE(count, 20);
  EXPECT_LE(count, 24);
  EXPECT_THAT(text, HasSubstr("Waves"));
  EXPECT_THAT(text, HasSubstr("up ***"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_EQ(text.back(), '\n');
}

TEST(Plot, AHoleBreaksALine) {
  NEEDS_GNUPLOT();
  // A single line of which only one point is left draws nothing.
  const float nan = std::numeric_limits<float>::quiet_NaN();
  PlotOptions holes{.lines = {{"", Tensor::of<float>({5}, {1, 2, nan, 2, 1})}}, .legend = false};
  PlotOptions whole{.lines = {{"", Tensor::of<float>({5}, {1, 2, 2, 2, 1})}}, .legend = false};
  const auto stars = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '*');
  };
  EXPECT_LT(stars(Plot(holes).text()), stars(Plot(whole).text()));
}

TEST(Plot, AMillionPointsAreThinnedButKeepTheirExtremes) {
  NEEDS_GNUPLOT();
  Tensor values({1'000'000});
  values.floats()[654'321] = 77.5f;
  values.floats()[123'456] = -88.25f;
  const std::string svg = Plot({.lines = {{"", values}}}).svg();
  EXPECT_LT(svg.size(), 500'000u);
  // The axis reaches just as far as the extremes ask for.
  EXPECT_THAT(svg, HasSubstr("<text> 60</text>"));
  EXPECT_THAT(svg, HasSubstr("<text>-80</text>"));
}

TEST(Plot, KindsOfNumbersAndOnePoint) {
  NEEDS_GNUPLOT();
  for (DType dtype : {DType::float64, DType::int32, DType::uint8}) {
    EXPECT_GT(Plot({.lines = {{"x", Tensor::full({3}, 2, dtype)}}}).png().size(), 1000u);
  }
  EXPECT_GT(Plot({.lines = {{"x", Tensor::full({1, 1}, 2)}}, .x = {5}}).png().size(), 1000u);
}

TEST(Plot, IsSavedByItsEnding) {
  NEEDS_GNUPLOT();
  const Folder folder;
  Plot(options()).save(folder / "a.png");
  Plot(options()).save(folder / "a b'c.svg");
  EXPECT_EQ(content(folder / "a.png"), Plot(options()).png());
  EXPECT_EQ(content(folder / "a b'c.svg"), Plot(options()).svg());
  Plot(options()).save(folder / "a.png");
  EXPECT_EQ(folder.files(), 2u);
}

TEST(Plot, PathsThatAreRefused) {
  NEEDS_GNUPLOT();
  const Folder folder;
  EXPECT_EQ(refused_with_kind([] { Plot(options()).save("a.jpg"); }),
            "value: a.jpg: no such kind of picture\n  want   a path that ends in .png or .svg");
  const std::string nowhere = folder / "none/a.png";
  EXPECT_EQ(refused_with_kind([&] { Plot(options()).save(nowhere); }),
            "file: " + nowhere + ": cannot be written\n  got    no such file or directory");
  const std::string taken = folder / "taken.svg";
  std::filesystem::create_directory(taken);
  EXPECT_EQ(refused_with_kind([&] { Plot(options()).save(taken); }),
            "file: " + taken + ": cannot be written\n  got    is a directory");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Plot, WithoutGnuplot) {
  const char* const path = std::getenv("PATH");
  const std::string before = path == nullptr ? "" : path;
  ::setenv("PATH", "/nonexistent", 1);
  const std::string text = refused_with_kind([] { Plot(options()).png(); });
  ::setenv("PATH", before.c_str(), 1);
  EXPECT_EQ(text,
            "unsupported: a picture needs gnuplot, which is not installed\n"
            "hint: apt-get install gnuplot-nox fonts-dejavu-core");
}

/// A gnuplot that behaves badly.
std::string with_gnuplot(const std::string& program) {
  const Folder folder;
  std::ofstream(folder / "gnuplot") << program;
  ::chmod((folder / "gnuplot").c_str(), 0755);
  const char* const path = std::getenv("PATH");
  const std::string before = path == nullptr ? "" : path;
  ::setenv("PATH", ((folder / "") + ":" + before).c_str(), 1);
  const std::string text = refused_with_kind([] { Plot(options()).png(); });
  ::setenv("PATH", before.c_str(), 1);
  return text;
}

TEST(Plot, AGnuplotThatFails) {
  EXPECT_EQ(with_gnuplot("#!/bin/sh\necho 'set x' >&2\necho 'line 0: wrong' >&2\nexit 1\n"),
            "unsupported: gnuplot failed\n  got    line 0: wrong");
  // It reads nothing and dies: no broken pipe may end this program.
  EXPECT_EQ(with_gnuplot("#!/bin/sh\nkill -9 $$\n"),
            "unsupported: gnuplot failed\n  got    ended by signal 9");
}

TEST(Plot, FromManyThreads) {
  NEEDS_GNUPLOT();
  const std::string alone = Plot(options()).svg();
  std::vector<std::string> pictures(4);
  std::vector<std::thread> threads;
  for (auto& picture : pictures) threads.emplace_back([&] { picture = Plot(options()).svg(); });
  for (auto& thread : threads) thread.join();
  for (const auto& picture : pictures) EXPECT_EQ(picture, alone);
}

TEST(Plot, WhatCannotBeDrawn) {
  EXPECT_EQ(refused_with_kind([] { Plot(PlotOptions{}); }), "value: Plot: no lines to draw");
  EXPECT_EQ(refused_with_kind([] {
              Plot({.lines = {{"x", Tensor({3, 2})}}});
            }),
            "shape: Plot: line \"x\" has the wrong shape\n"
            "  got    (3, 2)\n"
            "  want   (n), (n, 1) or (1, n): one height a position");
  EXPECT_EQ(refused_with_kind([] {
              Plot({.lines = {{"x", Tensor({3}), -1}}});
            }),
            "value: Plot: line \"x\" starts before the first position\n  got    -1");
  EXPECT_EQ(refused_with_kind([] {
              Plot({.lines = {{"x", Tensor({3}), 1}}, .x = {1, 2, 3}});
            }),
            "shape: Plot: line \"x\" is longer than x\n"
            "  got    3 heights from position 1 on\n"
            "  want   at most 3 positions");
  EXPECT_EQ(refused_with_kind([] {
              Plot({.lines = {{"x", Tensor({2})}}, .dates = {{}}});
            }),
            "shape: Plot: line \"x\" is longer than dates\n"
            "  got    2 heights from position 0 on\n"
            "  want   at most 1 positions");
  EXPECT_EQ(refused_with_kind([] {
              Plot({.lines = {{"x", Tensor({1})}}, .dates = {{}}, .x = {1}});
            }),
            "value: Plot: both dates and x\n  want   one of them, or neither");
  EXPECT_EQ(refused_with_kind([] {
              Plot({.lines = {{"x", Tensor::full({2}, std::nan(""))}}});
            }),
            "value: Plot: nothing to draw\n"
            "  got    no finite height in any line\n"
            "  want   at least one");
  EXPECT_EQ(refused_with_kind([] {
              Plot({.lines = {{"x", Tensor({1})}}, .width = 0});
            }),
            "value: Plot: no such size\n"
            "  got    0 x 6 inches at 100 dots an inch\n"
            "  want   1 to 20000 pixels a side");
  EXPECT_EQ(refused_with_kind([] { Plot(options()).text(19); }),
            "value: Plot: no such size\n"
            "  got    19 columns, 24 lines\n"
            "  want   20 to 1000 columns, 5 to 1000 lines");
}

}  // namespace
}  // namespace unroll
