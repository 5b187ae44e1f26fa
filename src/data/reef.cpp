// "reef": the embedded series, a volatility index that we simulate.
//
// The level is 8 + exp(x): such an index has a floor, from which rises are steep and falls are
// slow. x is the sum of three parts, one step a business day:
//
//   slow   the regime: returns to its mean with a half-life of about nine months
//   fast   scares: returns to 0 with a half-life of about four weeks; moved by the daily shocks
//   and,
//          a few times a year, by a jump upwards
//   noise  the reading's own error, gone the next day
//
// The shocks are normal; their scale follows the last moves, so that large ones cluster, and
// follows rises more than falls. An index that looks 30 days ahead sinks before a weekend and is
// back after it: the weekday's effect. What a forecast can know is the pull of `fast` and `noise`
// back to their means and the day of the week; the rest is chance. The sizes are of the order that
// is reported of such indices in general; none was chosen for the sake of a model.
//
// Rounded to cents, so that the last bits of a machine's log and exp do not show: the series is the
// same everywhere (a test holds its sum).
#include <algorithm>
#include <cmath>
#include <vector>

#include "src/base/random.h"
#include "unroll/table.h"

namespace unroll {

namespace {

constexpr Index days_count = 9000;
constexpr Index settling = 1000;  ///< days that are simulated and left out
constexpr std::uint64_t seed = 20240628;

constexpr double mean = 2.15;  ///< of x: a level of about 16.6
constexpr double jumps_a_day = 4.0 / 252;
constexpr double least_jump = 0.1;
constexpr double mean_excess = 0.15;  ///< of a jump, over the least

/// One stream of random numbers for each use, so that a change to one leaves the others alone.
enum Stream : std::uint64_t { shocks = 1, regimes, readings, jump_days, jump_sizes };

class Reef {
 public:
  /// The level of the day, in cents.
  double next(Index day, int weekday) {
    const auto at = static_cast<std::uint64_t>(day);
    const double shock = std::sqrt(variance_) * shocks_.normal(at);
    double jump = 0;
    if (jump_days_.uniform(at) < jumps_a_day) {
      jump = least_jump - mean_excess * std::log(1 - jump_sizes_.uniform(at));
    }
    const double move = shock + jump;
    slow_ += 0.0037 * (mean - slow_) + 0.02 * regimes_.normal(at);
    fast_ = 0.975 * fast_ + move - jumps_a_day * (least_jump + mean_excess);
    variance_ = 0.0005 + 0.85 * variance_ + (move > 0 ? 0.13 : 0.07) * std::min(move * move, 0.1);
    const double noise = 0.022 * readings_.normal(at);
    return std::round(100 * (8 + std::exp(slow_ + fast_ + noise + weekday_effect(weekday))));
  }

 private:
  static double weekday_effect(int weekday) {
    constexpr double effects[] = {0.014, 0.005, 0.0, -0.003, -0.016};
    return effects[weekday - 1];
  }

  base::Random shocks_{seed, shocks}, regimes_{seed, regimes}, readings_{seed, readings},
      jump_days_{seed, jump_days}, jump_sizes_{seed, jump_sizes};
  double slow_ = mean;
  double fast_ = 0;
  double variance_ = 0.008;
};

}  // namespace

Table reef() {
  using namespace std::chrono;
  const TimeStep step{TimeUnit::business_day, 1};
  const Timestamp last = sys_days(2024y / June / 28);
  std::vector<Timestamp> dates;
  std::vector<double> levels;
  Reef reef;
  for (Index day = 0; day < settling + days_count; ++day) {
    const Timestamp date = next(last, step, day - settling - days_count + 1);
    const double cents = reef.next(day, day_of_week(date));
    if (day < settling) continue;
    dates.push_back(date);
    levels.push_back(cents / 100);
  }
  return Table::Builder("reef")
      .dates("DATE", std::move(dates))
      .numbers("CLOSE", std::move(levels))
      .build();
}

}  // namespace unroll
