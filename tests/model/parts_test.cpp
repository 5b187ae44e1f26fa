// What changes a step of training: penalties on activities, gathered gradients, sequences in parts.
#include <gtest/gtest.h>

#include "tests/model/lesson_models.h"
#include "tests/refused.h"
#include "unroll/convolution.h"
#include "unroll/error.h"

namespace unroll {
namespace {

/// (rows, steps, 1) of one wave, and the step that follows each.
struct Sequences {
  Tensor x, y;

  Sequences(Index rows, Index steps) : x({rows, steps, 1}), y({rows, steps, 1}) {
    const Tensor series = wave(rows * steps + 1);
    for (Index i = 0; i < rows * steps; ++i) {
      x.floats()[i] = series.floats()[i];
      y.floats()[i] = series.floats()[i + 1];
    }
  }
};

double square_sum(const Tensor& tensor) {
  double sum = 0;
  for (Index i = 0; i < tensor.elements(); ++i) {
    sum += static_cast<double>(tensor.floats()[i]) * tensor.floats()[i];
  }
  return sum;
}

TEST(ActivityRegularizer, AddsItsPenaltyOverTheRows) {
  const Sequences data(24, 5);
  Sequential model{InputLayer({.shape = {5, 1}}),
                   GRU(4, {.activity_regularizer = l2(0.1), .return_sequences = true}), Dense(1)};
  model.compile({.optimizer = "sgd", .loss = "mse"});
  const double with = value_of(model.evaluate(data.x, data.y, {.batch_size = 24}), "loss");
  const Tensor predicted = model.predict(data.x)[0];
  double mse = 0;
  for (Index i = 0; i < predicted.elements(); ++i) {
    mse += std::pow(predicted.floats()[i] - data.y.floats()[i], 2);
  }
  mse /= static_cast<double>(predicted.elements());
  Model inside({.inputs = model.inputs(), .outputs = {model.layers()[0].output()}});
  EXPECT_NEAR(with, mse + 0.1 * square_sum(inside.predict(data.x)[0]) / 24, 1e-5);
}

TEST(ActivityRegularizer, HasTheGradientOfItsPenalty) {
  // In float64, against differences of the loss.
  const Sequences data(10, 4);
  Sequential model{InputLayer({.shape = {4, 1}}),
                   Bidirectional(SimpleRNN(
                       3, {.activity_regularizer = l1_l2(0.02, 0.3), .return_sequences = true})),
                   TimeDistributed(Dense(2, {.activity_regularizer = l2(0.2)})), Dense(1)};
  model.set_dtype(DType::float64);
  constexpr double rate = 1e-3;
  model.compile({.optimizer = SGD{.learning_rate = rate}, .loss = "mse"});
  const auto loss = [&] {
    return value_of(model.evaluate(data.x, data.y, {.batch_size = 10}), "loss");
  };
  std::vector<Tensor> weights = model.get_weights();
  std::vector<Tensor> numeric;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    Tensor slope(weights[w].shape(), DType::float64);
    for (Index i = 0; i < slope.elements(); ++i) {
      double& value = weights[w].values<double>()[static_cast<std::size_t>(i)];
      const double kept = value;
      value = kept + 1e-5;
      model.set_weights(weights);
      const double above = loss();
      value = kept - 1e-5;
      model.set_weights(weights);
      slope.values<double>()[static_cast<std::size_t>(i)] = (above - loss()) / 2e-5;
      value = kept;
    }
    numeric.push_back(slope);
  }
  model.set_weights(weights);
  model.train_on_batch(data.x, data.y);
  const std::vector<Tensor> after = model.get_weights();
  for (std::size_t w = 0; w < weights.size(); ++w) {
    for (Index i = 0; i < weights[w].elements(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double slope = (weights[w].values<double>()[at] - after[w].values<double>()[at]) / rate;
      EXPECT_NEAR(slope, numeric[w].values<double>()[at], 1e-6) << w << " " << i;
    }
  }
}

TEST(GradientAccumulation, OfTwoBatchesIsOneOfBoth) {
  const Sequences data(16, 5);
  const auto trained = [&](Index batch, std::optional<Index> steps) {
    Sequential model{InputLayer({.shape = {5, 1}}), LSTM(4, {.return_sequences = true}), Dense(1)};
    model.compile({.optimizer = Adam{.clipnorm = 0.1, .gradient_accumulation_steps = steps},
                   .loss = "mse",
                   .seed = 2});
    model.fit(data.x, data.y, {.batch_size = batch, .epochs = 3, .shuffle = false});
    return model.get_weights();
  };
  const auto whole = trained(16, {}), halves = trained(8, 2);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (Index k = 0; k < whole[i].elements(); ++k) {
      EXPECT_NEAR(whole[i].floats()[k], halves[i].floats()[k], 1e-5f);
    }
  }
}

TEST(GradientAccumulation, WaitsWithTables) {
  const Reviews data = reviews(16, 6, 20);
  Sequential model{InputLayer({.shape = {6}}), Embedding(20, 3), GlobalAveragePooling1D(),
                   Dense(1)};
  model.compile({.optimizer = SGD{.learning_rate = 0.5, .gradient_accumulation_steps = 3}});
  const std::vector<Tensor> first = model.get_weights();
  const auto moved = [&] {
    return std::memcmp(model.get_weights()[0].raw(), first[0].raw(),
                       static_cast<std::size_t>(first[0].bytes())) != 0;
  };
  for (const bool due : {false, false, true}) {
    model.train_on_batch(data.words, data.labels);
    EXPECT_EQ(moved(), due);
  }
}

TEST(ResetStates, OfOneLayer) {
  const Symbol x = Input({.shape = {3, 2}, .batch_size = 1});
  const Symbol a = GRU(2, {.stateful = true, .name = "first"})(x);
  const Symbol b = LSTM(2, {.stateful = true, .name = "second"})(x);
  Model model({.inputs = {x}, .outputs = {a, b, Dense(1, {.name = "plain"})(a)}});
  const Tensor data = Tensor::of<float>({1, 3, 2}, {1, -1, 2, 0.5F, 0.3F, -2});
  const Tensors fresh = model.predict(data);
  const Tensors second = model.predict(data);
  model.reset_states("first");
  const Tensors third = model.predict(data);
  const auto same = [](const Tensor& one, const Tensor& other) {
    return std::ranges::equal(one.values<float>(), other.values<float>());
  };
  EXPECT_FALSE(same(fresh[0], second[0]));
  EXPECT_TRUE(same(fresh[0], third[0]));
  EXPECT_FALSE(same(fresh[1], third[1]));
  EXPECT_FALSE(same(second[1], third[1]));
  EXPECT_EQ(refused_with_kind([&] { model.reset_states("plain"); }),
            "value: reset_states: the layer keeps no states\n"
            "  got    Dense \"plain\"\n"
            "  want   a layer with .stateful = true");
}

TEST(Parts, CarryStatesAndNoGradients) {
  // Parts of a sequence are the batches of a stateful model.
  const Sequences data(6, 9);
  const auto make = [](bool stateful) {
    return Sequential{InputLayer({.shape = {unknown, 1}, .batch_size = stateful ? 6 : unknown}),
                      GRU(5, {.return_sequences = true, .stateful = stateful}),
                      LSTM(4, {.return_sequences = true, .stateful = stateful}), Dense(1)};
  };
  Sequential parts = make(false), steps = make(true);
  for (Sequential* model : {&parts, &steps}) {
    model->compile({.optimizer = "adam", .loss = "mse", .seed = 4});
  }
  parts.fit(data.x, data.y, {.batch_size = 6, .epochs = 2, .shuffle = false, .tbptt = 4});
  const Rows x(data.x), y(data.y);
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (const auto& [first, last] : {std::pair<Index, Index>{0, 4}, {4, 8}, {8, 9}}) {
      steps.train_on_batch(x.steps(first, last), y.steps(first, last));
    }
    steps.reset_states();
  }
  EXPECT_EQ(bytes_of(parts) == bytes_of(steps), true);
}

TEST(Parts, RefuseWhatCannotBeCut) {
  const Sequences data(6, 9);
  const auto refusal = [&](const Layer& layer, const Tensor& y) -> std::string {
    Sequential model{InputLayer({.shape = {9, 1}}), layer, Dense(1)};
    model.compile({.optimizer = "adam", .loss = "mse"});
    try {
      model.fit(data.x, y, {.tbptt = 3});
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_EQ(refusal(Bidirectional(GRU(2, {.return_sequences = true}), {.name = "both"}), data.y),
            "Bidirectional \"both\": cannot be trained in parts\n"
            "  got    a layer that reads sequences from their end\n"
            "hint: leave tbptt out, or the layer");
  EXPECT_EQ(refusal(GRU(2), wave(6)),
            "tbptt cuts inputs and targets that are sequences\n"
            "  got    (6, 1)\n"
            "  want   (rows, 9, ...)\n"
            "hint: a target for every step: return_sequences in the last layer");
}

}  // namespace
}  // namespace unroll
