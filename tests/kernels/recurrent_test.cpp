#include "src/kernels/recurrent.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "src/kernels/recurrent_layout.h"
#include "tests/kernels/recurrent_problem.h"
#include "tests/kernels/targets.h"

namespace unroll::kernels {
namespace {

constexpr CellKind all_cells[] = {CellKind::simple_rnn, CellKind::gru, CellKind::gru_reset_after,
                                  CellKind::lstm};
constexpr Masking all_masks[] = {Masking::none, Masking::left, Masking::right, Masking::holes,
                                 Masking::rows};

std::string name_of(const Problem<double>& p) {
  const RecurrentShape& s = p.shape;
  const char* cells[] = {"SimpleRNN", "GRU", "GRU reset_after", "LSTM"};
  const char* masks[] = {"no mask", "left", "right", "holes", "rows"};
  return std::string(cells[static_cast<int>(s.cell)]) + "(" + std::to_string(s.units) + ", " +
         std::string(s.activation.name()) + ", " + std::string(s.recurrent_activation.name()) +
         ") T " + std::to_string(s.time) + " B " + std::to_string(s.rows) + " F " +
         std::to_string(s.features) + ", mask " + masks[static_cast<int>(p.options.masking)] +
         (p.options.zero_output_for_mask ? ", zero output" : "") +
         (p.options.backwards ? ", backwards" : "") + (p.options.sequence ? "" : ", last only") +
         (p.options.initial_state ? "" : ", no initial state") +
         (p.options.bias ? "" : ", no bias");
}

/// Largest difference, as a part of the largest number.
template <class T>
double difference(const Numbers<T>& got, const Numbers<double>& want) {
  double most = 0, scale = 1;
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double apart = std::abs(static_cast<double>(got[i]) - want[i]);
    most = std::isnan(apart) ? apart : std::max(most, apart);
    if (std::isnan(most)) break;
    scale = std::max(scale, std::abs(want[i]));
  }
  return most / scale;
}

template <class T>
void expect_twins(const Problem<double>& exact, const std::string& where = "") {
  const double room = std::is_same_v<T, float> ? 2e-5 : 1e-12;
  const auto close = [&](const char* what, const Numbers<T>& got, const Numbers<double>& want) {
    ASSERT_EQ(got.size(), want.size()) << what << ", " << name_of(exact);
    EXPECT_LE(difference(got, want), room) << what << ", " << name_of(exact) << where;
    EXPECT_FALSE(std::isnan(difference(got, want))) << what << ", " << name_of(exact) << where;
  };
  const Problem<T> problem = exact.as<T>();
  const KernelRun<T> kernels(problem);
  ReferenceRun<double> reference(exact);
  const Outputs<double> want = reference.forward();
  for_each_result(kernels.forward(false), want, close);
  for_each_result(kernels.forward(true), want, close);
  for_each_result(kernels.backward(problem.started_gradients()),
                  reference.backward(exact.started_gradients()), close);
  EXPECT_TRUE(kernels.guarded) << name_of(exact);
}

/// Options in turn, so that each meets many shapes.
ProblemOptions options_of(int i) {
  return {.masking = all_masks[i % 5],
          .zero_output_for_mask = i % 3 == 0,
          .initial_state = i % 4 != 0,
          .bias = i % 7 != 0,
          .backwards = i % 2 == 0,
          .sequence = i % 6 != 1};
}

template <class T>
class Recurrent : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Recurrent, Types);

TYPED_TEST(Recurrent, IsItsTwinForManyShapes) {
  int i = 0;
  for (const CellKind cell : all_cells) {
    for (const Index units : {1, 3, 5, 50, 64, 65}) {
      for (const Index features : {1, 2, 16, 33}) {
        for (const Index rows : {1, 3, 8, 13}) {
          for (const Index time : {1, 2, 7}) {
            if (units > 5 && rows * time > 24 && i++ % 3 != 0)
              continue;  // a third of the slow ones
            const RecurrentShape shape{cell, time, rows, features, units};
            expect_twins<TypeParam>(Problem<double>(shape, options_of(i++)));
          }
        }
      }
    }
  }
}

TYPED_TEST(Recurrent, IsItsTwinForAllActivations) {
  using enum ActivationKind;
  int i = 0;
  for (const CellKind cell : all_cells) {
    for (const Activation act : {linear, relu, sigmoid, tanh, hard_sigmoid}) {
      for (const Activation rec : {linear, relu, sigmoid, tanh, hard_sigmoid}) {
        if (cell == CellKind::simple_rnn && rec != act) continue;
        const RecurrentShape shape{cell, 5, 3, 2, 9, act, rec};
        ASSERT_TRUE(fused(shape));
        expect_twins<TypeParam>(Problem<double>(shape, options_of(i++)));
      }
    }
  }
}

TYPED_TEST(Recurrent, IsItsTwinWithEveryMask) {
  for (const CellKind cell : all_cells) {
    for (int i = 0; i < 5 * 8; ++i) {
      ProblemOptions options{.masking = all_masks[i % 5],
                             .zero_output_for_mask = i / 5 % 2 == 1,
                             .initial_state = i / 10 % 2 == 1,
                             .backwards = i / 20 % 2 == 1};
      // 80 steps of 4 rows are more than one chunk of steps.
      expect_twins<TypeParam>(Problem<double>({cell, i % 3 == 0 ? 80 : 6, 4, 3, 10}, options));
    }
  }
}

// More rows than a tile has, and more terms than a piece of a product has.
TYPED_TEST(Recurrent, IsItsTwinWhenLarge) {
  for (const CellKind cell : all_cells) {
    expect_twins<TypeParam>(Problem<double>({cell, 3, 37, 9, 20}, {.masking = Masking::holes}));
    expect_twins<TypeParam>(Problem<double>({cell, 2, 9, 210, 130}, {}));
  }
}

// Gradients of weights that are summed up in panels: of several chunks of steps, neither rows nor
// columns in whole strips.
RecurrentShape in_panels(CellKind cell) {
  return {cell, 12, 24, 33, gates(cell) == 1 ? 350 : gates(cell) == 3 ? 194 : 166};
}

TYPED_TEST(Recurrent, IsItsTwinInPanels) {
  for (const CellKind cell : all_cells) {
    ASSERT_TRUE(RecurrentLayout<TypeParam>(in_panels(cell)).sums_in_panels());
    for (const Masking masking : {Masking::none, Masking::holes, Masking::rows}) {
      expect_twins<TypeParam>(Problem<double>(in_panels(cell), {.masking = masking}));
    }
    expect_twins<TypeParam>(Problem<double>(in_panels(cell), {.bias = false, .backwards = true}));
  }
}

TYPED_TEST(Recurrent, IsItsTwinOnEveryTarget) {
  on_every_target([](const std::string& target) {
    for (const CellKind cell : all_cells) {
      for (const Index rows : {1, 8, 11}) {
        const RecurrentShape shape{cell, 5, rows, 3, 21};
        expect_twins<TypeParam>(Problem<double>(shape, {.masking = Masking::holes}), " " + target);
        expect_twins<TypeParam>(Problem<double>(shape, {}), " " + target);
      }
      expect_twins<TypeParam>(Problem<double>(in_panels(cell), {}), " " + target);
    }
  });
}

TYPED_TEST(Recurrent, ARowHasTheSameBitsAloneAndInABatch) {
  using T = TypeParam;
  for (const CellKind cell : all_cells) {
    for (const Masking masking : all_masks) {
      for (const Index rows : {2, 13, 21}) {
        const Problem<T> problem({cell, 6, rows, 5, 50}, {.masking = masking});
        const KernelRun<T> batch(problem);
        const Outputs<T> outputs = batch.forward(true);
        Gradients<T> wanted;
        wanted.dx = problem.started_gradients().dx;
        wanted.dh0 = problem.started_gradients().dh0;
        const Gradients<T> gradients = batch.backward(wanted);
        for (Index row = 0; row < rows; ++row) {
          const Problem<T> one = problem.alone(row);
          const KernelRun<T> alone(one);
          const auto same = [&](const char* what, const Numbers<T>& got, const Numbers<T>& all) {
            const Index n = std::string(what) == "dx" ? 5 : 50;
            EXPECT_EQ(got, problem.rows_of(all, n, row)) << what << " of row " << row;
          };
          for_each_result(alone.forward(true), outputs, same);
          Gradients<T> wanted_alone;
          wanted_alone.dx = one.started_gradients().dx;
          wanted_alone.dh0 = one.started_gradients().dh0;
          for_each_result(alone.backward(wanted_alone), gradients, same);
        }
      }
    }
  }
}

TYPED_TEST(Recurrent, PredictsTheBitsThatItTrainsOn) {
  using T = TypeParam;
  for (const CellKind cell : all_cells) {
    for (int i = 0; i < 10; ++i) {
      const Problem<T> problem({cell, 9, 5, 3, 27}, options_of(i));
      const KernelRun<T> run(problem);
      for_each_result(run.forward(false), run.forward(true),
                      [](const char* what, const Numbers<T>& predicted, const Numbers<T>& trained) {
                        EXPECT_EQ(predicted, trained) << what;
                      });
    }
  }
}

TYPED_TEST(Recurrent, AMaskOfOnesIsNoMask) {
  using T = TypeParam;
  for (const CellKind cell : all_cells) {
    Problem<T> plain({cell, 70, 4, 3, 27}, {});
    Problem<T> masked = plain;
    masked.mask.assign(70 * 4, 1);
    const KernelRun<T> a(plain), b(masked);
    const auto same = [](const char* what, const Numbers<T>& x, const Numbers<T>& y) {
      EXPECT_EQ(x, y) << what;
    };
    for_each_result(a.forward(true), b.forward(true), same);
    for_each_result(a.backward(plain.started_gradients()), b.backward(plain.started_gradients()),
                    same);
  }
}

TYPED_TEST(Recurrent, ATeamComputesTheBitsOfOneThread) {
  using T = TypeParam;
  base::Workers workers(3);
  for (const CellKind cell : all_cells) {
    for (const Masking masking : all_masks) {
      for (const RecurrentShape& shape : {RecurrentShape{cell, 9, 5, 33, 130}, in_panels(cell)}) {
        const Problem<T> problem(shape, {.masking = masking});
        const KernelRun<T> alone(problem);
        KernelRun<T> shared(problem);
        shared.team = &workers;
        const auto same = [](const char* what, const Numbers<T>& a, const Numbers<T>& b) {
          EXPECT_EQ(a, b) << what;
        };
        for_each_result(shared.forward(false), alone.forward(false), same);
        for_each_result(shared.forward(true), alone.forward(true), same);
        for_each_result(shared.backward(problem.started_gradients()),
                        alone.backward(problem.started_gradients()), same);
        EXPECT_TRUE(shared.guarded);
      }
    }
  }
}

template <class T>
void expect_unwanted_gradients_change_nothing(const RecurrentShape& shape, int step) {
  const Problem<T> problem(shape, {});
  const KernelRun<T> run(problem);
  run.forward(true);
  const Gradients<T> all = run.backward(problem.started_gradients());
  for (int without = 0; without < 64; without += step) {
    Gradients<T> wanted = problem.started_gradients(), expected = all;
    const auto leave_out = [&](int bit, Numbers<T>& a, Numbers<T>& b) {
      if (without & 1 << bit) {
        a.clear();
        b.clear();
      }
    };
    leave_out(0, wanted.dx, expected.dx);
    leave_out(1, wanted.dh0, expected.dh0);
    leave_out(2, wanted.dc0, expected.dc0);
    leave_out(3, wanted.weights.kernel, expected.weights.kernel);
    leave_out(4, wanted.weights.recurrent_kernel, expected.weights.recurrent_kernel);
    leave_out(5, wanted.weights.bias, expected.weights.bias);
    for_each_result(run.backward(wanted), expected,
                    [](const char* what, const Numbers<T>& got, const Numbers<T>& want) {
                      EXPECT_EQ(got, want) << what;
                    });
  }
}
TYPED_TEST(Recurrent, GradientsThatNobodyWantsChangeNothing) {
  for (const CellKind cell : all_cells) {
    expect_unwanted_gradients_change_nothing<TypeParam>({cell, 5, 4, 3, 12}, 1);
    expect_unwanted_gradients_change_nothing<TypeParam>(in_panels(cell), 8);  // those of weights
  }
}

TYPED_TEST(Recurrent, NoStepsLeaveTheState) {
  using T = TypeParam;
  for (const CellKind cell : all_cells) {
    const Problem<T> problem({cell, 0, 2, 3, 5}, {});
    const KernelRun<T> run(problem);
    for (const bool training : {false, true}) {
      const Outputs<T> out = run.forward(training);
      EXPECT_EQ(out.h_last, problem.h0);
      EXPECT_EQ(out.c_last, problem.c0);
      EXPECT_EQ(out.last, Numbers<T>(10));
    }
    Gradients<T> wanted;
    wanted.dh0.assign(10, 0);
    EXPECT_EQ(run.backward(wanted).dh0, problem.dh_last);
  }
}

// --- the twin itself, by differences ---
double loss(const Problem<double>& p) {
  ReferenceRun<double> run(p);
  const Outputs<double> out = run.forward();
  double sum = 0;
  const auto add = [&](const Numbers<double>& a, const Numbers<double>& b) {
    for (std::size_t i = 0; i < b.size(); ++i) sum += a[i] * b[i];
  };
  add(out.y, p.dy);
  add(out.last, p.dlast);
  add(out.h_last, p.dh_last);
  add(out.c_last, p.dc_last);
  return sum;
}

void expect_slopes(Problem<double>& p, Numbers<double>& numbers, const Numbers<double>& slopes,
                   const char* what) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double old = numbers[i], h = 1e-5;
    numbers[i] = old + h;
    const double up = loss(p);
    numbers[i] = old - h;
    const double down = loss(p);
    numbers[i] = old;
    EXPECT_NEAR(slopes[i], (up - down) / (2 * h), 2e-8) << what << i << ", " << name_of(p);
  }
}

TEST(RecurrentTwin, HasTheGradientsOfItsDifferences) {
  using enum ActivationKind;
  for (const CellKind cell : all_cells) {
    for (const Masking masking : all_masks) {
      for (const bool zero : {false, true}) {
        Problem<double> p({cell, 4, 3, 2, 3, tanh, zero ? hard_sigmoid : sigmoid},
                          {.masking = masking, .zero_output_for_mask = zero});
        Gradients<double> none = p.started_gradients();
        for (auto* v : {&none.dx, &none.dh0, &none.dc0, &none.weights.kernel,
                        &none.weights.recurrent_kernel, &none.weights.bias}) {
          v->assign(v->size(), 0);
        }
        ReferenceRun<double> run(p);
        run.forward();
        const Gradients<double> d = run.backward(none);
        expect_slopes(p, p.x, d.dx, "x");
        expect_slopes(p, p.h0, d.dh0, "h0");
        expect_slopes(p, p.c0, d.dc0, "c0");
        expect_slopes(p, p.weights.kernel, d.weights.kernel, "kernel");
        expect_slopes(p, p.weights.recurrent_kernel, d.weights.recurrent_kernel, "recurrent");
        expect_slopes(p, p.weights.bias, d.weights.bias, "bias");
      }
    }
  }
}

TEST(RecurrentFused, KnowsItsActivations) {
  using enum ActivationKind;
  RecurrentShape shape{CellKind::simple_rnn, 1, 1, 1, 1, tanh, gelu};
  EXPECT_TRUE(fused(shape));  // a SimpleRNN has no recurrent activation
  shape.cell = CellKind::lstm;
  EXPECT_FALSE(fused(shape));
  shape.recurrent_activation = hard_sigmoid;
  EXPECT_TRUE(fused(shape));
  shape.activation = softmax;
  EXPECT_FALSE(fused(shape));
}

}  // namespace
}  // namespace unroll::kernels
