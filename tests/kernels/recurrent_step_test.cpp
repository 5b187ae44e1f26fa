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
  Numbers<float> h = p.h0, c = p.c0;
  const Buffer<float> scratch(step.scratch());
  double worst = 0;
  const auto compare = [&](float got, double wanted) {
    const double apart = std::abs(static_cast<double>(got) - wanted);
    worst = std::isnan(apart) ? INFINITY : std::max(worst, apart);
  };
  for (Index t = 0; t < shape.time; ++t) {
    step.run(p.x.data() + t * shape.features, h.data(), c.data(), scratch.data());
    for (std::size_t u = 0; u < h.size(); ++u) {
      compare(h[u], want.y[static_cast<std::size_t>(t) * h.size() + u]);
    }
  }
  for (std::size_t u = 0; u < c.size(); ++u) compare(c[u], want.c_last[u]);
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

}  // namespace
}  // namespace unroll::kernels
