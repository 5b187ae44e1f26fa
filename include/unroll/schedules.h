// Learning rates: a number, or a schedule that gives one for each step.
//
//   Adam{.learning_rate = 1e-2}
//   SGD{.learning_rate = ExponentialDecay{.initial_learning_rate = 0.1, .decay_steps = 1000,
//                                         .decay_rate = 0.9}}
//
// Names, order and defaults are Keras's. `at(step)` is the rate of an update: step 0 is the first.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <variant>

#include "unroll/index.h"
#include "unroll/short_list.h"

namespace unroll {

/// initial_learning_rate * decay_rate^(step / decay_steps); staircase: in whole powers.
struct ExponentialDecay {
  double initial_learning_rate = 0.001;
  Index decay_steps = 1;
  double decay_rate = 1;
  bool staircase = false;

  static constexpr std::string_view class_name = "ExponentialDecay";
  double at(Index step) const;
  template <class D>
  void describe(D& d) {
    d.field("initial_learning_rate", initial_learning_rate);
    d.field("decay_steps", decay_steps);
    d.field("decay_rate", decay_rate);
    d.field("staircase", staircase);
  }
};

/// values[0] up to and including step boundaries[0], then values[1] up to boundaries[1], ...
/// Requires: one value more than boundaries; at most 32 boundaries.
struct PiecewiseConstantDecay {
  ShortList<Index, 32> boundaries = {};
  ShortList<double, 33> values = {};

  static constexpr std::string_view class_name = "PiecewiseConstantDecay";
  double at(Index step) const;
  template <class D>
  void describe(D& d) {
    d.field("boundaries", boundaries);
    d.field("values", values);
  }
};

/// From initial_learning_rate to end_learning_rate in decay_steps, along a power; cycle: again and
/// again, in ever more steps.
struct PolynomialDecay {
  double initial_learning_rate = 0.001;
  Index decay_steps = 1;
  double end_learning_rate = 0.0001;
  double power = 1;
  bool cycle = false;

  static constexpr std::string_view class_name = "PolynomialDecay";
  double at(Index step) const;
  template <class D>
  void describe(D& d) {
    d.field("initial_learning_rate", initial_learning_rate);
    d.field("decay_steps", decay_steps);
    d.field("end_learning_rate", end_learning_rate);
    d.field("power", power);
    d.field("cycle", cycle);
  }
};

/// initial_learning_rate / (1 + decay_rate * step / decay_steps); staircase: in whole quotients.
struct InverseTimeDecay {
  double initial_learning_rate = 0.001;
  Index decay_steps = 1;
  double decay_rate = 1;
  bool staircase = false;

  static constexpr std::string_view class_name = "InverseTimeDecay";
  double at(Index step) const;
  template <class D>
  void describe(D& d) {
    d.field("initial_learning_rate", initial_learning_rate);
    d.field("decay_steps", decay_steps);
    d.field("decay_rate", decay_rate);
    d.field("staircase", staircase);
  }
};

/// Half a cosine, down to alpha times where it began. With warmup_target: first in warmup_steps
/// from initial_learning_rate straight to it. Source: Loshchilov and Hutter, 2016.
struct CosineDecay {
  double initial_learning_rate = 0.001;
  Index decay_steps = 1;
  double alpha = 0;
  std::optional<double> warmup_target = {};
  Index warmup_steps = 0;

  static constexpr std::string_view class_name = "CosineDecay";
  double at(Index step) const;
  template <class D>
  void describe(D& d) {
    d.field("initial_learning_rate", initial_learning_rate);
    d.field("decay_steps", decay_steps);
    d.field("alpha", alpha);
    d.field("warmup_target", warmup_target);
    d.field("warmup_steps", warmup_steps);
  }
};

/// Half cosines that start anew, each t_mul times as long and m_mul times as high as the one
/// before.
struct CosineDecayRestarts {
  double initial_learning_rate = 0.001;
  Index first_decay_steps = 1;
  double t_mul = 2;
  double m_mul = 1;
  double alpha = 0;

  static constexpr std::string_view class_name = "CosineDecayRestarts";
  double at(Index step) const;
  template <class D>
  void describe(D& d) {
    d.field("initial_learning_rate", initial_learning_rate);
    d.field("first_decay_steps", first_decay_steps);
    d.field("t_mul", t_mul);
    d.field("m_mul", m_mul);
    d.field("alpha", alpha);
  }
};

using Schedule = std::variant<double, ExponentialDecay, PiecewiseConstantDecay, PolynomialDecay,
                              InverseTimeDecay, CosineDecay, CosineDecayRestarts>;

/// A learning rate: a number, or a schedule.
class LearningRate {
 public:
  constexpr LearningRate(double rate) noexcept : schedule_(rate) {}
  template <class S>
  requires requires(const S& schedule) { S::class_name, schedule.S::at(Index{0}); }
  constexpr LearningRate(const S& schedule) : schedule_(schedule) {}

  constexpr const Schedule& schedule() const noexcept { return schedule_; }
  constexpr bool constant() const noexcept { return std::holds_alternative<double>(schedule_); }
  /// The rate of an update, 0 being the first.
  /// Throws: Error (value) for a schedule without steps, or whose lists do not match.
  double at(Index step) const;

 private:
  Schedule schedule_;
};

/// A schedule with Keras's class name and defaults, to be described (loading, options in files).
/// Throws: Error (value) that lists the names.
Schedule parse_schedule(std::string_view class_name);

}  // namespace unroll
