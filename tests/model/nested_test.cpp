// Models as layers of other models.
#include <gtest/gtest.h>

#include "unroll/convolution.h"
#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

Tensor numbers(const Shape& shape, std::uint32_t state = 1) {
  Tensor tensor(shape);
  for (float& value : tensor.values<float>()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
  }
  return tensor;
}

Tensor ids(const Shape& shape, std::int32_t vocabulary) {
  Tensor tensor(shape, DType::int32);
  std::uint32_t state = 3;
  for (std::int32_t& value : tensor.values<std::int32_t>()) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<std::int32_t>(state >> 8) % vocabulary;
  }
  return tensor;
}

void expect_same(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  for (Index i = 0; i < a.elements(); ++i) ASSERT_EQ(a.floats()[i], b.floats()[i]) << i;
}

/// The flat model and the nested one, of the same layers: the same bytes, trained or not.
TEST(Nested, TrainsLikeTheSameLayersLaidOutFlat) {
  const Tensor x = ids({24, 7}, 11), y = numbers({24, 2});
  const auto flat = [] {
    const Symbol words = Input({.shape = {7}});
    const Symbol h = LSTM(6)(Embedding(11, 5, {.mask_zero = true})(words));
    return Model({.inputs = {words}, .outputs = {Dense(2)(h)}});
  };
  const auto nested = [] {
    const Symbol words = Input({.shape = {7}});
    const Symbol h = LSTM(6)(Embedding(11, 5, {.mask_zero = true})(words));
    const Model encoder({.inputs = {words}, .outputs = {h}, .name = "encoder"});
    const Symbol again = Input({.shape = {7}});
    return Model({.inputs = {again}, .outputs = {Dense(2)(encoder(again))}});
  };
  Model one = flat(), other = nested();
  one.compile({.optimizer = "adam", .loss = "mse"});
  other.compile({.optimizer = "adam", .loss = "mse"});
  other.set_weights(one.get_weights());
  // Batches with fewer words than the table has rows: larger ones would train the flat model's
  // first two layers as one, with sums in another order (tabulated_test.cpp).
  const FitOptions options{.batch_size = 1, .epochs = 3};
  one.fit(x, y, options);
  other.fit(x, y, options);
  const auto a = one.get_weights(), b = other.get_weights();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) expect_same(a[i], b[i]);
  expect_same(one.predict(x)[0], other.predict(x)[0]);
}

TEST(Nested, GivesItsMasksOn) {
  const Tensor x = ids({9, 6}, 4);
  const Symbol in = Input({.shape = {6}});
  const Symbol e = Embedding(4, 3, {.mask_zero = true, .name = "table"})(in);
  const Model embed({.inputs = {in}, .outputs = {e}});
  const GRU gru(5);
  const Symbol first = Input({.shape = {6}});
  const Model nested({.inputs = {first}, .outputs = {gru(embed(first))}});
  Model flat({.inputs = {in}, .outputs = {gru(e)}});
  Model copy = nested;
  expect_same(flat.predict(x)[0], copy.predict(x)[0]);
}

TEST(Nested, SharesItsWeightsWithTheModelItself) {
  const Sequential inner({InputLayer({.shape = {4}}), Dense(3, {.activation = "tanh"})}, "inner");
  Sequential outer{InputLayer({.shape = {4}}), inner, Dense(1)};
  outer.compile({.optimizer = "sgd", .loss = "mse"});
  const std::vector<Tensor> before = inner.get_weights();
  outer.fit(numbers({16, 4}), numbers({16, 1}), {.epochs = 2});
  const std::vector<Tensor> after = inner.get_weights(), all = outer.get_weights();
  EXPECT_NE(before[0].floats()[0], after[0].floats()[0]);
  expect_same(after[0], all[0]);
  EXPECT_EQ(outer.get_layer("inner").count_params(), 15);
}

TEST(Nested, IsBuiltByItsFirstUse) {
  Sequential encoder{GRU(4, {.return_sequences = true}), Dense(2)};
  Sequential model{encoder, Flatten(), Dense(1)};
  const Tensor y = model.predict(numbers({3, 5, 2}))[0];
  EXPECT_EQ(y.shape(), (Shape{3, 1}));
  EXPECT_TRUE(encoder.built());
  EXPECT_EQ(model.layers()[0].name(), "sequential");
}

TEST(Nested, CarriesStates) {
  const auto make = [](bool nested) {
    const Sequential walker{InputLayer({.shape = {3, 2}, .batch_size = 2}),
                            LSTM(4, {.stateful = true, .name = "walk"})};
    if (!nested) return Model(walker);
    const Symbol x = Input({.shape = {3, 2}, .batch_size = 2});
    return Model({.inputs = {x}, .outputs = {walker(x)}});
  };
  Model flat = make(false), nested = make(true);
  nested.set_weights(flat.get_weights());
  const Tensor x = numbers({2, 3, 2});
  const Tensor first = nested.predict(x)[0];
  expect_same(flat.predict(x)[0], first);
  const Tensor second = nested.predict(x)[0];
  expect_same(flat.predict(x)[0], second);
  EXPECT_NE(first.floats()[0], second.floats()[0]);
  nested.reset_states();
  expect_same(nested.predict(x)[0], first);
}

TEST(Nested, TwiceInAModelHasOneSetOfWeights) {
  const Sequential twin({InputLayer({.shape = {4}}), Dense(3)}, "twin");
  const Symbol a = Input({.shape = {4}}), b = Input({.shape = {4}});
  Model model({.inputs = {a, b}, .outputs = {Dot({.axes = 1})({twin(a), twin(b)})}});
  EXPECT_EQ(model.count_params(), 15);
  const Tensor x = numbers({5, 4});
  Model alone = twin;
  const Tensor h = alone.predict(x)[0], y = model.predict({x, x})[0];
  for (Index i = 0; i < 5; ++i) {
    float sum = 0;
    for (Index j = 0; j < 3; ++j) sum += h.floats()[i * 3 + j] * h.floats()[i * 3 + j];
    EXPECT_NEAR(y.floats()[i], sum, 1e-5f);
  }
}

TEST(Nested, CanBeFrozen) {
  Sequential inner({InputLayer({.shape = {4}}), Dense(3)}, "inner");
  inner.set_trainable(false);
  Sequential outer{InputLayer({.shape = {4}}), inner, Dense(1)};
  EXPECT_EQ(outer.count_trainable(), 4);
  outer.compile({.optimizer = "sgd", .loss = "mse"});
  const std::vector<Tensor> before = outer.get_weights();
  outer.fit(numbers({16, 4}), numbers({16, 1}), {.epochs = 2});
  const std::vector<Tensor> after = outer.get_weights();
  expect_same(before[0], after[0]);
  EXPECT_NE(before[2].floats()[0], after[2].floats()[0]);
}

TEST(Nested, StandsInTheSummaryAsOneLayer) {
  const Sequential inner({InputLayer({.shape = {4}}), Dense(3)}, "inner");
  const Sequential outer{InputLayer({.shape = {4}}), inner, Dense(1)};
  EXPECT_NE(outer.summary().find("inner (Sequential)"), std::string::npos) << outer.summary();
}

TEST(Nested, RefusesOtherShapes) {
  const Sequential inner({InputLayer({.shape = {4}, .name = "four"}), Dense(3)}, "inner");
  const Symbol x = Input({.shape = {5}});
  try {
    inner(x);
    FAIL() << "no refusal";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "input \"four\" of the model \"inner\" has another shape\n"
                 "  got    (None, 5)\n"
                 "  want   (None, 4)");
  }
}

}  // namespace
}  // namespace unroll
