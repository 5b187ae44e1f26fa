#include "unroll/schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "unroll/error.h"

namespace unroll {
namespace {

/// step / steps. Throws: Error (value) for no steps.
double share(std::string_view schedule, Index step, Index steps) {
  if (steps > 0) return static_cast<double>(step) / static_cast<double>(steps);
  throw Error(ErrorKind::value, std::string(schedule) + ": decay_steps is too small",
              {.got = std::to_string(steps), .want = "at least 1"});
}

/// From 1 at 0 to alpha at 1, along half a cosine.
double half_cosine(double completed, double alpha) {
  return (1 - alpha) * 0.5 * (1 + std::cos(std::numbers::pi * completed)) + alpha;
}

}  // namespace

void detail::refuse_long_list(std::size_t most) {
  throw Error(ErrorKind::value, "a list of options is too long",
              {.want = "at most " + std::to_string(most) + " values"});
}

double ExponentialDecay::at(Index step) const {
  double completed = share(class_name, step, decay_steps);
  if (staircase) completed = std::floor(completed);
  return initial_learning_rate * std::pow(decay_rate, completed);
}

double PiecewiseConstantDecay::at(Index step) const {
  if (values.size() != boundaries.size() + 1) {
    throw Error(ErrorKind::value, "PiecewiseConstantDecay: the lists do not match",
                {.got = std::to_string(boundaries.size()) + " boundaries and " +
                        std::to_string(values.size()) + " values",
                 .want = "one value more than boundaries"});
  }
  const auto passed = std::count_if(boundaries.begin(), boundaries.end(),
                                    [&](Index boundary) { return step > boundary; });
  return values[static_cast<std::size_t>(passed)];
}

double PolynomialDecay::at(Index step) const {
  double completed = share(class_name, step, decay_steps);
  if (cycle) {
    completed /= std::max(1.0, std::ceil(completed));
  } else {
    completed = std::min(completed, 1.0);
  }
  return (initial_learning_rate - end_learning_rate) * std::pow(1 - completed, power) +
         end_learning_rate;
}

double InverseTimeDecay::at(Index step) const {
  double completed = share(class_name, step, decay_steps);
  if (staircase) completed = std::floor(completed);
  return initial_learning_rate / (1 + decay_rate * completed);
}

double CosineDecay::at(Index step) const {
  if (!warmup_target) {
    const double completed = share(class_name, std::min(step, decay_steps), decay_steps);
    return initial_learning_rate * half_cosine(completed, alpha);
  }
  if (step < warmup_steps) {
    const double warm = share(class_name, step, warmup_steps);
    return (*warmup_target - initial_learning_rate) * warm + initial_learning_rate;
  }
  const Index cooling = std::min(step - warmup_steps, decay_steps);
  return *warmup_target * half_cosine(share(class_name, cooling, decay_steps), alpha);
}

double CosineDecayRestarts::at(Index step) const {
  double completed = share(class_name, step, first_decay_steps);
  double restarts = 0;
  if (t_mul == 1) {
    restarts = std::floor(completed);
    completed -= restarts;
  } else {
    restarts = std::floor(std::log(1 - completed * (1 - t_mul)) / std::log(t_mul));
    const double grown = std::pow(t_mul, restarts);
    completed = (completed - (1 - grown) / (1 - t_mul)) / grown;
  }
  const double height = std::pow(m_mul, restarts);
  const double decayed = 0.5 * height * (1 + std::cos(std::numbers::pi * completed));
  return initial_learning_rate * ((1 - alpha) * decayed + alpha);
}

double LearningRate::at(Index step) const {
  return std::visit(
      [&]<class S>(const S& schedule) {
        if constexpr (std::is_same_v<S, double>) {
          return schedule;
        } else {
          return schedule.at(step);
        }
      },
      schedule_);
}

Schedule parse_schedule(std::string_view class_name) {
  std::optional<Schedule> found;
  std::string names;
  const auto look = [&]<class S>(const S& schedule) {
    if constexpr (!std::is_same_v<S, double>) {
      if (S::class_name == class_name) found = schedule;
      names += (names.empty() ? "" : ", ") + std::string(S::class_name);
    }
  };
  [&]<class... All>(std::type_identity<std::variant<All...>>) {
    (look(All{}), ...);
  }(std::type_identity<Schedule>());
  if (found) return *found;
  throw Error(ErrorKind::value, "no learning rate schedule has this name",
              {.got = '"' + std::string(class_name) + '"', .want = "one of " + names});
}

}  // namespace unroll
