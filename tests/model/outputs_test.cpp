// Several outputs: a loss, a weight and metrics for each.
#include <gtest/gtest.h>

#include "tests/model/lesson_models.h"
#include "unroll/error.h"

namespace unroll {
namespace {

struct Twin {
  Tensor x = wave(24).reshape({24, 1}), up = wave(24), labels = Tensor({24, 1}, DType::int32);

  Twin() {
    for (Index i = 0; i < 24; ++i)
      labels.values<std::int32_t>()[static_cast<std::size_t>(i)] = i % 3 == 0;
  }
  static Model model() {
    const Symbol x = Input({.shape = {1}});
    const Symbol h = Dense(4, {.activation = "tanh", .name = "shared"})(x);
    return Model({.inputs = {x},
                  .outputs = {Dense(1, {.name = "level"})(h),
                              Dense(1, {.activation = "sigmoid", .name = "sign"})(h)}});
  }
};

TEST(Outputs, AreNamedInTheLogs) {
  const Twin data;
  Model model = Twin::model();
  model.compile({.optimizer = "sgd",
                 .loss_weights = {1, 0.5},
                 .weighted_metrics = {"mae"},
                 .losses = {"mse", "binary_crossentropy"},
                 .metrics_of_outputs = {{"mae"}, {"accuracy"}}});
  const Logs logs = model.evaluate(data.x, {data.up, data.labels});
  std::vector<std::string> names;
  for (const auto& log : logs) names.push_back(log.first);
  EXPECT_EQ(names, (std::vector<std::string>{"loss", "level_loss", "sign_loss", "level_mae",
                                             "weighted_level_mae", "sign_accuracy", "sign_mae"}));
  EXPECT_NEAR(value_of(logs, "loss"),
              value_of(logs, "level_loss") + 0.5 * value_of(logs, "sign_loss"), 1e-6);
}

TEST(Outputs, TrainTheWeightedSum) {
  // Weight 0 for an output: the same bytes as if only the other were there.
  const Twin data;
  Model both = Twin::model();
  Model one({.inputs = both.inputs(), .outputs = {both.outputs()[0]}});
  const std::vector<Tensor> first = both.get_weights();
  both.compile({.optimizer = "adam", .loss = "mse", .loss_weights = {2, 0}});
  both.fit(data.x, {data.up, data.labels}, {.batch_size = 8, .epochs = 2});
  const std::vector<Tensor> after = both.get_weights();
  both.set_weights(first);
  Model alone = one;
  alone.compile({.optimizer = "adam", .loss = "mse", .loss_weights = {2}});
  alone.fit(data.x, data.up, {.batch_size = 8, .epochs = 2});
  const std::vector<Tensor> again = alone.get_weights();
  for (std::size_t i = 0; i < again.size(); ++i) {
    for (Index k = 0; k < again[i].elements(); ++k) {
      EXPECT_NEAR(after[i].floats()[k], again[i].floats()[k], 1e-6f);
    }
  }
}

TEST(Outputs, MetricsCountWeightsOnlyWhereAsked) {
  const Twin data;
  Tensor weight({24});
  weight.floats()[3] = 1;  // one row counts
  const Symbol x = Input({.shape = {1}});
  Model model({.inputs = {x}, .outputs = {Dense(1)(x)}});
  model.compile({.loss = "mae", .metrics = {"mae"}, .weighted_metrics = {"mae"}});
  const Logs logs = model.evaluate(data.x, data.up, {.sample_weight = weight});
  const Tensor y = model.predict(data.x)[0];
  double all = 0;
  for (Index i = 0; i < 24; ++i) all += std::abs(y.floats()[i] - data.up.floats()[i]) / 24;
  EXPECT_NEAR(value_of(logs, "mae"), all, 1e-6);
  EXPECT_NEAR(value_of(logs, "weighted_mae"), std::abs(y.floats()[3] - data.up.floats()[3]), 1e-6);
}

TEST(Compile, RefusesWhatIsOutOfRange) {
  Model model = Twin::model();
  const auto said = [&](const CompileOptions& options) -> std::string {
    try {
      model.compile(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(said({.optimizer = Adam{.beta_1 = 1.5}}),
            "Adam: beta_1 is out of range\n  got    1.5\n  want   0 to less than 1");
  const std::string delta = "Huber: delta is out of range\n  got    -1\n  want   above 0";
  EXPECT_EQ(said({.loss = Huber{.delta = -1}}), delta);
  EXPECT_EQ(said({.losses = {"mse", Huber{.delta = -1}}}), delta);
}

TEST(Outputs, RefuseListsOfAnotherLength) {
  const Twin data;
  Model model = Twin::model();
  model.compile({.losses = {"mse", "mse", "mse"}});
  try {
    model.evaluate(data.x, {data.up, data.labels});
    FAIL() << "no refusal";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "compile: losses is not a list of one for each output\n"
                 "  got    3\n"
                 "  want   2");
  }
}

}  // namespace
}  // namespace unroll
