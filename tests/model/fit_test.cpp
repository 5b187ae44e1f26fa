// What fit, evaluate and predict do with data; what they refuse.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "tests/model/training_data.h"

namespace unroll {
namespace {

Sequential line() { return Sequential{InputLayer({.shape = {1}}), Dense(1)}; }

/// A line whose weight and bias are zero and stay so: its predictions are 0.
Sequential idle() {
  Sequential model = line();
  model.compile({.optimizer = SGD{.learning_rate = 0.0}, .loss = "mse", .metrics = {"mae"}});
  model.set_weights({Tensor({1, 1}), Tensor({1})});
  return model;
}

TEST(Fit, TakesTheLastPartForValidationBeforeItShuffles) {
  // The first 8 targets are 1, the last 2 are 3: an idle model has loss 1 here and 9 there.
  const Windows data = rows_of(10, [](Index i) { return i < 8 ? 1 : 3; });
  Sequential model = idle();
  const History history =
      model.fit(data.x, data.y, {.batch_size = 3, .epochs = 2, .validation_split = 0.2});
  EXPECT_EQ(history.names(), (std::vector<std::string>{"loss", "mae", "val_loss", "val_mae"}));
  EXPECT_EQ(history.epochs(), 2U);
  EXPECT_EQ(history.steps_per_epoch, 3);
  for (const double loss : history["loss"]) EXPECT_FLOAT_EQ(static_cast<float>(loss), 1);
  for (const double loss : history["val_loss"]) EXPECT_FLOAT_EQ(static_cast<float>(loss), 9);
  for (const double e : history["val_mae"]) EXPECT_FLOAT_EQ(float(e), 3);
  EXPECT_EQ(refusal([&] { history["accuracy"]; }),
            "value: the history has no such name\n"
            "  got    \"accuracy\"\n"
            "  want   one of loss, mae, val_loss, val_mae");
}

TEST(Fit, WatchesOtherDataWhereItIsGiven) {
  const Windows data = rows_of(4, [](Index) { return 1; }),
                other = rows_of(2, [](Index) { return 2; });
  Sequential model = idle();
  const History history =
      model.fit(data.x, data.y, {.validation_data = Validation{other.x, other.y}});
  EXPECT_FLOAT_EQ(static_cast<float>(history["val_loss"][0]), 4);
}

TEST(Fit, WeighsSamples) {
  const Windows data = rows_of(4, [](Index i) { return i; });
  Sequential model = idle();
  const Tensor weight = Tensor::of<float>({4}, {0, 1, 0, 2});
  const History history = model.fit(data.x, data.y, {.sample_weight = weight});
  EXPECT_FLOAT_EQ(static_cast<float>(history["loss"][0]), (1.0F + 2 * 9) / 4);
  EXPECT_EQ(refusal([&] { model.fit(data.x, data.y, {.sample_weight = Tensor({3})}); }),
            "shape: sample_weight has another number of rows\n  got    3\n  want   4");
}

TEST(Fit, LearnsALine) {
  const Windows data = rows_of(16, [](Index i) { return 0.5 * static_cast<double>(i) + 1; });
  Sequential model = line();
  model.compile({.optimizer = SGD{.learning_rate = 0.005, .momentum = 0.9}, .loss = "mse"});
  model.fit(data.x, data.y, {.batch_size = 16, .epochs = 600});
  const std::vector<Tensor> weights = model.get_weights();
  EXPECT_NEAR(weights[0].at({0, 0}), 0.5, 1e-3);
  EXPECT_NEAR(weights[1].at({0}), 1, 1e-2);
}

/// Writes down the weights after every epoch.
class Recorder final : public Callback {
 public:
  void on_train_begin(Model&) override { words += "begin "; }
  void on_epoch_begin(Model&, Index epoch) override { words += std::to_string(epoch) + "( "; }
  void on_train_batch_end(Model&, Index step, const Logs&) override {
    words += std::to_string(step) + " ";
  }
  void on_epoch_end(Model& model, Index, const Logs&) override {
    words += ") ";
    weights.push_back(bytes_of(model));
  }
  void on_train_end(Model&) override { words += "end"; }

  std::string words;
  std::vector<std::string> weights;
};

TEST(Callbacks, AreCalledInOrder) {
  const Windows data = rows_of(5, [](Index i) { return i; });
  Sequential model = idle();
  const auto recorder = std::make_shared<Recorder>();
  model.fit(data.x, data.y, {.batch_size = 2, .epochs = 2, .callbacks = {recorder}});
  EXPECT_EQ(recorder->words, "begin 0( 0 1 2 ) 1( 0 1 2 ) end");
}

TEST(EarlyStopping, RestoresTheBestWeights) {
  // Trained towards y = 1, watched at y = 0.5: the watched loss falls, then rises.
  const Windows data = rows_of(8, [](Index) { return 1; }),
                other = rows_of(1, [](Index) { return 0.5; });
  Sequential model = line();
  model.compile({.optimizer = SGD{.learning_rate = 0.05}, .loss = "mse"});
  model.set_weights({Tensor({1, 1}), Tensor({1})});
  model.layers()[0].impl().parameters()[0]->trainable = false;  // the bias alone learns
  const auto recorder = std::make_shared<Recorder>();
  const auto stopping = std::make_shared<EarlyStopping>(
      EarlyStoppingOptions{.patience = 2, .restore_best_weights = true});
  const History history = model.fit(data.x, data.y,
                                    {.batch_size = 8,
                                     .epochs = 50,
                                     .callbacks = {recorder, stopping},
                                     .validation_data = Validation{other.x, other.y}});
  const auto& watched = history["val_loss"];
  const auto best = static_cast<std::size_t>(std::ranges::min_element(watched) - watched.begin());
  EXPECT_TRUE(stopping->stopped());
  EXPECT_GT(best, 1U);
  EXPECT_EQ(stopping->best_epoch(), static_cast<Index>(best));
  EXPECT_EQ(history.epochs(), best + 3);
  EXPECT_EQ(bytes_of(model) == recorder->weights[best], true);
  EXPECT_EQ(bytes_of(model) == recorder->weights.back(), false);
}

TEST(EarlyStopping, RefusesToWatchWhatIsNotThere) {
  const Windows data = rows_of(4, [](Index i) { return i; });
  Sequential model = idle();
  EXPECT_EQ(refusal([&] {
              model.fit(data.x, data.y, {.callbacks = {std::make_shared<EarlyStopping>()}});
            }),
            "value: EarlyStopping watches a value that is not there\n"
            "  got    \"val_loss\"\n"
            "  want   one of loss, mae\n"
            "hint: val_... needs validation_split or validation_data");
}

TEST(Fit, EndsInGoodOrderWhenInterrupted) {
  const Windows data = rows_of(10, [](Index i) { return i; });
  Sequential model = idle();
  int asked = 0;
  const History history = model.fit(
      data.x, data.y, {.batch_size = 2, .epochs = 9, .interrupted = [&] { return ++asked == 7; }});
  EXPECT_EQ(history.epochs(), 2U);
}

TEST(Fit, IsSafeWithNaN) {
  Windows data = rows_of(4, [](Index i) { return i; });
  Tensor y({4, 1});
  y.floats()[2] = std::numeric_limits<float>::quiet_NaN();
  Sequential model = line();
  model.compile({.optimizer = "adam", .loss = "mse"});
  const auto stopping = std::make_shared<EarlyStopping>(
      EarlyStoppingOptions{.monitor = "loss", .patience = 2, .restore_best_weights = true});
  const History history = model.fit(data.x, y, {.epochs = 10, .callbacks = {stopping}});
  EXPECT_TRUE(std::isnan(history["loss"].back()));
  EXPECT_LE(history.epochs(), 3U);
  EXPECT_TRUE(std::isnan(model.predict(data.x)[0].at({0, 0})));
}

TEST(Fit, WritesOneLineAnEpochOffATerminal) {
  const Windows data = rows_of(5, [](Index i) { return i; });
  Sequential model = idle();
  std::ostringstream out;
  model.fit(data.x, data.y, {.batch_size = 2, .epochs = 2, .progress = out});
  const std::string text = out.str();
  EXPECT_EQ(std::ranges::count(text, '\n'), 2);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_TRUE(text.starts_with("epoch 1/2  3/3 ")) << text;
  EXPECT_NE(text.find(" - loss: 6.0000 - mae: 2.0000\n"), std::string::npos) << text;
}

TEST(Loss, OfMaskedStepsIsTheMeanOfTheOthers) {
  // Predictions are 0 everywhere; the last two steps of row 1 are masked.
  const Tensor x = Tensor::of<float>({2, 3, 1}, {1, 1, 1, 1, -5, -5});
  const Tensor y = Tensor::of<float>({2, 3, 1}, {1, 2, 3, 4, 100, 100});
  Sequential model{InputLayer({.shape = {3, 1}}), Masking({.mask_value = -5}), Dense(1)};
  model.compile({.optimizer = SGD{.learning_rate = 0.0}, .loss = "mse", .metrics = {"mae"}});
  model.set_weights({Tensor({1, 1}), Tensor({1})});
  for (const Index batch_size : {Index{2}, Index{1}}) {
    const Logs logs = model.evaluate(x, y, {.batch_size = batch_size});
    // In one batch the mean over four steps; in two, the mean of means over three steps and one.
    const double want = batch_size == 2 ? 30.0 / 4 : (14.0 / 3 + 16) / 2;
    EXPECT_NEAR(value_of(logs, "loss"), want, 1e-5);
  }
  EXPECT_NEAR(value_of(model.evaluate(x, y), "mae"), 10.0 / 4, 1e-5);
}

TEST(Refusal, OfShapesThatDoNotFit) {
  Sequential model{SimpleRNN(4, {.name = "rnn_layer"}), Dense(1)};
  model.compile({.optimizer = "adam", .loss = "mse"});
  EXPECT_EQ(refusal([&] {
              model.fit(Tensor({32, 50}), Tensor({32, 1}), {.epochs = 3});
            }),
            "shape: SimpleRNN \"rnn_layer\": input has the wrong rank\n"
            "  got    (32, 50)\n"
            "  want   (batch, time, features), for example (32, 50, 1)\n"
            "hint: x.reshape({32, 50, 1}) gives each step one feature");
  EXPECT_NO_THROW(model.fit(Tensor({32, 50, 1}), Tensor({32, 1})));
  EXPECT_EQ(refusal([&] {
              model.fit(Tensor({8, 50, 2}), Tensor({8, 1}));
            }),
            "shape: input \"input_layer\" has another shape\n"
            "  got    (8, 50, 2)\n"
            "  want   (None, 50, 1)");
  EXPECT_EQ(refusal([&] {
              model.fit(Tensor({8, 50, 1}), Tensor({7, 1}));
            }),
            "shape: targets and inputs have different numbers of rows\n"
            "  got    (7, 1)\n"
            "  want   8 rows");
  EXPECT_EQ(refusal([&] {
              model.fit({Tensor({8, 50, 1}), Tensor({8, 1})}, Tensor({8, 1}));
            }),
            "shape: the model has another number of inputs\n  got    2\n  want   1");
  const std::string target = refusal([&] { model.fit(Tensor({8, 50, 1}), Tensor({8, 3})); });
  EXPECT_NE(target.find("targets do not fit output \"dense\"\n  got    (8, 3)"), std::string::npos)
      << target;
}

TEST(Refusal, OfArgumentsOutsideTheirRange) {
  const Windows data = rows_of(4, [](Index i) { return i; });
  Sequential model = line();
  EXPECT_EQ(refusal([&] { model.fit(data.x, data.y); }),
            "value: the model \"sequential\" is not compiled\n"
            "hint: model.compile({.optimizer = \"adam\", .loss = \"mse\"})");
  model = idle();
  EXPECT_EQ(refusal([&] { model.fit(data.x, data.y, {.batch_size = 0}); }),
            "value: batch_size is not positive\n  got    0\n  want   1 or more");
  EXPECT_EQ(refusal([&] { model.fit(data.x, data.y, {.epochs = 0}); }),
            "value: epochs is not positive\n  got    0\n  want   1 or more");
  EXPECT_EQ(refusal([&] {
              model.fit(Tensor({0, 1}), Tensor({0, 1}));
            }),
            "value: no rows\n  got    (0, 1)\n  want   at least one row");
  const std::string split = refusal([&] { model.fit(data.x, data.y, {.validation_split = 1.5}); });
  EXPECT_TRUE(split.starts_with("value: validation_split leaves nothing on one side")) << split;
  EXPECT_EQ(refusal([&] { model.get_layer("rnn"); }),
            "value: the model has no layer of this name\n"
            "  got    \"rnn\"\n"
            "  want   one of dense");
}

TEST(Refusal, OfIdsOutsideTheTable) {
  Model model = critic(4, 10);
  model.compile({.optimizer = "adam", .loss = "binary_crossentropy"});
  Tensor words({3, 4}, DType::int32);
  words.values<std::int32_t>()[5] = 10;
  for (const bool training : {false, true}) {
    EXPECT_EQ(refusal([&] {
                if (training) {
                  model.fit(words, Tensor({3, 1}));
                } else {
                  model.predict(words);
                }
              }),
              "value: Embedding \"embedding\": an id lies outside the table\n"
              "  got    10\n"
              "  want   0 to 9\n"
              "hint: input_dim is the largest id plus 1");
  }
  words.values<std::int32_t>()[5] = 9;
  EXPECT_NO_THROW(model.fit(words, Tensor({3, 1})));
}

}  // namespace
}  // namespace unroll
