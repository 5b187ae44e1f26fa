#include "src/plot/ticks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unroll::plot {
namespace {

using namespace std::chrono;
using testing::ElementsAre;

Time at(int y, unsigned m, unsigned d, int hour = 0, int minute = 0) {
  return sys_days(year(y) / static_cast<int>(m) / static_cast<int>(d)) + hours(hour) +
         minutes(minute);
}

std::vector<std::string> labels(Time first, Time last, int most) {
  std::vector<std::string> result;
  for (const Tick& tick : date_ticks(first, last, most)) result.push_back(tick.label);
  return result;
}

TEST(Ticks, Years) {
  EXPECT_THAT(labels(at(2018, 6, 27), at(2024, 6, 28), 8),
              ElementsAre("2019", "2020", "2021", "2022", "2023", "2024"));
  EXPECT_THAT(labels(at(1990, 1, 2), at(2026, 7, 23), 8),
              ElementsAre("1995", "2000", "2005", "2010", "2015", "2020", "2025"));
}

TEST(Ticks, Months) {
  EXPECT_THAT(labels(at(2023, 11, 15), at(2024, 3, 2), 8),
              ElementsAre("Dec 2023", "Jan 2024", "Feb 2024", "Mar 2024"));
  EXPECT_THAT(labels(at(1969, 1, 15), at(1970, 3, 2), 6),
              ElementsAre("Apr 1969", "Jul 1969", "Oct 1969", "Jan 1970"));
}

TEST(Ticks, Days) {
  EXPECT_THAT(labels(at(2024, 6, 26), at(2024, 6, 29), 5),
              ElementsAre("26 Jun", "27 Jun", "28 Jun", "29 Jun"));
  // Weeks begin on Mondays.
  EXPECT_THAT(labels(at(2024, 6, 26), at(2024, 7, 20), 5), ElementsAre("1 Jul", "8 Jul", "15 Jul"));
}

TEST(Ticks, Hours) {
  EXPECT_THAT(labels(at(2024, 6, 26, 20), at(2024, 6, 27, 4), 4),
              ElementsAre("21:00", "27 Jun", "03:00"));
  EXPECT_THAT(labels(at(2024, 6, 26, 20), at(2024, 6, 26, 20, 30), 4),
              ElementsAre("20:00", "20:15", "20:30"));
}

TEST(Ticks, OfASingleMoment) {
  EXPECT_THAT(labels(at(2024, 6, 26, 20), at(2024, 6, 26, 20), 4), ElementsAre("20:00:00"));
}

TEST(Ticks, AreFewInsideAndInOrder) {
  for (std::int64_t span = 1; span < 40'000'000'000; span = span * 5 / 3 + 1) {
    for (int most = 2; most <= 12; ++most) {
      const Time first = at(1950, 3, 17, 5, 11);
      const auto ticks = date_ticks(first, first + seconds(span), most);
      ASSERT_LE(ticks.size(), static_cast<std::size_t>(most)) << span;
      ASSERT_TRUE(span < 60 || most < 6 || ticks.size() >= 1) << span;
      for (std::size_t i = 0; i < ticks.size(); ++i) {
        ASSERT_GE(ticks[i].time, first);
        ASSERT_LE(ticks[i].time, first + seconds(span));
        if (i > 0) {
          ASSERT_GT(ticks[i].time, ticks[i - 1].time);
        }
      }
    }
  }
}

}  // namespace
}  // namespace unroll::plot
