#include "src/kernels/recurrent_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/kernels/recurrent_problem.h"
#include "tests/kernels/targets.h"

namespace unroll::kernels {
namespace {

constexpr CellKind all_cells[] = {CellKind::simple_rnn, CellKind::gru, CellKind::gru_reset_after,
                                  CellKind::lstm};

/// The largest difference from the plain loops in double precision, over all steps.
double steps_apart(const RecurrentShape& shape, WeightType type, bool bias) {
  const Problem<double> exact(shape, {.initial_state = true, .bias = bias, .backwards = false});
  const Problem<float> p = exact.as<float>();
  const Outputs<double> want = ReferenceRun<double>(exact).forward();
  const RecurrentStep step(shape, p.weights.kernel.data(), p.weights.recurrent_kernel.data(),
                           bias ? p.weights.bias.data() : nullptr, type);
  const auto room = static_cast<std::size_t>(gemv_room(shape.units));
  Numbers<float> h = p.h0, c = p.c0, y(room);
  h.resize(room);
  c.resize(room);
  const Buffer<float> scratch(step.scratch());
  double worst = 0;
  const auto compare = [&](float got, double wanted) {
    const double apart = std::abs(static_cast<double>(got) - wanted);
    worst = std::isnan(apart) ? INFINITY : std::max(worst, apart);
  };
  for (Index t = 0; t < shape.time; ++t) {
    step.run({.x = p.x.data() + t * shape.features,
              .h = h.data(),
              .c = c.data(),
              .y = y.data(),
              .scratch = scratch.data(),
              .backwards = t % 2 != 0});
    for (std::size_t u = 0; u < p.h0.size(); ++u) {
      compare(h[u], want.y[static_cast<std::size_t>(t) * p.h0.size() + u]);
      EXPECT_EQ(y[u], h[u]);
    }
  }
  for (std::size_t u = 0; u < p.c0.size(); ++u) compare(c[u], want.c_last[u]);
  EXPECT_TRUE(scratch.guarded());
  return worst;
}

void expect_twins(WeightType type, double room, const std::string& target) {
  for (const CellKind cell : all_cells) {
    for (const Index units : {1, 3, 8, 16, 20, 50}) {
      for (const Index features : {1, 2, 7, 33}) {
        RecurrentShape shape{
            .cell = cell, .time = 9, .rows = 1, .features = features, .units = units};
        EXPECT_LT(steps_apart(shape, type, units != 8), room)
            << target << ", cell " << static_cast<int>(cell) << ", U " << units << ", F "
            << features;
      }
    }
  }
}

TEST(RecurrentStep, IsThePlainLoops) {
  on_every_target([](const std::string& target) {
    expect_twins(WeightType::float32, 2e-5, target);
    expect_twins(WeightType::bfloat16, 5e-2, target);
    expect_twins(WeightType::int8, 0.12, target);
  });
}

TEST(RecurrentStep, HasEveryFusedActivation) {
  const Activation kinds[] = {"linear", "relu", "sigmoid", "tanh", "hard_sigmoid"};
  for (const CellKind cell : all_cells) {
    for (const Activation activation : kinds) {
      for (const Activation recurrent : kinds) {
        RecurrentShape shape{.cell = cell, .time = 3, .rows = 1, .features = 4, .units = 11};
        shape.activation = activation;
        shape.recurrent_activation = recurrent;
        EXPECT_LT(steps_apart(shape, WeightType::float32, true), 2e-5)
            << static_cast<int>(cell) << " " << activation.name() << " " << recurrent.name();
      }
    }
  }
}

/// h and c.
using States = std::pair<std::vector<float>, std::vector<float>>;

States stepped(const RecurrentStep& step, States states, const float* x, int steps, bool in_turns) {
  const auto room = static_cast<std::size_t>(gemv_room(step.shape().units));
  states.first.resize(room);
  states.second.resize(room);
  std::vector<float> y(room);
  const Buffer<float> scratch(step.scratch());
  for (int t = 0; t < steps; ++t) {
    step.run({.x = x,
              .h = states.first.data(),
              .c = states.second.data(),
              .y = y.data(),
              .scratch = scratch.data(),
              .backwards = in_turns && t % 2 != 0});
  }
  const auto units = static_cast<std::size_t>(step.shape().units);
  states.first.resize(units);
  states.second.resize(units);
  return states;
}

TEST(RecurrentStep, IsTheSameInEitherOrder) {
  for (const CellKind cell : all_cells) {
    const RecurrentShape shape{.cell = cell, .time = 1, .rows = 1, .features = 30, .units = 70};
    const Problem<float> p = Problem<double>(shape, {}).as<float>();
    for (const WeightType type : {WeightType::float32, WeightType::bfloat16, WeightType::int8}) {
      const RecurrentStep step(shape, p.weights.kernel.data(), p.weights.recurrent_kernel.data(),
                               p.weights.bias.data(), type);
      EXPECT_EQ(stepped(step, {p.h0, p.c0}, p.x.data(), 4, true),
                stepped(step, {p.h0, p.c0}, p.x.data(), 4, false))
          << static_cast<int>(cell) << " " << static_cast<int>(type);
    }
  }
}

/// States that are halved by each step: by the weight of SimpleRNN, by gates that are sigmoid(0).
TEST(RecurrentStep, ForgetsWhatDiesAway) {
  on_every_target([](const std::string& target) {
    for (const CellKind cell : all_cells) {
      const std::string where = target + ", cell " + std::to_string(static_cast<int>(cell));
      const RecurrentShape shape{.cell = cell, .time = 1, .rows = 1, .features = 1, .units = 1};
      const std::vector<float> none(4), half{0.5f, 0, 0, 0};
      const bool simple = cell == CellKind::simple_rnn;
      const RecurrentStep step(shape, none.data(), simple ? half.data() : none.data(), nullptr,
                               WeightType::float32);
      const float x = 0;
      const auto [h, c] = stepped(step, {{1}, {1}}, &x, 98, false);
      EXPECT_GT(h[0], tiny_state) << where;
      EXPECT_LT(h[0], 4 * tiny_state) << where;
      const auto [last_h, last_c] = stepped(step, {h, c}, &x, 3, false);
      EXPECT_EQ(last_h[0], 0) << where;
      if (cell == CellKind::lstm) {
        EXPECT_EQ(last_c[0], 0) << where;
      }
    }
  });
}

}  // namespace
}  // namespace unroll::kernels
