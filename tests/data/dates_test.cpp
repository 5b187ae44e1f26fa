#include "unroll/dates.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/refused.h"

namespace unroll {
namespace {

using namespace std::chrono;

/// As parsed, spelt again; "no date" where it is none.
std::string read(std::string_view text) {
  const auto time = parse_date(text);
  return time ? to_iso(*time) : "no date";
}

TEST(Dates, IsoDays) {
  EXPECT_EQ(parse_date("1970-01-01"), Timestamp());
  EXPECT_EQ(parse_date("2024-06-28"), Timestamp(seconds(1719532800)));
  EXPECT_EQ(read("0001-01-01"), "0001-01-01");
  EXPECT_EQ(read("9999-12-31"), "9999-12-31");
  EXPECT_EQ(read(" 2024-6-8 "), "2024-06-08");
  EXPECT_EQ(read("2024/06/28"), "2024-06-28");
  EXPECT_EQ(read("1949-01"), "1949-01-01");
}

TEST(Dates, IsoTimes) {
  EXPECT_EQ(read("2016-07-01 00:00:00"), "2016-07-01");
  EXPECT_EQ(read("2016-07-01T13:05"), "2016-07-01 13:05:00");
  EXPECT_EQ(read("2016-07-01t13:05:07.999"), "2016-07-01 13:05:07");
  EXPECT_EQ(read("2016-07-01 13:05:07,5"), "2016-07-01 13:05:07");
  EXPECT_EQ(read("2016-07-01T13:05:07Z"), "2016-07-01 13:05:07");
  EXPECT_EQ(read("2016-07-01T00:30+02:00"), "2016-06-30 22:30:00");
  EXPECT_EQ(read("2016-07-01T22:30:00-0530"), "2016-07-02 04:00:00");
  EXPECT_EQ(read("2016-07-01 22:30:00 +05"), "2016-07-01 17:30:00");
}

TEST(Dates, UsDays) {
  EXPECT_EQ(read("6/28/2024"), "2024-06-28");
  EXPECT_EQ(read("01/02/1990"), "1990-01-02");
  EXPECT_EQ(read("1/2/1990 16:15"), "1990-01-02 16:15:00");
  EXPECT_EQ(read("1/2/1990 1:05:07 PM"), "1990-01-02 13:05:07");
  EXPECT_EQ(read("1/2/1990 12:05 am"), "1990-01-02 00:05:00");
  EXPECT_EQ(read("1/2/1990 12:05PM"), "1990-01-02 12:05:00");
}

TEST(Dates, LeapDays) {
  EXPECT_EQ(read("2024-02-29"), "2024-02-29");
  EXPECT_EQ(read("2000-02-29"), "2000-02-29");
  EXPECT_EQ(read("2023-02-29"), "no date");
  EXPECT_EQ(read("1900-02-29"), "no date");
}

TEST(Dates, WhatIsNone) {
  for (const char* text : {"",
                           " ",
                           "x",
                           "2024",
                           "20240628",
                           "17.24",
                           "2024-13-01",
                           "2024-00-01",
                           "2024-06-31",
                           "2024-06-",
                           "2024-06-28-",
                           "2024-06-28x",
                           "2024-06-28T",
                           "2024-06-28T1:05",
                           "2024-06-28T24:00",
                           "2024-06-28T13:60",
                           "2024-06-28T13:05:60",
                           "2024-06-28T13:05:07.",
                           "2024-06-28T13:05+2",
                           "2024-06-28T13:05+02:",
                           "2024-06-28T13:05ZZ",
                           "0000-01-01",
                           "24-06-28",
                           "12024-06-28",
                           "-2024-06-28",
                           "31/12/2024",
                           "6/28/24",
                           "6/28",
                           "6/28/20244",
                           "6/28/2024 13:05 PM",
                           "6/28/2024 0:05 AM",
                           "6/28/2024 25:05",
                           "2024/06",
                           "2024-06/28",
                           "6//2024",
                           "/6/2024",
                           "2024-06-28 13",
                           "1/2/1990T16:15"}) {
    EXPECT_EQ(read(text), "no date") << text;
  }
}

TEST(Dates, EveryDayOfFourCenturiesReadsBack) {
  int weekday = 6;  // 1900-01-01 was a Monday, this is the day before
  for (sys_days day = sys_days(year(1899) / 12 / 31); day < sys_days(year(2300) / 1 / 1);
       day += days(1)) {
    weekday = weekday % 7 + 1;
    ASSERT_EQ(day_of_week(day), day == sys_days(year(1899) / 12 / 31) ? 7 : weekday) << to_iso(day);
    ASSERT_EQ(parse_date(to_iso(day)), Timestamp(day));
  }
}

TEST(Dates, AMissingOneIsSpeltAsNothing) { EXPECT_EQ(to_iso(no_date), ""); }

std::vector<Timestamp> times(const std::vector<std::string>& texts) {
  std::vector<Timestamp> result;
  for (const auto& text : texts) result.push_back(text.empty() ? no_date : *parse_date(text));
  return result;
}

std::string step_of(const std::vector<std::string>& texts) {
  return infer_step(times(texts)).step.to_string();
}

TEST(Rhythm, OfSeconds) {
  EXPECT_EQ(step_of({"2024-01-01", "2024-01-01 00:00:01", "2024-01-01 00:00:02"}), "second");
  EXPECT_EQ(step_of({"2024-01-01", "2024-01-01 00:15", "2024-01-01 00:30"}), "15 minutes");
  EXPECT_EQ(step_of({"2016-07-01 00:00", "2016-07-01 01:00", "2016-07-01 02:00"}), "hour");
  EXPECT_EQ(step_of({"2024-01-01", "2024-01-02", "2024-01-03"}), "day");
  EXPECT_EQ(step_of({"2024-01-01", "2024-01-08", "2024-01-15"}), "week");
  EXPECT_EQ(step_of({"2024-01-01", "2024-01-11", "2024-01-21"}), "10 days");
}

TEST(Rhythm, OfMonths) {
  EXPECT_EQ(step_of({"1949-01", "1949-02", "1949-03", "1949-04"}), "month");
  EXPECT_EQ(step_of({"2023-01-30", "2023-02-28", "2023-03-30", "2023-04-30"}), "month");
  EXPECT_EQ(step_of({"2023-01-31", "2023-02-28", "2023-03-31"}), "month, last day");
  EXPECT_EQ(step_of({"2023-03-31", "2023-06-30", "2023-09-30"}), "3 months, last day");
  EXPECT_EQ(step_of({"2020-01-01", "2020-04-01", "2020-07-01"}), "3 months");
  EXPECT_EQ(step_of({"2019-07-04", "2020-07-04", "2021-07-04"}), "year");
}

TEST(Rhythm, OfBusinessDays) {
  EXPECT_EQ(step_of({"2024-06-27", "2024-06-28", "2024-07-01", "2024-07-02"}), "business day");
  EXPECT_EQ(step_of({"2024-06-28", "2024-07-01", "2024-07-02"}), "business day");
  // No weekend between: nothing is known about weekends.
  EXPECT_EQ(step_of({"2024-06-24", "2024-06-25", "2024-06-26", "2024-06-28"}), "day");
  // A value on a Saturday.
  EXPECT_EQ(step_of({"2024-06-28", "2024-06-29", "2024-07-01", "2024-07-02", "2024-07-03"}), "day");
}

TEST(Rhythm, HolidaysAreGaps) {
  const Rhythm rhythm =
      infer_step(times({"2024-06-27", "2024-06-28", "2024-07-01", "2024-07-03", "2024-07-05",
                        "2024-07-10", "2024-07-11", "2024-07-12", "2024-07-15"}));
  EXPECT_EQ(rhythm.step.to_string(), "business day");
  EXPECT_EQ(rhythm.gaps, 3);
  EXPECT_EQ(rhythm.left_out, 4);
  EXPECT_EQ(rhythm.off_grid, 0);
}

TEST(Rhythm, WhatDoesNotFitIsCounted) {
  const Rhythm rhythm =
      infer_step(times({"2024-01-01 00:00", "2024-01-01 01:00", "2024-01-01 01:00", "",
                        "2024-01-01 02:00", "2024-01-01 03:00", "2024-01-01 01:00",
                        "2024-01-01 02:00", "2024-01-01 05:00", "2024-01-01 05:20"}));
  EXPECT_EQ(rhythm.step, (TimeStep{TimeUnit::second, 3600}));
  EXPECT_EQ(rhythm.missing, 1);
  EXPECT_EQ(rhythm.repeats, 1);
  EXPECT_EQ(rhythm.backwards, 1);
  EXPECT_EQ(rhythm.gaps, 1);
  EXPECT_EQ(rhythm.left_out, 2);
  EXPECT_EQ(rhythm.off_grid, 1);
}

TEST(Rhythm, NoneWhereThereIsNone) {
  EXPECT_EQ(step_of({}), "irregular");
  EXPECT_EQ(step_of({"2024-01-01"}), "irregular");
  EXPECT_EQ(step_of({"", ""}), "irregular");
  EXPECT_EQ(step_of({"2024-01-02", "2024-01-01"}), "irregular");
  EXPECT_EQ(step_of({"2024-01-01", "2024-01-02", "2024-01-05", "2024-01-12", "2024-02-05"}),
            "irregular");
}

std::string after(std::string_view text, const TimeStep& step, Index n = 1) {
  return to_iso(next(*parse_date(text), step, n));
}

TEST(Next, BusinessDays) {
  const TimeStep step{TimeUnit::business_day, 1};
  EXPECT_EQ(after("2024-06-28", step), "2024-07-01");
  EXPECT_EQ(after("2024-06-27", step, 2), "2024-07-01");
  EXPECT_EQ(after("2024-06-28 16:15", step, 5), "2024-07-05 16:15:00");
  EXPECT_EQ(after("2024-06-29", step), "2024-07-01");  // a Saturday
  EXPECT_EQ(after("2024-07-01", step, -1), "2024-06-28");
  EXPECT_EQ(after("1969-12-31", step, 2), "1970-01-02");
  EXPECT_EQ(after("1970-01-05", step, -10), "1969-12-22");
}

/// Against walking day by day.
TEST(Next, BusinessDaysAgreeWithACalendar) {
  const TimeStep step{TimeUnit::business_day, 1};
  const Timestamp start = *parse_date("1960-01-01");  // a Friday
  Timestamp walker = start;
  for (Index n = 1; n < 8000; ++n) {
    do walker += days(1);
    while (day_of_week(walker) > 5);
    ASSERT_EQ(next(start, step, n), walker);
    ASSERT_EQ(next(walker, step, -n), start);
  }
}

TEST(Next, FixedSteps) {
  EXPECT_EQ(after("2024-02-28", {TimeUnit::second, 86400}), "2024-02-29");
  EXPECT_EQ(after("2024-02-28 23:30", {TimeUnit::second, 900}, 3), "2024-02-29 00:15:00");
}

TEST(Next, Months) {
  EXPECT_EQ(after("2023-11-15", {TimeUnit::month, 1}, 2), "2024-01-15");
  EXPECT_EQ(after("2023-01-31", {TimeUnit::month, 1}), "2023-02-28");
  EXPECT_EQ(after("2024-02-29", {TimeUnit::month, 12}), "2025-02-28");
  EXPECT_EQ(after("2024-01-15", {TimeUnit::month, 3}, -1), "2023-10-15");
  EXPECT_EQ(after("2024-02-29", {TimeUnit::month_end, 1}), "2024-03-31");
  EXPECT_EQ(after("2023-12-31 12:00", {TimeUnit::month_end, 1}, 2), "2024-02-29 12:00:00");
}

TEST(Next, NothingFollowsAnIrregularStep) {
  EXPECT_EQ(refused_with_kind([] { next(Timestamp(), TimeStep()); }),
            "value: no date follows where the step is irregular");
}

}  // namespace
}  // namespace unroll
