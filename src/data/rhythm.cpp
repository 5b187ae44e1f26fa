// The step of a series, found from its times, and the times that follow.
#include <algorithm>
#include <vector>

#include "unroll/dates.h"
#include "unroll/error.h"

namespace unroll {

namespace {

using namespace std::chrono;

constexpr Index second_day = 86'400;

/// Monday to Friday, counted through from the Monday of 1969-12-29; a weekend counts as its Friday.
Index business_days(sys_days day) {
  const Index since_monday = day.time_since_epoch().count() + 3;  // 1970-01-01 was a Thursday
  const Index week = since_monday >= 0 ? since_monday / 7 : -((6 - since_monday) / 7);
  return 5 * week + std::min<Index>(since_monday - 7 * week, 4);
}

sys_days business_day(Index number) {
  const Index week = number >= 0 ? number / 5 : -((4 - number) / 5);
  return sys_days(days(7 * week + (number - 5 * week) - 3));
}

Index months(const year_month_day& date) {
  return 12 * static_cast<Index>(static_cast<int>(date.year())) +
         static_cast<unsigned>(date.month()) - 1;
}

year_month_day month_number(Index number, std::chrono::day day) {
  const Index y = number >= 0 ? number / 12 : -((11 - number) / 12);
  return year(static_cast<int>(y)) / month(static_cast<unsigned>(number - 12 * y + 1)) / day;
}

std::chrono::day last_day(const year_month_day& date) {
  return year_month_day_last(date.year(), month_day_last(date.month())).day();
}

/// The value that occurs most often, the least of those; 0 for none.
Index most_frequent(std::vector<Index> values) {
  std::ranges::sort(values);
  Index best = 0, count = 0;
  for (std::size_t i = 0, end = 0; i < values.size(); i = end) {
    while (end < values.size() && values[end] == values[i]) ++end;
    if (static_cast<Index>(end - i) > count) best = values[i], count = static_cast<Index>(end - i);
  }
  return best;
}

/// Where a time lies on a grid: a number that grows by `count` a step.
template <class Place>
std::vector<Index> differences(std::span<const Timestamp> times, Place place) {
  std::vector<Index> result;
  result.reserve(times.size());
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i] > times[i - 1]) result.push_back(place(times[i]) - place(times[i - 1]));
  }
  return result;
}

Index in_seconds(Timestamp time) { return time.time_since_epoch().count(); }
Index in_business_days(Timestamp time) { return business_days(floor<days>(time)); }
Index in_months(Timestamp time) { return months(floor<days>(time)); }

bool same_time_of_day(std::span<const Timestamp> times) {
  auto clock = [](Timestamp time) { return time - floor<days>(time); };
  return std::ranges::all_of(times, [&](Timestamp t) { return clock(t) == clock(times[0]); });
}

bool never_on_weekends(std::span<const Timestamp> times) {
  return std::ranges::all_of(times, [](Timestamp time) { return day_of_week(time) <= 5; });
}

bool always_at_month_end(std::span<const Timestamp> times) {
  return std::ranges::all_of(times, [](Timestamp time) {
    const year_month_day date(floor<days>(time));
    return date.day() == last_day(date);
  });
}

/// Whether all times fall on the same day of the month, or on its last where it is shorter.
bool same_day_of_month(std::span<const Timestamp> times) {
  auto day_of = [](Timestamp time) { return year_month_day(floor<days>(time)).day(); };
  const auto greatest = day_of(*std::ranges::max_element(times, {}, day_of));
  return std::ranges::all_of(times, [&](Timestamp time) {
    const year_month_day date(floor<days>(time));
    return date.day() == std::min(greatest, last_day(date));
  });
}

TimeUnit unit_of(std::span<const Timestamp> times, Index seconds) {
  if (!same_time_of_day(times)) return TimeUnit::second;
  if (seconds >= 28 * second_day && always_at_month_end(times)) return TimeUnit::month_end;
  if (seconds >= 28 * second_day && same_day_of_month(times)) return TimeUnit::month;
  // Five days that pass no weekend do not show whether there would be values on one.
  const auto intervals = differences(times, in_seconds);
  const bool passes_weekend =
      times.back() - times.front() >= days(5) || std::ranges::max(intervals) >= 3 * second_day;
  if (seconds == second_day && passes_weekend && never_on_weekends(times)) {
    return TimeUnit::business_day;
  }
  return TimeUnit::second;
}

std::vector<Index> differences(std::span<const Timestamp> times, TimeUnit unit) {
  if (unit == TimeUnit::second) return differences(times, in_seconds);
  if (unit == TimeUnit::business_day) return differences(times, in_business_days);
  return differences(times, in_months);
}

std::string plural(Index count, const std::string& unit) {
  return count == 1 ? unit : std::to_string(count) + " " + unit + "s";
}

std::string seconds_in_words(Index seconds) {
  constexpr std::pair<Index, const char*> units[] = {
      {7 * second_day, "week"}, {second_day, "day"}, {3600, "hour"}, {60, "minute"}};
  for (const auto& [size, name] : units) {
    if (seconds % size == 0) return plural(seconds / size, name);
  }
  return plural(seconds, "second");
}

}  // namespace

std::string TimeStep::to_string() const {
  switch (unit) {
    case TimeUnit::none:
      return "irregular";
    case TimeUnit::second:
      return seconds_in_words(count);
    case TimeUnit::business_day:
      return plural(count, "business day");
    case TimeUnit::month:
      return count % 12 == 0 ? plural(count / 12, "year") : plural(count, "month");
    case TimeUnit::month_end:
      return plural(count, "month") + ", last day";
  }
  return "irregular";
}

Rhythm infer_step(std::span<const Timestamp> all) {
  Rhythm rhythm;
  std::vector<Timestamp> times(all.begin(), all.end());
  std::erase(times, no_date);
  rhythm.missing = static_cast<Index>(all.size() - times.size());
  for (std::size_t i = 1; i < times.size(); ++i) {
    rhythm.repeats += times[i] == times[i - 1];
    rhythm.backwards += times[i] < times[i - 1];
  }
  const auto intervals = differences(times, in_seconds);
  if (intervals.empty()) return rhythm;

  const TimeUnit unit = unit_of(times, most_frequent(intervals));
  const auto steps = differences(times, unit);
  const Index size = most_frequent(steps);
  if (2 * std::ranges::count(steps, size) < std::ssize(steps)) return rhythm;
  rhythm.step = {unit, size};
  for (Index step : steps) {
    rhythm.off_grid += step % size != 0;
    rhythm.gaps += step > size && step % size == 0;
    if (step % size == 0) rhythm.left_out += step / size - 1;
  }
  return rhythm;
}

Timestamp next(Timestamp time, const TimeStep& step, Index n) {
  const Index steps = n * step.count;
  const sys_days today = floor<days>(time);
  const auto clock = time - today;
  const year_month_day date(today);
  switch (step.unit) {
    case TimeUnit::none:
      break;
    case TimeUnit::second:
      return time + seconds(steps);
    case TimeUnit::business_day:
      return business_day(business_days(today) + steps) + clock;
    case TimeUnit::month:
    case TimeUnit::month_end: {
      const year_month_day moved = month_number(months(date) + steps, std::chrono::day(1));
      const bool end = step.unit == TimeUnit::month_end || date.day() > last_day(moved);
      return sys_days(moved.year() / moved.month() / (end ? last_day(moved) : date.day())) + clock;
    }
  }
  throw Error(ErrorKind::value, "no date follows where the step is irregular");
}

}  // namespace unroll
