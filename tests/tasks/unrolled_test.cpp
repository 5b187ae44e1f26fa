// A model laid out in time gives the same numbers, and what flows back through it is BPTT.
#include "unroll/unrolled.h"

#include <gtest/gtest.h>

#include <cmath>

#include "src/base/random.h"
#include "tests/refused.h"
#include "unroll/convolution.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

Tensor noise(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape, DType::float64);
  const base::Random random(seed);
  std::uint64_t i = 0;
  for (double& value : tensor.values<double>()) value = random.normal(i++);
  return tensor;
}

double worst_difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  const Tensor left = a.to(DType::float64), right = b.to(DType::float64);
  double worst = 0;
  for (std::size_t i = 0; i < left.values<double>().size(); ++i) {
    worst = std::max(worst, std::abs(left.values<double>()[i] - right.values<double>()[i]));
  }
  return worst;
}

constexpr Index steps = 6;

void expect_same(Model model, double allowed, DType dtype) {
  model.set_dtype(dtype);
  const Tensor x = noise({5, steps, 3}, 1).to(dtype);
  const Tensor want = model.predict(x)[0];
  Model flat = unroll_in_time(model, steps);
  EXPECT_LT(worst_difference(flat.predict(x)[0], want), allowed);
  EXPECT_EQ(flat.count_params(), model.count_params());
}

class Unrolled : public testing::TestWithParam<int> {};

std::vector<Layer> layers_of(int kind) {
  switch (kind) {
    case 0:
      return {SimpleRNN(4), Dense(2)};
    case 1:
      return {GRU(4, {.return_sequences = true}), LSTM(3, {.return_sequences = true}), Dense(2)};
    case 2:
      return {LSTM(4, {.go_backwards = true}), Dense(1)};
    case 3:
      return {GRU(4, {.return_sequences = true, .go_backwards = true, .reset_after = false}),
              SimpleRNN(3, {.activation = "relu"})};
    default:
      return {RNN({GRUCell(3), LSTMCell(2)}, {.return_sequences = true}), LayerNormalization(),
              GlobalAveragePooling1D()};
  }
}

TEST_P(Unrolled, GivesTheSameNumbers) {
  for (const auto& [dtype, allowed] :
       {std::pair(DType::float32, 1e-6), std::pair(DType::float64, 1e-12)}) {
    std::vector<Layer> layers = layers_of(GetParam());
    layers.insert(layers.begin(), InputLayer({.shape = {unknown, 3}}));
    Sequential model(layers);
    model.compile({.seed = 4});
    expect_same(model, allowed, dtype);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Unrolled, testing::Range(0, 5));

TEST(UnrolledModel, HasALayerAStep) {
  Sequential model{InputLayer({.shape = {4, 3}}), SimpleRNN(2, {.name = "memory"}), Dense(1)};
  model.compile({.optimizer = SGD{.learning_rate = 0.1}, .loss = "mse"});
  const Model flat = unroll_in_time(model, 4);
  std::vector<std::string> names;
  for (const Layer& layer : flat.layers()) {
    if (layer.class_name() == "CellStep") names.push_back(layer.name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"memory_step_0", "memory_step_1", "memory_step_2",
                                             "memory_step_3"}));
}

TEST(UnrolledModel, TrainsTheModelsOwnWeights) {
  Sequential model{InputLayer({.shape = {4, 3}}), GRU(2), Dense(1)};
  model.compile({.optimizer = SGD{.learning_rate = 0.1}, .loss = "mse", .seed = 2});
  Sequential twin{InputLayer({.shape = {4, 3}}), GRU(2), Dense(1)};
  twin.compile({.optimizer = SGD{.learning_rate = 0.1}, .loss = "mse", .seed = 2});
  const Tensor x = noise({8, 4, 3}, 3).to(DType::float32), y = noise({8, 1}, 4).to(DType::float32);
  model.predict(x);
  twin.set_weights(model.get_weights());
  unroll_in_time(model, 4).fit(x, y, {.epochs = 5, .shuffle = false});
  twin.fit(x, y, {.epochs = 5, .shuffle = false});
  EXPECT_LT(worst_difference(model.predict(x)[0], twin.predict(x)[0]), 1e-5);
}

TEST(GradientsByStep, AreBackpropagationThroughTime) {
  // By hand, two units: h_t = tanh(x_t W + h_{t-1} R), loss = mean of (h_T v - y)^2.
  Sequential model{InputLayer({.shape = {steps, 3}}), SimpleRNN(2, {.use_bias = false}),
                   Dense(1, {.use_bias = false})};
  model.compile({.loss = "mse", .seed = 5});
  model.set_dtype(DType::float64);
  const Tensor x = noise({1, steps, 3}, 6), y = noise({1, 1}, 7);
  const double predicted = model.predict(x)[0].at({0, 0});
  const auto weights = model.get_weights();
  const auto at = [](const Tensor& t, Index i, Index j) {
    return static_cast<double>(t.at({i, j}));
  };
  std::vector<std::array<double, 2>> h(steps + 1, {0, 0});
  for (Index t = 0; t < steps; ++t) {
    for (Index u = 0; u < 2; ++u) {
      double z = 0;
      for (Index f = 0; f < 3; ++f)
        z += static_cast<double>(x.at({0, t, f})) * at(weights[0], f, u);
      for (Index v = 0; v < 2; ++v) {
        z += h[static_cast<std::size_t>(t)][static_cast<std::size_t>(v)] * at(weights[1], v, u);
      }
      h[static_cast<std::size_t>(t + 1)][static_cast<std::size_t>(u)] = std::tanh(z);
    }
  }
  std::array<double, 2> back{};
  for (Index u = 0; u < 2; ++u) {
    back[static_cast<std::size_t>(u)] =
        2 * (predicted - static_cast<double>(y.at({0, 0}))) * at(weights[2], u, 0);
  }
  const auto found = gradients_by_step(model, x, y);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].layer, "simple_rnn");
  ASSERT_EQ(found[0].gradients.size(), static_cast<std::size_t>(steps));
  for (Index t = steps - 1; t >= 0; --t) {
    const auto s = static_cast<std::size_t>(t);
    for (Index u = 0; u < 2; ++u) {
      EXPECT_NEAR(static_cast<double>(found[0].gradients[s].at({0, u})),
                  back[static_cast<std::size_t>(u)], 1e-9);
    }
    EXPECT_NEAR(found[0].norms[s], std::hypot(back[0], back[1]), 1e-9);
    std::array<double, 2> before{};
    for (Index u = 0; u < 2; ++u) {
      for (Index v = 0; v < 2; ++v) {
        const double value = h[s + 1][static_cast<std::size_t>(v)];
        before[static_cast<std::size_t>(u)] +=
            back[static_cast<std::size_t>(v)] * (1 - value * value) * at(weights[1], u, v);
      }
    }
    back = before;
  }
}

TEST(GradientsByStep, OfSeveralLayersAndSequences) {
  Sequential model{InputLayer({.shape = {unknown, 3}}), LSTM(4, {.return_sequences = true}),
                   GRU(3, {.return_sequences = true}), Dense(1)};
  model.compile({.loss = "mse", .seed = 1});
  const auto before = model.count_params();
  const auto found = gradients_by_step(model, noise({4, steps, 3}, 1), noise({4, steps, 1}, 2));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].layer, "lstm");
  EXPECT_EQ(found[1].gradients[0].shape(), (Shape{4, 3}));
  for (const StepGradients& layer : found) {
    for (const double norm : layer.norms) EXPECT_GT(norm, 0);
  }
  EXPECT_EQ(model.count_params(), before);
}

TEST(Unrolled, Refuses) {
  Sequential model{InputLayer({.shape = {4, 3}}), GRU(2)};
  EXPECT_EQ(refused_with_kind([&] { unroll_in_time(model, 0); }),
            "value: unroll_in_time: no such number of steps\n"
            "  got    0\n"
            "  want   1 or more");
  EXPECT_EQ(refused_with_kind([&] { unroll_in_time(model, 5); }),
            "value: GRU \"gru\" reads another number of steps\n"
            "  got    5\n"
            "  want   4");
  Sequential masked{InputLayer({.shape = {4}}), Embedding(9, 2, {.mask_zero = true}), GRU(2)};
  EXPECT_EQ(refused_with_kind([&] { unroll_in_time(masked, 4); }),
            "unsupported: unroll_in_time: the model masks steps\n"
            "hint: build it without mask_zero or Masking");
  Sequential both{InputLayer({.shape = {4, 3}}), Bidirectional(GRU(2))};
  EXPECT_EQ(refused_with_kind([&] { unroll_in_time(both, 4); }),
            "unsupported: Bidirectional \"bidirectional\" cannot be unrolled in time\n"
            "  got    a layer that reads in both directions");
  Sequential plain{InputLayer({.shape = {3}}), Dense(2)};
  plain.compile({.loss = "mse"});
  EXPECT_EQ(refused_with_kind([&] {
              gradients_by_step(plain, Tensor({2, 3}), Tensor({2, 2}));
            }),
            "shape: gradients_by_step: no input is a sequence");
  EXPECT_EQ(refused_with_kind([&] {
              gradients_by_step(model, Tensor({2, 4, 3}), Tensor({2, 2}));
            }),
            "value: the model \"sequential_unrolled\" is not compiled\n"
            "hint: model.compile({.optimizer = \"adam\", .loss = \"mse\"})");
}

}  // namespace
}  // namespace unroll
