// The callbacks that steer a fit: Keras's rules, on values that a script gives.
#include <cmath>
#include <limits>

#include "tests/model/training_data.h"

namespace unroll {
namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();

/// A fit of as many epochs as there are values, which `loss` then has.
History follow(const std::vector<double>& losses, const std::shared_ptr<Callback>& callback,
               double rate = 0.0) {
  const Windows data = rows_of(2, [](Index) { return 0; });
  Sequential model = scale(1, rate);
  return model.fit(data.x, data.y,
                   {.epochs = static_cast<Index>(losses.size()),
                    .callbacks = {script("loss", losses), callback}});
}

// --- EarlyStopping ---

TEST(EarlyStopping, CountsFromTheLastBetterEpoch) {
  const auto stopping = early_stopping({.monitor = "loss", .patience = 2});
  const History history = follow({5, 4, 4.5, 3, 3, 3, 1}, stopping);
  EXPECT_EQ(history.epochs(), 6U);
  EXPECT_EQ(stopping->best_epoch(), 3);
  EXPECT_EQ(stopping->best(), 3);
  EXPECT_TRUE(stopping->stopped());
  EXPECT_EQ(history.ended, "EarlyStopping: loss is no better than in epoch 4");
}

TEST(EarlyStopping, WantsMoreThanMinDelta) {
  const std::vector<double> losses{5, 4.5, 4.1, 3.9, 3.8, 3.7};
  // 4.5 and 4.1 are no better than 5 by more than 1; 3.9 is.
  const auto stopping = early_stopping({.monitor = "loss", .min_delta = 1, .patience = 2});
  EXPECT_EQ(follow(losses, stopping).epochs(), 3U);
  const auto patient = early_stopping({.monitor = "loss", .min_delta = 1, .patience = 3});
  EXPECT_EQ(follow(losses, patient).epochs(), 6U);
  EXPECT_EQ(patient->best_epoch(), 3);
}

TEST(EarlyStopping, NeverInTheFirstEpoch) {
  // As Keras: without patience a first epoch that is no better than a baseline does not end it.
  const auto stopping = early_stopping({.monitor = "loss", .baseline = 1});
  EXPECT_EQ(follow({5, 5, 5}, stopping).epochs(), 2U);
}

TEST(EarlyStopping, WaitsOnUntilTheBaselineIsBeaten) {
  // Each epoch is better, but none better than 1; the first one that is not ends it.
  const auto stopping = early_stopping({.monitor = "loss", .patience = 2, .baseline = 1});
  EXPECT_EQ(follow({5, 4, 3, 2, 2.5, 0.5}, stopping).epochs(), 5U);
  const auto beaten = early_stopping({.monitor = "loss", .patience = 2, .baseline = 1});
  EXPECT_EQ(follow({5, 0.5, 0.6, 0.4, 0.5}, beaten).epochs(), 5U);
  EXPECT_FALSE(beaten->stopped());
}

TEST(EarlyStopping, BeginsLater) {
  const auto stopping = early_stopping({.monitor = "loss", .patience = 1, .start_from_epoch = 3});
  EXPECT_EQ(follow({1, 2, 3, 4, 5, 6}, stopping).epochs(), 5U);
  EXPECT_EQ(stopping->best_epoch(), 3);
}

TEST(EarlyStopping, KnowsWhichMetricsAreGoodHigh) {
  const Windows data = rows_of(4, [](Index i) { return i % 2; });
  for (const bool high : {true, false}) {
    Sequential model{InputLayer({.shape = {1}}), Dense(1, {.activation = "sigmoid"})};
    model.compile({.optimizer = SGD{.learning_rate = 0.0},
                   .loss = "binary_crossentropy",
                   .metrics = {"accuracy", "mae"}});
    const std::string name = high ? "accuracy" : "mae";
    const auto stopping = early_stopping({.monitor = name, .patience = 1});
    const History history = model.fit(
        data.x, data.y, {.epochs = 4, .callbacks = {script(name, {1, 2, 3, 4}), stopping}});
    EXPECT_EQ(history.epochs(), high ? 4U : 2U);
  }
  const auto stopping = early_stopping({.monitor = "loss", .patience = 1, .mode = "max"});
  EXPECT_EQ(follow({1, 2, 3, 4}, stopping).epochs(), 4U);
  const auto own = early_stopping({.monitor = "mine", .patience = 1, .mode = "max"});
  const Windows rows = rows_of(2, [](Index) { return 0; });
  Sequential model = scale(1, 0.0);
  EXPECT_EQ(
      model.fit(rows.x, rows.y, {.epochs = 4, .callbacks = {script("mine", {4, 3, 2, 1}), own}})
          .epochs(),
      2U);
}

TEST(EarlyStopping, OfNaNGoesBackToTheFirstWeights) {
  const auto stopping =
      early_stopping({.monitor = "loss", .patience = 2, .restore_best_weights = true});
  EXPECT_EQ(follow({nan, nan, nan, nan}, stopping).epochs(), 2U);
  EXPECT_EQ(stopping->best_epoch(), -1);
}

TEST(EarlyStopping, DoesNotMindEpochsWithoutValidation) {
  const Windows data = rows_of(4, [](Index) { return 1; });
  Sequential model = scale(0, 0.0);
  const auto stopping = early_stopping({.patience = 1});
  const History history = model.fit(data.x, data.y,
                                    {.epochs = 9,
                                     .callbacks = {stopping},
                                     .validation_data = Validation{data.x, data.y},
                                     .validation_freq = 2});
  // Epochs 2 and 4 are validated: the second one is no better.
  EXPECT_EQ(history.epochs(), 4U);
  EXPECT_TRUE(std::isnan(history["val_loss"][0]));
  EXPECT_EQ(history["val_loss"][1], history["loss"][1]);
}

TEST(EarlyStopping, DoesNotMindAnInterruptedEpoch) {
  const Windows data = rows_of(4, [](Index) { return 1; });
  Sequential model = scale(0, 0.01);
  const History history = model.fit(data.x, data.y,
                                    {.batch_size = 1,
                                     .epochs = 9,
                                     .callbacks = {early_stopping({.patience = 1})},
                                     .validation_data = Validation{data.x, data.y},
                                     .interrupted = [] { return true; }});
  EXPECT_EQ(history.epochs(), 1U);
  EXPECT_FALSE(history.has("val_loss"));
}

// --- the learning rate ---

TEST(ReduceLROnPlateau, ReducesAndWaits) {
  // As Keras 3 does it: two epochs that are no better, the rate falls; cooldown holds it for one.
  const auto reduce = reduce_lr_on_plateau(
      {.monitor = "loss", .factor = 0.5, .patience = 2, .cooldown = 1, .min_lr = 0.2});
  const History history = follow({1, 1, 1, 1, 1, 1, 1, 1}, reduce, 0.8);
  EXPECT_EQ(history["learning_rate"],
            (std::vector<double>{0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.2}));
}

TEST(ReduceLROnPlateau, HoldsStillWhileItIsBetter) {
  const auto reduce = reduce_lr_on_plateau({.monitor = "loss", .factor = 0.5, .patience = 1});
  const History history = follow({4, 3, 2.99995, 1, 1}, reduce, 1);
  // 2.99995 is not better by more than min_delta, 1e-4.
  EXPECT_EQ(history["learning_rate"], (std::vector<double>{1, 1, 1, 0.5, 0.5}));
}

TEST(LearningRateScheduler, SetsTheRateOfEveryEpoch) {
  const Windows data = rows_of(1, [](Index) { return 0; });
  Tensor one({1, 1});
  one.floats()[0] = 1;
  Sequential model = scale(1, 0.25);
  const History history =
      model.fit(one, data.y,
                {.epochs = 3, .callbacks = {learning_rate_scheduler([](Index epoch, double rate) {
                                return epoch == 0 ? rate : rate / 2;
                              })}});
  EXPECT_EQ(history["learning_rate"], (std::vector<double>{0.25, 0.125, 0.0625}));
  EXPECT_EQ(model.learning_rate(), 0.0625);
  // w -= rate * 2 w, three times.
  EXPECT_FLOAT_EQ(model.get_weights()[0].floats()[0], 0.5F * 0.75F * 0.875F);
}

TEST(LearningRate, IsSetUntilTheModelIsCompiledAgain) {
  Sequential model = scale(1, 0.25);
  model.set_learning_rate(0.5);
  EXPECT_EQ(model.learning_rate(), 0.5);
  model.compile({.optimizer = SGD{.learning_rate = 0.25}, .loss = "mse"});
  EXPECT_EQ(model.learning_rate(), 0.25);
}

TEST(LearningRate, OfAScheduleIsThatOfTheNextUpdate) {
  const Windows data = rows_of(1, [](Index) { return 0; });
  Sequential model = scale(1, 0.25);
  model.compile({.optimizer = SGD{.learning_rate = ExponentialDecay{.initial_learning_rate = 1,
                                                                    .decay_steps = 1,
                                                                    .decay_rate = 0.5}},
                 .loss = "mse"});
  EXPECT_EQ(model.learning_rate(), 1);
  model.train_on_batch(data.x, data.y);
  EXPECT_EQ(model.learning_rate(), 0.5);
  EXPECT_EQ(model.iterations(), 1);
}

TEST(Average, ReplacesTheWeightsAtTheEndOfFit) {
  // One input of 1, target 0: w halves each step (rate 0.25); the average keeps half of itself.
  Tensor one({1, 1}), zero({1, 1});
  one.floats()[0] = 1;
  Sequential model = scale(1, 0.25);
  model.compile({.optimizer = SGD{.learning_rate = 0.25, .use_ema = true, .ema_momentum = 0.5},
                 .loss = "mse"});
  model.fit(one, zero, {.epochs = 3});
  // w: 0.5, 0.25, 0.125; average: 0.5, 0.375, 0.25
  EXPECT_FLOAT_EQ(model.get_weights()[0].floats()[0], 0.25F);
  EXPECT_FLOAT_EQ(model.predict(one)[0].floats()[0], 0.25F);
}

// --- TerminateOnNaN ---

TEST(TerminateOnNaN, NamesTheLayerWhoseOutputWasFirst) {
  const Windows data = rows_of(8, [](Index i) { return i; });
  Sequential model{InputLayer({.shape = {1}}), Dense(3, {.name = "first"}),
                   Dense(2, {.activation = "exponential", .name = "explodes"}),
                   Dense(1, {.name = "last"})};
  model.compile({.optimizer = SGD{.learning_rate = 0.0}, .loss = "mae"});
  model.build({unknown, 1});
  std::vector<Tensor> weights = model.get_weights();
  std::ranges::fill(weights[0].values<float>(), 1.0F);
  std::ranges::fill(weights[2].values<float>(),
                    10.0F);  // exp(30 x): too large for a float from x = 3 on
  model.set_weights(weights);
  const auto watch = terminate_on_nan();
  const History history = model.fit(
      data.x, data.y, {.batch_size = 1, .epochs = 3, .callbacks = {watch}, .shuffle = false});
  ASSERT_TRUE(watch->found().has_value());
  EXPECT_EQ(watch->found()->epoch, 0);
  EXPECT_EQ(watch->found()->step, 3);
  EXPECT_EQ(watch->found()->layer, "explodes");
  EXPECT_EQ(watch->found()->what, "output");
  EXPECT_EQ(history.epochs(), 1U);
  EXPECT_TRUE(history.ended.starts_with(
      "TerminateOnNaN: not finite in epoch 1, step 4 (loss inf); first in layer \"explodes\": "
      "output"))
      << history.ended;
}

TEST(TerminateOnNaN, NamesTheData) {
  Windows data = rows_of(4, [](Index i) { return i; });
  Tensor x({4, 1});
  x.floats()[2] = std::numeric_limits<float>::quiet_NaN();
  Sequential model = scale(1, 0.1);
  const auto watch = terminate_on_nan();
  const History history =
      model.fit(x, data.y, {.batch_size = 2, .callbacks = {watch}, .shuffle = false});
  ASSERT_TRUE(watch->found().has_value());
  EXPECT_EQ(watch->found()->step, 1);
  EXPECT_EQ(watch->found()->to_string(),
            "not finite in epoch 1, step 2 (loss nan); first in the data: input 0");
}

TEST(TerminateOnNaN, NamesTheLayerWhoseGradientWasFirst) {
  // The outputs and the loss are finite; the gradient 2 (p - y) x of a row is not.
  Tensor x = Tensor::of<float>({1, 1}, {1e30F}), y({1, 1});
  Sequential model{InputLayer({.shape = {1}}), Dense(1, {.use_bias = false, .name = "early"}),
                   Dense(1, {.use_bias = false, .name = "late"})};
  model.compile({.optimizer = SGD{.learning_rate = 1e-30}, .loss = "mse"});
  model.set_weights({Tensor::of<float>({1, 1}, {1e-12F}), Tensor::of<float>({1, 1}, {1.0F})});
  const auto watch = terminate_on_nan();
  model.fit(x, y, {.epochs = 2, .callbacks = {watch}});
  ASSERT_TRUE(watch->found().has_value());
  EXPECT_EQ(watch->found()->epoch, 0);
  EXPECT_EQ(watch->found()->step, 0);
  EXPECT_TRUE(std::isfinite(watch->found()->loss));
  EXPECT_EQ(watch->found()->layer, "early");
  EXPECT_EQ(watch->found()->what, "gradient of \"kernel\"");
}

TEST(TerminateOnNaN, LetsAFiniteFitBe) {
  const Windows data = rows_of(4, [](Index i) { return i; });
  Sequential model = scale(0, 0.01);
  const auto watch = terminate_on_nan();
  const History history = model.fit(data.x, data.y, {.epochs = 5, .callbacks = {watch}});
  EXPECT_EQ(history.epochs(), 5U);
  EXPECT_FALSE(watch->found().has_value());
  EXPECT_EQ(history.ended, "");
}

// --- hooks ---

TEST(Callbacks, HaveKerasHooks) {
  const Windows data = rows_of(4, [](Index i) { return i; });
  Sequential model = scale(0, 0.01);
  std::string words;
  const auto lambda = lambda_callback(
      {.on_epoch_begin = [&](Model&, Index epoch) { words += std::to_string(epoch) + "("; },
       .on_epoch_end = [&](Model&, Index, const Logs&) { words += ")"; },
       .on_train_begin = [&](Model&) { words += "["; },
       .on_train_end = [&](Model&) { words += "]"; },
       .on_train_batch_begin = [&](Model&, Index step) { words += "<" + std::to_string(step); },
       .on_train_batch_end = [&](Model&, Index, const Logs&) { words += ">"; }});
  struct Tests final : Callback {
    explicit Tests(std::string& words) : words_(words) {}
    void on_test_begin(Model&) override { words_ += "?"; }
    void on_test_end(Model&, const Logs& logs) override {
      words_ += "!";
      EXPECT_TRUE(std::isfinite(value_of(logs, "loss")));
    }
    std::string& words_;
  };
  const auto tests = std::make_shared<Tests>(words);
  model.fit(data.x, data.y,
            {.batch_size = 2,
             .epochs = 2,
             .callbacks = {lambda, tests},
             .validation_data = Validation{data.x, data.y}});
  EXPECT_EQ(words, "[0(<0><1>?!)1(<0><1>?!)]");
  words.clear();
  model.evaluate(data.x, data.y, {.callbacks = {tests}});
  EXPECT_EQ(words, "?!");
  LambdaCallback empty({});
  EXPECT_NO_THROW(empty.on_epoch_begin(model, 0));
}

// --- what is refused ---

TEST(Refusal, OfOptionsOfCallbacks) {
  EXPECT_EQ(refusal([] { early_stopping({.patience = -1}); }),
            "value: EarlyStopping: patience is out of range\n  got    -1\n  want   0 or more");
  EXPECT_EQ(refusal([] { early_stopping({.min_delta = -0.5}); }),
            "value: EarlyStopping: min_delta is out of range\n  got    -0.5\n  want   0 or more");
  EXPECT_EQ(
      refusal([] { early_stopping({.start_from_epoch = -2}); }),
      "value: EarlyStopping: start_from_epoch is out of range\n  got    -2\n  want   0 or more");
  for (const auto& [factor, said] : {std::pair(1.0, "1"), std::pair(-0.1, "-0.1")}) {
    EXPECT_EQ(refusal([&, value = factor] { reduce_lr_on_plateau({.factor = value}); }),
              "value: ReduceLROnPlateau: factor is out of range\n  got    " + std::string(said) +
                  "\n  want   more than 0 and less than 1");
  }
  EXPECT_EQ(refusal([] { reduce_lr_on_plateau({.patience = -1}); }),
            "value: ReduceLROnPlateau: patience is out of range\n  got    -1\n  want   0 or more");
  EXPECT_EQ(refusal([] { reduce_lr_on_plateau({.cooldown = -1}); }),
            "value: ReduceLROnPlateau: cooldown is out of range\n  got    -1\n  want   0 or more");
  EXPECT_EQ(refusal([] { reduce_lr_on_plateau({.min_lr = -1}); }),
            "value: ReduceLROnPlateau: min_lr is out of range\n  got    -1\n  want   0 or more");
  EXPECT_EQ(refusal([] { learning_rate_scheduler({}); }),
            "value: LearningRateScheduler: no function is given\n"
            "  want   a function of epoch and rate");
}

TEST(Refusal, OfWhatACallbackFindsInFit) {
  const Windows data = rows_of(2, [](Index) { return 0; });
  Sequential model = scale(1, 0.1);
  const auto fit_with = [&](const std::shared_ptr<Callback>& callback) {
    model.fit(data.x, data.y, {.callbacks = {callback}});
  };
  EXPECT_EQ(refusal([&] { fit_with(reduce_lr_on_plateau({.monitor = "accuracy"})); }),
            "value: ReduceLROnPlateau watches a value that is not there\n"
            "  got    \"accuracy\"\n"
            "  want   one of loss, mae");
  // With a mode the value may come from another callback; it is missed after the first epoch.
  EXPECT_EQ(refusal([&] { fit_with(early_stopping({.monitor = "mine", .mode = "max"})); }),
            "value: EarlyStopping watches a value that is not there\n"
            "  got    \"mine\"\n"
            "  want   one of loss, mae");
  EXPECT_EQ(refusal([&] { fit_with(learning_rate_scheduler([](Index, double) { return -1.0; })); }),
            "value: LearningRateScheduler: the function gave no learning rate for epoch 0\n"
            "  got    -1\n"
            "  want   a number, 0 or more");
  EXPECT_EQ(refusal([&] { model.set_learning_rate(nan); }),
            "value: SGD: learning_rate is out of range\n  got    nan\n  want   at least 0");
  model.compile(
      {.optimizer = Adam{.learning_rate = CosineDecay{.decay_steps = 10}}, .loss = "mse"});
  for (const std::shared_ptr<Callback>& callback :
       {std::shared_ptr<Callback>(reduce_lr_on_plateau({.monitor = "loss"})),
        std::shared_ptr<Callback>(
            learning_rate_scheduler([](Index, double rate) { return rate; }))}) {
    EXPECT_EQ(refusal([&] { fit_with(callback); }),
              "value: Adam: a schedule says the learning rate\n"
              "  want   a number for learning_rate, for it to be set\n"
              "hint: compile with {.learning_rate = 0.001}, or leave out the callback");
  }
}

}  // namespace
}  // namespace unroll
