#include "src/plot/ticks.h"

#include <array>
#include <cstdint>
#include <cstdio>

namespace unroll::plot {

namespace {

using namespace std::chrono;

enum class Unit { seconds, days, months };

struct Spacing {
  Unit unit;
  std::int64_t count;
};

// Each divides a larger round unit, so that ticks fall on round times.
constexpr std::array<Spacing, 34> spacings = {{
    {Unit::seconds, 1},    {Unit::seconds, 5},     {Unit::seconds, 15},    {Unit::seconds, 30},
    {Unit::seconds, 60},   {Unit::seconds, 300},   {Unit::seconds, 900},   {Unit::seconds, 1800},
    {Unit::seconds, 3600}, {Unit::seconds, 10800}, {Unit::seconds, 21600}, {Unit::seconds, 43200},
    {Unit::days, 1},       {Unit::days, 2},        {Unit::days, 7},        {Unit::months, 1},
    {Unit::months, 2},     {Unit::months, 3},      {Unit::months, 6},      {Unit::months, 12},
    {Unit::months, 24},    {Unit::months, 48},     {Unit::months, 60},     {Unit::months, 120},
    {Unit::months, 240},   {Unit::months, 300},    {Unit::months, 600},    {Unit::months, 1200},
    {Unit::months, 2400},  {Unit::months, 6000},   {Unit::months, 12000},  {Unit::months, 24000},
    {Unit::months, 60000}, {Unit::months, 120000},
}};

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

/// A time as a whole number of units, rounded down; days count from a Monday.
std::int64_t number(Time time, Unit unit) {
  const sys_days midnight = floor<days>(time);
  const year_month_day date(midnight);
  switch (unit) {
    case Unit::seconds:
      return time.time_since_epoch().count();
    case Unit::days:
      return midnight.time_since_epoch().count() + 3;  // 1970-01-01 was a Thursday
    case Unit::months:
      return 12 * static_cast<std::int64_t>(static_cast<int>(date.year())) +
             static_cast<unsigned>(date.month()) - 1;
  }
  return 0;
}

Time time_of(std::int64_t number, Unit unit) {
  switch (unit) {
    case Unit::seconds:
      return Time(seconds(number));
    case Unit::days:
      return sys_days(days(number - 3));
    case Unit::months: {
      const std::int64_t y = floor_divide(number, 12);
      const auto m = static_cast<unsigned>(number - 12 * y + 1);
      return sys_days(year(static_cast<int>(y)) / month(m) / 1);
    }
  }
  return {};
}

std::string label(Time time, const Spacing& spacing) {
  constexpr const char* names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_days midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  const char* const month_name = names[static_cast<unsigned>(date.month()) - 1];
  char text[48];
  if (spacing.unit == Unit::months && spacing.count % 12 == 0) {
    std::snprintf(text, sizeof(text), "%d", static_cast<int>(date.year()));
  } else if (spacing.unit == Unit::months) {
    std::snprintf(text, sizeof(text), "%s %d", month_name, static_cast<int>(date.year()));
  } else if (spacing.unit == Unit::days || time == midnight) {
    std::snprintf(text, sizeof(text), "%u %s", static_cast<unsigned>(date.day()), month_name);
  } else if (spacing.count < 60) {
    std::snprintf(text, sizeof(text), "%02d:%02d:%02d", static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
  } else {
    std::snprintf(text, sizeof(text), "%02d:%02d", static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()));
  }
  return text;
}

/// How many multiples of the spacing lie from first to last.
std::int64_t count(Time first, Time last, const Spacing& spacing) {
  return floor_divide(number(last, spacing.unit), spacing.count) -
         floor_divide(number(first, spacing.unit), spacing.count) + 1;
}

}  // namespace

std::vector<Tick> date_ticks(Time first, Time last, int most) {
  std::size_t choice = 0;
  // The first multiple may lie just before the axis, hence one more.
  while (choice + 1 < spacings.size() && count(first, last, spacings[choice]) > most + 1) ++choice;
  const Spacing& spacing = spacings[choice];
  std::vector<Tick> ticks;
  const std::int64_t begin = floor_divide(number(first, spacing.unit), spacing.count);
  for (std::int64_t i = begin; i < begin + count(first, last, spacing); ++i) {
    const Time time = time_of(i * spacing.count, spacing.unit);
    if (time >= first && time <= last) ticks.push_back({time, label(time, spacing)});
  }
  if (ticks.size() > static_cast<std::size_t>(most)) ticks.erase(ticks.begin());
  return ticks;
}

}  // namespace unroll::plot
