// Optimisers: formulas, clipping, averages, refusals. Keras's numbers are in tests/golden.
#include "unroll/optimizers.h"

#include "tests/training/close.h"

namespace unroll {
namespace {

/// The flat vectors of a model: weights, gradient and slots.
template <class T>
struct Flat {
  Flat(const Optimizer& optimizer, std::vector<T> weights)
      : w(std::move(weights)),
        g(w.size()),
        slots(static_cast<std::size_t>(slot_count(optimizer)),
              Tensor({static_cast<Index>(w.size())}, dtype_of<T>)) {
    for (Tensor& slot : slots) slot = slot.clone();
    initialize_slots(optimizer, slots);
  }

  std::vector<T*> rows(std::size_t first) {
    std::vector<T*> rows;
    for (Tensor& slot : slots) rows.push_back(slot.template values<T>().data() + first);
    return rows;
  }
  /// In parts, as several threads would.
  void step(const Optimizer& optimizer, Index iteration, std::size_t part) {
    for (std::size_t first = 0; first < w.size(); first += part) {
      const auto count = static_cast<Index>(std::min(part, w.size() - first));
      const std::vector<T*> slot_rows = rows(first);
      apply<T>(optimizer, iteration, count, g.data() + first, w.data() + first, slot_rows);
    }
  }

  std::vector<T> w, g;
  std::vector<Tensor> slots;
};

const Optimizer all[] = {SGD{},
                         SGD{.momentum = 0.9},
                         SGD{.momentum = 0.9, .nesterov = true, .weight_decay = 0.1},
                         RMSprop{.momentum = 0.5, .centered = true},
                         Adam{.amsgrad = true, .use_ema = true},
                         AdamW{},
                         Adamax{},
                         Nadam{},
                         Adagrad{},
                         Adadelta{},
                         Ftrl{.l1_regularization_strength = 0.01},
                         Lion{}};

TEST(Optimizers, DoNotSeeHowTheVectorIsCut) {
  for (const Optimizer& optimizer : all) {
    SCOPED_TRACE(optimizer.class_name());
    std::vector<float> start;
    for (int i = 0; i < 53; ++i) start.push_back(std::sin(float(i)));
    Flat<float> whole(optimizer, start), parts(optimizer, start);
    for (Index t = 1; t <= 4; ++t) {
      for (std::size_t i = 0; i < start.size(); ++i) {
        whole.g[i] = parts.g[i] = std::cos(float(t) * float(i + 1));
      }
      whole.step(optimizer, t, start.size());
      parts.step(optimizer, t, 5);
    }
    EXPECT_EQ(whole.w, parts.w);
    EXPECT_NE(whole.w, start);
  }
}

TEST(Optimizers, FindTheMinimumOfAParabola) {
  for (Optimizer optimizer : all) {
    SCOPED_TRACE(optimizer.class_name());
    const bool slow = std::holds_alternative<Adadelta>(optimizer.options());
    optimizer.set_learning_rate(slow ? 5.0 : 0.02);
    Flat<double> flat(optimizer, {1.0, -0.5});
    for (Index t = 1; t <= 3000; ++t) {
      flat.g = {2 * flat.w[0], 2 * flat.w[1]};
      flat.step(optimizer, t, 2);
    }
    EXPECT_NEAR(flat.w[0], 0, 0.05);
    EXPECT_NEAR(flat.w[1], 0, 0.05);
  }
}

TEST(Optimizers, LionAndFtrlAreTheirFormulas) {
  Flat<double> lion(Lion{.learning_rate = 0.1}, {1.0, 2.0, 3.0});
  lion.g = {0.5, -3.0, 0.0};
  lion.step(Lion{.learning_rate = 0.1}, 1, 3);
  EXPECT_EQ(lion.w, (std::vector<double>{1.0 - 0.1, 2.0 + 0.1, 3.0}));
  EXPECT_NEAR(lion.slots[0].values<double>()[1], -0.03, 1e-15);

  const Ftrl options{.learning_rate = 0.5,
                     .initial_accumulator_value = 0.25,
                     .l1_regularization_strength = 0.1,
                     .l2_regularization_strength = 0.3};
  Flat<double> ftrl(options, {2.0, 0.0});
  ftrl.g = {1.0, 0.05};
  ftrl.step(options, 1, 2);
  // a = 1.25, sqrt(a) - sqrt(0.25) = 0.61803, linear = 1 - 0.61803 / 0.5 * 2
  const double linear = 1 - (std::sqrt(1.25) - 0.5) / 0.5 * 2;
  EXPECT_NEAR(ftrl.w[0], (-0.1 - linear) / (std::sqrt(1.25) / 0.5 + 0.6), 1e-12);
  EXPECT_EQ(ftrl.w[1], 0);  // |linear| = 0.05 is below l1
}

TEST(Optimizers, OverwriteWeightsByTheirAverage) {
  const SGD options{
      .learning_rate = 1, .use_ema = true, .ema_momentum = 0.5, .ema_overwrite_frequency = 2};
  Flat<double> flat(options, {0.0});
  flat.g = {-1.0};
  flat.step(options, 1, 1);
  EXPECT_EQ(flat.w[0], 1);  // the average is 1 too
  flat.step(options, 2, 1);
  EXPECT_EQ(flat.w[0], 1.5);  // 2, replaced by (1 + 2) / 2
}

TEST(Optimizers, GatherGradientsOfSeveralBatches) {
  const SGD options{.learning_rate = 0.5, .use_ema = true, .gradient_accumulation_steps = 3};
  Flat<double> flat(options, {1.0, 2.0});
  EXPECT_EQ(slot_names(options),
            (std::vector<std::string_view>{"gradient_accumulator", "average"}));
  const std::vector<double*> rows = flat.rows(0);
  std::vector<double> weights;
  for (Index batch = 1; batch <= 6; ++batch) {
    flat.g = {double(batch), -1};
    if (accumulate<double>(options, batch, 2, flat.g.data(), rows)) {
      EXPECT_EQ(batch % 3, 0);
      flat.step(options, batch / 3, 2);
    }
    weights.push_back(flat.w[0]);
  }
  // The means of 1, 2, 3 and of 4, 5, 6 are 2 and 5.
  expect_close(weights, {1, 1, 0, 0, 0, -2.5}, 1e-15, 0, "weights");
  EXPECT_EQ(batches_per_step(options), 3);
  // A schedule's steps are batches.
  const SGD falling{.learning_rate = PiecewiseConstantDecay{.boundaries = {2}, .values = {1, 0.1}},
                    .gradient_accumulation_steps = 4};
  Flat<double> late(falling, {0.0});
  late.g = {-1};
  late.step(falling, 1, 1);
  EXPECT_DOUBLE_EQ(late.w[0], 0.1);
}

TEST(Optimizers, AverageAfterEveryBatch) {
  const SGD options{.learning_rate = 1,
                    .use_ema = true,
                    .ema_momentum = 0.5,
                    .ema_overwrite_frequency = 3,
                    .gradient_accumulation_steps = 2};
  Flat<double> flat(options, {0.0});
  const std::vector<double*> rows = flat.rows(0);
  std::vector<double> averages, weights;
  for (Index batch = 1; batch <= 6; ++batch) {
    flat.g = {-1};
    if (accumulate<double>(options, batch, 1, flat.g.data(), rows)) {
      flat.step(options, batch / 2, 1);
    } else {
      average<double>(options, batch, 1, flat.w.data(), rows);
    }
    averages.push_back(rows[1][0]);
    weights.push_back(flat.w[0]);
  }
  // Until the first update is counted it is the weights; then it moves half the way to them.
  expect_close(averages, {0, 1, 1, 1.5, 1.75, 2.25}, 1e-15, 0, "averages");
  // Batches 5 and 6 are of the third step, after which the average replaces the weights.
  expect_close(weights, {0, 1, 1, 2, 1.75, 2.25}, 1e-15, 0, "weights");
}

TEST(Optimizers, NamesSlotsAndSizes) {
  static_assert(Optimizer("adam").class_name() == "Adam");
  static_assert(Optimizer(SGD{}).name() == "sgd");
  EXPECT_EQ(parse_optimizer("RMSprop").name(), "rmsprop");
  EXPECT_EQ(slot_names(Adam{.amsgrad = true, .use_ema = true}),
            (std::vector<std::string_view>{"momentum", "velocity", "velocity_hat", "average"}));
  EXPECT_EQ(slot_count(SGD{}), 0);
  EXPECT_EQ(slot_count(SGD{.momentum = 0.9}), 1);
  EXPECT_EQ(optimizer_size("adam", 321), 644);
  EXPECT_EQ(optimizer_size("sgd", 321), 2);
  EXPECT_EQ(optimizer_size("nadam", 10), 23);
  EXPECT_EQ(optimizer_size(SGD{.learning_rate = ExponentialDecay{}}, 321), 1);
}

TEST(Optimizers, ClipWhatTheyAreTold) {
  const auto clipped = [](const Optimizer& optimizer) {
    std::vector<double> g{3, 4, 0.3, -0.4};
    const GradientRange<double> ranges[] = {{g.data(), 2}, {g.data() + 2, 2}};
    clip<double>(optimizer, ranges);
    return g;
  };
  expect_close(clipped(SGD{}), {3, 4, 0.3, -0.4}, 0, 0, "none");
  expect_close(clipped(SGD{.clipnorm = 1}), {0.6, 0.8, 0.3, -0.4}, 1e-15, 0, "clipnorm");
  expect_close(clipped(SGD{.clipvalue = 0.35}), {0.35, 0.35, 0.3, -0.35}, 0, 0, "clipvalue");
  const double scale = 1 / std::sqrt(25.25);
  expect_close(clipped(SGD{.global_clipnorm = 1}),
               {3 * scale, 4 * scale, 0.3 * scale, -0.4 * scale}, 1e-15, 0, "global_clipnorm");
  EXPECT_FALSE(clips("adam"));
  EXPECT_TRUE(clips(Adam{.clipvalue = 1}));
  double infinite[] = {HUGE_VAL, 1};
  const GradientRange<double> range[] = {{infinite, 2}};
  clip<double>(SGD{.global_clipnorm = 1}, range);
  EXPECT_TRUE(std::isnan(infinite[1]));
}

TEST(Optimizers, RefuseWhatCannotBe) {
  for (const Optimizer& optimizer : all) EXPECT_NO_THROW(check(optimizer));
  expect_refusal([] { parse_optimizer("adan"); },
                 "no optimizer has this name\n"
                 "  got    \"adan\"\n"
                 "  want   one of sgd, rmsprop, adam, adamw, adamax, nadam, adagrad, adadelta, "
                 "ftrl, lion");
  expect_refusal([] { check(SGD{.momentum = 1.5}); },
                 "SGD: momentum is out of range\n  got    1.5\n  want   0 to 1");
  expect_refusal([] { check(Adam{.beta_2 = 1}); },
                 "Adam: beta_2 is out of range\n  got    1\n  want   0 to less than 1");
  expect_refusal([] { check(Adam{.learning_rate = -0.25}); },
                 "Adam: learning_rate is out of range\n  got    -0.25\n  want   at least 0");
  expect_refusal([] { check(SGD{.use_ema = true, .ema_momentum = 2}); },
                 "SGD: ema_momentum is out of range\n  got    2\n  want   0 to 1");
  expect_refusal([] { check(SGD{.gradient_accumulation_steps = 1}); },
                 "SGD: gradient_accumulation_steps is out of range\n"
                 "  got    1\n"
                 "  want   at least 2");
  expect_refusal([] { check(RMSprop{.momentum = -0.5}); },
                 "RMSprop: momentum is out of range\n  got    -0.5\n  want   0 to 1");
  expect_refusal([] { check(Nadam{.beta_1 = 1.5}); },
                 "Nadam: beta_1 is out of range\n  got    1.5\n  want   0 to less than 1");
  expect_refusal([] { check(SGD{.ema_overwrite_frequency = 0}); },
                 "SGD: ema_overwrite_frequency is out of range\n  got    0\n  want   at least 1");
  expect_refusal([] { check(SGD{.clipnorm = 1, .clipvalue = 1}); },
                 "SGD: gradients can be clipped in one way only\n"
                 "  want   one of clipnorm, clipvalue and global_clipnorm");
}

}  // namespace
}  // namespace unroll
