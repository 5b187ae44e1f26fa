// The arguments of fit beside data and epochs: Keras's meaning, number by number.
#include <cmath>

#include "tests/model/training_data.h"
#include "unroll/record.h"

namespace unroll {
namespace {

/// Writes down the first input of each row that is trained on, and where epochs end. A row's number
/// is its only feature; the model is too slow to move.
struct Diary final : Callback {
  void on_train_batch_end(Model&, Index, const Logs& logs) override {
    losses.push_back(value_of(logs, "loss"));
    words += ".";
  }
  void on_epoch_begin(Model&, Index epoch) override { words += std::to_string(epoch); }
  void on_epoch_end(Model&, Index, const Logs& logs) override {
    words += "|";
    ends.push_back(value_of(logs, "loss"));
  }
  std::string words;
  std::vector<double> losses, ends;
};

/// Batch b of ten rows in twos has loss ((2 b)^2 + (2 b + 1)^2) / 2 for a model that says 0.
double batch_loss(Index b) {
  return (4.0 * static_cast<double>(b * b) + std::pow(2.0 * static_cast<double>(b) + 1, 2)) / 2;
}

TEST(FitArguments, InitialEpochGoesOnWithTheSameShuffling) {
  const Windows data = windows(wave(60), {.length = 8});
  const auto fresh = [] {
    Sequential model{InputLayer({.shape = {8, 1}}), SimpleRNN(3), Dense(1)};
    model.compile({.optimizer = "adam", .loss = "mse", .seed = 7});
    return model;
  };
  Sequential whole = fresh(), parts = fresh();
  const History all = whole.fit(data.x, data.y, {.batch_size = 8, .epochs = 5});
  parts.fit(data.x, data.y, {.batch_size = 8, .epochs = 3});
  const History rest =
      parts.fit(data.x, data.y, {.batch_size = 8, .epochs = 5, .initial_epoch = 3});
  EXPECT_EQ(bytes_of(whole) == bytes_of(parts), true);
  EXPECT_EQ(rest.epochs(), 2U);
  EXPECT_EQ(rest.first_epoch, 3);
  EXPECT_EQ(rest["loss"][1], all["loss"][4]);
  EXPECT_EQ(parts.fit(data.x, data.y, {.epochs = 5, .initial_epoch = 5}).epochs(), 0U);
}

TEST(FitArguments, StepsPerEpochGoOnWhereTheLastEpochEnded) {
  const Windows data = rows_of(10, [](Index i) { return i; });
  Sequential model = scale(0, 0.0);
  const auto diary = std::make_shared<Diary>();
  const History history = model.fit(
      data.x, data.y,
      {.batch_size = 2, .epochs = 4, .callbacks = {diary}, .shuffle = false, .steps_per_epoch = 2});
  // Five batches: 0 1 | 2 3 | 4, where the rows run out | 0 1, as in Keras.
  EXPECT_EQ(diary->words, "0..|1..|2.|3..|");
  EXPECT_EQ(history.steps_per_epoch, 2);
  const auto mean = [](double a, double b) { return (a + b) / 2; };
  EXPECT_FLOAT_EQ(float(diary->ends[0]), float(mean(batch_loss(0), batch_loss(1))));
  EXPECT_FLOAT_EQ(float(diary->ends[1]), float(mean(batch_loss(2), batch_loss(3))));
  EXPECT_FLOAT_EQ(float(diary->ends[2]), float(batch_loss(4)));
  EXPECT_EQ(diary->ends[3], diary->ends[0]);
}

TEST(FitArguments, MoreStepsThanThereAreBatchesEndWithTheRows) {
  const Windows data = rows_of(6, [](Index i) { return i; });
  Sequential model = scale(0, 0.0);
  const auto diary = std::make_shared<Diary>();
  model.fit(data.x, data.y,
            {.batch_size = 2, .epochs = 2, .callbacks = {diary}, .steps_per_epoch = 9});
  EXPECT_EQ(diary->words, "0...|1...|");
}

TEST(FitArguments, StepsPerEpochShufflesEachPass) {
  // Two epochs of half the rows see every row once, whatever the shuffling.
  const Windows data = rows_of(8, [](Index i) { return i; });
  Sequential model = scale(0, 0.0);
  const History history =
      model.fit(data.x, data.y, {.batch_size = 2, .epochs = 6, .steps_per_epoch = 2});
  const auto& loss = history["loss"];
  const double all = (0 + 1 + 4 + 9 + 16 + 25 + 36 + 49) / 8.0;
  for (const std::size_t pass : {0U, 1U, 2U}) {
    EXPECT_FLOAT_EQ(float(loss[2 * pass] + loss[2 * pass + 1]), float(2 * all));
  }
  EXPECT_FALSE(loss[0] == loss[2] && loss[2] == loss[4]);
}

TEST(FitArguments, ValidationStepsBeginAnewEachTime) {
  const Windows data = rows_of(2, [](Index) { return 0; }),
                watched = rows_of(10, [](Index i) { return i; });
  Sequential model = scale(0, 0.0);
  const History history = model.fit(data.x, data.y,
                                    {.epochs = 2,
                                     .validation_data = Validation{watched.x, watched.y},
                                     .validation_steps = 2,
                                     .validation_batch_size = 2});
  const double want = (batch_loss(0) + batch_loss(1)) / 2;
  EXPECT_FLOAT_EQ(float(history["val_loss"][0]), float(want));
  EXPECT_EQ(history["val_loss"][1], history["val_loss"][0]);
}

TEST(FitArguments, ValidationFreqSaysWhichEpochs) {
  const Windows data = rows_of(2, [](Index) { return 1; });
  const auto validated = [&](const ValidationFreq& freq) {
    Sequential model = scale(0, 0.0);
    const History history = model.fit(
        data.x, data.y,
        {.epochs = 5, .validation_data = Validation{data.x, data.y}, .validation_freq = freq});
    std::vector<Index> epochs;
    for (std::size_t e = 0; e < 5; ++e) {
      if (!std::isnan(history["val_loss"][e])) epochs.push_back(static_cast<Index>(e) + 1);
    }
    return epochs;
  };
  EXPECT_EQ(validated(2), (std::vector<Index>{2, 4}));
  EXPECT_EQ(validated({1, 4}), (std::vector<Index>{1, 4}));
}

// --- class weights ---

/// A model that always says `probabilities`, whatever its one input.
Sequential constant(const std::vector<float>& logits, const Loss& loss) {
  const auto n = static_cast<Index>(logits.size());
  const Activation activation = n == 1 ? Activation("sigmoid") : Activation("softmax");
  Sequential model{InputLayer({.shape = {1}}), Dense(n, {.activation = activation})};
  model.compile({.optimizer = SGD{.learning_rate = 0.0}, .loss = loss});
  model.set_weights({Tensor({1, n}), Tensor::of<float>({n}, logits)});
  return model;
}

const std::map<Index, double> weights{{0, 1.0}, {1, 3.0}, {2, 0.5}};

TEST(ClassWeight, OfLabels) {
  const Tensor x({4, 1}), y = Tensor::of<std::int32_t>({4}, {0, 1, 2, 1});
  Sequential model = constant({0, 0, 0}, "sparse_categorical_crossentropy");
  const History history = model.fit(x, y, {.class_weight = weights});
  EXPECT_NEAR(history["loss"][0], std::log(3.0) * (1 + 3 + 0.5 + 3) / 4, 1e-6);
}

TEST(ClassWeight, IsOneForClassesThatAreNotNamed) {
  const Tensor x({4, 1}), y = Tensor::of<std::int32_t>({4}, {0, 1, 2, 1});
  Sequential model = constant({0, 0, 0}, "sparse_categorical_crossentropy");
  const History history = model.fit(x, y, {.class_weight = {{1, 3.0}}});
  EXPECT_NEAR(history["loss"][0], std::log(3.0) * (1 + 3 + 1 + 3) / 4, 1e-6);
}

TEST(ClassWeight, OfOneHotTargets) {
  const Tensor x({2, 1}), y = Tensor::of<float>({2, 3}, {0, 1, 0, 0, 0, 1});
  Sequential model = constant({0, 0, 0}, "categorical_crossentropy");
  const History history = model.fit(x, y, {.class_weight = weights});
  EXPECT_NEAR(history["loss"][0], std::log(3.0) * (3 + 0.5) / 2, 1e-6);
}

TEST(ClassWeight, OfBinaryTargetsTimesSampleWeight) {
  const Tensor x({3, 1}), y = Tensor::of<float>({3, 1}, {0, 1, 1});
  Sequential model = constant({0}, "binary_crossentropy");
  const History history = model.fit(
      x, y, {.sample_weight = Tensor::of<float>({3}, {2, 1, 0}), .class_weight = weights});
  EXPECT_NEAR(history["loss"][0], std::log(2.0) * (2 * 1 + 1 * 3 + 0) / 3, 1e-6);
}

TEST(ClassWeight, OfLabelsAtEveryStep) {
  const Tensor x({2, 2, 1}), y = Tensor::of<std::int32_t>({2, 2}, {0, 1, 1, 2});
  Sequential model{InputLayer({.shape = {2, 1}}), Dense(3, {.activation = "softmax"})};
  model.compile(
      {.optimizer = SGD{.learning_rate = 0.0}, .loss = "sparse_categorical_crossentropy"});
  model.set_weights({Tensor({1, 3}), Tensor({3})});
  const History history =
      model.fit(x, y, {.sample_weight = Tensor::of<float>({2}, {1, 2}), .class_weight = weights});
  EXPECT_NEAR(history["loss"][0], std::log(3.0) * (1 + 3 + 2 * 3 + 2 * 0.5) / 4, 1e-6);
}

TEST(ClassWeight, DoesNotWeighWhatIsWatched) {
  const Tensor x({2, 1}), y = Tensor::of<float>({2, 1}, {1, 1});
  Sequential model = constant({0}, "binary_crossentropy");
  const History history =
      model.fit(x, y, {.validation_data = Validation{x, y}, .class_weight = weights});
  EXPECT_NEAR(history["loss"][0], 3 * std::log(2.0), 1e-6);
  EXPECT_NEAR(history["val_loss"][0], std::log(2.0), 1e-6);
}

// --- one batch ---

TEST(OnBatch, TestsAndPredictsWithoutAnUpdate) {
  const Windows data = rows_of(4, [](Index i) { return i; });
  Sequential model = scale(0.5F, 0.1);
  const Logs logs = model.test_on_batch(data.x, data.y);
  EXPECT_FLOAT_EQ(float(value_of(logs, "loss")), (0 + 1 + 4 + 9) / 16.0F);
  EXPECT_EQ(model.iterations(), 0);
  const Tensors outputs = model.predict_on_batch(data.x);
  EXPECT_EQ(outputs[0].shape(), Shape({4, 1}));
  EXPECT_EQ(outputs[0].floats()[3], 1.5F);
  EXPECT_FLOAT_EQ(
      float(value_of(model.test_on_batch(data.x, data.y, Tensor::of<float>({4}, {0, 0, 0, 4})),
                     "loss")),
      9 / 4.0F);
}

TEST(Evaluate, TakesSoManySteps) {
  const Windows data = rows_of(10, [](Index i) { return i; });
  Sequential model = scale(0, 0.1);
  const Logs logs = model.evaluate(data.x, data.y, {.batch_size = 2, .steps = 2});
  EXPECT_FLOAT_EQ(float(value_of(logs, "loss")), float((batch_loss(0) + batch_loss(1)) / 2));
}

// --- what is refused ---

TEST(Refusal, OfArgumentsOfFit) {
  const Windows data = rows_of(4, [](Index i) { return i; });
  Sequential model = scale(0, 0.1);
  const auto said = [&](const FitOptions& options) {
    return refusal([&] { model.fit(data.x, data.y, options); });
  };
  EXPECT_EQ(said({.epochs = 2, .initial_epoch = 3}),
            "value: initial_epoch is out of range\n"
            "  got    3\n"
            "  want   0 to epochs, 2\n"
            "hint: epochs is the number of the last epoch, not how many are added");
  EXPECT_EQ(said({.epochs = 2, .initial_epoch = -1}),
            "value: initial_epoch is out of range\n"
            "  got    -1\n"
            "  want   0 to epochs, 2\n"
            "hint: epochs is the number of the last epoch, not how many are added");
  const auto not_positive = [](const std::string& what, const char* got) {
    return "value: " + what + " is not positive\n  got    " + got + "\n  want   1 or more";
  };
  EXPECT_EQ(said({.steps_per_epoch = 0}), not_positive("steps_per_epoch", "0"));
  EXPECT_EQ(said({.validation_steps = -3}), not_positive("validation_steps", "-3"));
  EXPECT_EQ(said({.validation_freq = 0}), not_positive("validation_freq", "0"));
  EXPECT_EQ(said({.validation_freq = {1, 0}}), not_positive("an epoch of validation_freq", "0"));
  EXPECT_EQ(said({.validation_freq = ValidationFreq{}}), not_positive("validation_freq", "0"));
  EXPECT_EQ(said({.validation_batch_size = 0}), not_positive("validation_batch_size", "0"));
  EXPECT_EQ(said({.callbacks = {nullptr}}), "value: a callback is null");
  EXPECT_EQ(refusal([&] { model.evaluate(data.x, data.y, {.steps = 0}); }),
            not_positive("steps", "0"));
  EXPECT_EQ(said({.validation_data = Validation{data.x, data.y, Tensor({3})}}),
            "shape: validation_data's sample_weight has another number of rows\n"
            "  got    3\n"
            "  want   4");
  EXPECT_EQ(said({.validation_data = Validation{Tensor({0, 1}), Tensor({0, 1})}}),
            "value: no rows\n  got    (0, 1)\n  want   at least one row");
}

TEST(Refusal, OfClassWeights) {
  const Windows data = rows_of(4, [](Index i) { return i; });
  Sequential model = scale(0, 0.1);
  const auto said = [&](const Tensor& y, const std::map<Index, double>& class_weight) {
    return refusal([&] { model.fit(data.x, y, {.class_weight = class_weight}); });
  };
  EXPECT_EQ(said(Tensor({4, 1}), {{0, 1.0}, {1, -2.0}}),
            "value: class_weight of class 1 is out of range\n"
            "  got    -2\n"
            "  want   a number, 0 or more");
  EXPECT_EQ(said(Tensor::of<float>({4, 1}, {0, NAN, 1, 0}), {{0, 1.0}, {1, 2.0}}),
            "value: class_weight: a target names no class\n"
            "  got    nan in row 1\n"
            "  want   a label");
  const Symbol x = Input({.shape = {1}});
  Model two({.inputs = {x}, .outputs = {Dense(1)(x), Dense(1)(x)}});
  two.compile({.optimizer = "adam", .loss = "mse"});
  EXPECT_EQ(
      refusal([&] {
        two.fit(data.x, {Rows(Tensor({4, 1})), Rows(Tensor({4, 1}))}, {.class_weight = {{0, 1.0}}});
      }),
      "unsupported: class_weight is for models with one output\n"
      "  got    2 outputs\n"
      "hint: sample_weight weighs every sample");
}

TEST(Refusal, OutsideFitOrInsideAnother) {
  const Windows data = rows_of(2, [](Index) { return 0; });
  Sequential model = scale(0, 0.1);
  EXPECT_EQ(refusal([&] { model.fit_state(); }),
            "value: fit_state outside fit\n"
            "hint: training_state() is the state of a model that is not being trained");
  EXPECT_EQ(refusal([&] { model.resume_fit(Record()); }),
            "value: resume_fit outside fit\nhint: call it in a callback's on_train_begin");
  const auto again =
      lambda_callback({.on_epoch_begin = [&](Model& same, Index) { same.fit(data.x, data.y); }});
  EXPECT_EQ(refusal([&] { model.fit(data.x, data.y, {.callbacks = {again}}); }),
            "value: fit is called while the model's fit goes on\n"
            "hint: a callback may evaluate and predict, but not fit");
  EXPECT_NO_THROW(model.fit(data.x, data.y));
}

}  // namespace
}  // namespace unroll
