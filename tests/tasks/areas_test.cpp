// Areas: what a pass computes, how connections share weights, what is refused.
#include "unroll/areas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "src/base/random.h"
#include "tests/refused.h"

namespace unroll {
namespace {

using testing::HasSubstr;

AreasOptions two() {
  return {.input = {3},
          .areas = {{"low", 2, "tanh"}, {"high", 2, "tanh"}},
          .outputs = 1,
          .readout = "linear"};
}

Tensor noise(const Shape& shape) {
  Tensor x(shape);
  const base::Random random(4);
  for (Index i = 0; i < x.elements(); ++i) {
    x.floats()[i] = static_cast<float>(random.normal(static_cast<std::uint64_t>(i)));
  }
  return x;
}

/// y += x W + b.
void add(std::vector<double>& y, const std::vector<double>& x, const Layer& layer) {
  const std::vector<Tensor> weights = layer.get_weights();
  for (std::size_t j = 0; j < y.size(); ++j) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[j] +=
          x[i] * static_cast<double>(weights[0].at({static_cast<Index>(i), static_cast<Index>(j)}));
    }
    if (weights.size() > 1) y[j] += static_cast<double>(weights[1].at({static_cast<Index>(j)}));
  }
}

TEST(Areas, PassAfterPassByHand) {
  const Areas areas(two());
  Model model = areas.model_of_every_pass(3);
  const Tensor x = noise({1, 3});
  const Tensors read = model.predict(x);
  ASSERT_EQ(read.size(), 3u);
  std::vector<double> input{x.floats()[0], x.floats()[1], x.floats()[2]}, low, high;
  const auto layer = [&](const char* name) { return model.get_layer(name); };
  for (int pass = 0; pass < 3; ++pass) {
    std::vector<double> new_low(2), new_high(2), y(1);
    add(new_low, input, layer("input_to_low"));
    if (pass > 0) {
      add(new_low, low, layer("low_to_low"));
      add(new_low, high, layer("high_to_low"));
      add(new_high, high, layer("high_to_high"));
    }
    for (double& value : new_low) value = std::tanh(value);
    add(new_high, pass == 0 ? new_low : low, layer("low_to_high"));
    for (double& value : new_high) value = std::tanh(value);
    low = new_low;
    high = new_high;
    add(y, high, layer("readout"));
    EXPECT_NEAR(read[static_cast<std::size_t>(pass)].floats()[0], y[0], 1e-5) << "pass " << pass;
  }
}

TEST(Areas, OnePassIsFeedForwardAndModelsShareWeights) {
  const Areas areas(two());
  Model one = areas.model(1), three = areas.model(3), every = areas.model_of_every_pass(3);
  const Tensor x = noise({4, 3});
  const Tensors read = every.predict(x);
  EXPECT_EQ(one.predict(x)[0].floats()[0], read[0].floats()[0]);
  EXPECT_EQ(three.predict(x)[0].floats()[0], read[2].floats()[0]);
  // input > low, low > high, readout; besides low > low, high > high, high > low.
  EXPECT_EQ(one.count_params(), 3 * 2 + 2 + 2 * 2 + 2 + 2 + 1);
  EXPECT_EQ(three.count_params(), one.count_params() + 3 * 4);
}

TEST(Areas, LearnThroughTheWholeRun) {
  // Only after three passes does what the first area has seen come back to it through the second.
  Areas areas({.input = {2},
               .areas = {{"a", 8, "tanh"}, {"b", 8, "tanh"}},
               .outputs = 1,
               .readout = "sigmoid"});
  Model model = areas.model(4);
  model.compile({.optimizer = Adam{.learning_rate = 0.02},
                 .loss = "binary_crossentropy",
                 .metrics = {"accuracy"},
                 .seed = 1});
  const Tensor x = noise({400, 2});
  Tensor y({400, 1});
  for (Index i = 0; i < 400; ++i) {
    y.floats()[i] = (x.floats()[2 * i] > 0) != (x.floats()[2 * i + 1] > 0) ? 1.0F : 0.0F;
  }
  const History history = model.fit(x, y, {.epochs = 40});
  EXPECT_GT(history["accuracy"].back(), 0.93);
}

TEST(Areas, OfImages) {
  const Areas areas({.input = {6, 6, 1},
                     .areas = {{"v1", 4}, {"v2", 3}},
                     .links = {{"input", "v2"}},
                     .outputs = 5});
  Model model = areas.model(3);
  const Tensor y = model.predict(noise({2, 6, 6, 1}))[0];
  EXPECT_EQ(y.shape(), (Shape{2, 5}));
  EXPECT_EQ(model.get_layer("v1_to_v2").get_weights()[0].shape(), (Shape{3, 3, 4, 3}));
  EXPECT_EQ(model.get_layer("v2_to_v1").get_weights().size(), 1u);  // only one has the bias
}

TEST(Areas, OfPicturesOfFewerPlaces) {
  const Areas areas({.input = {8, 8, 1},
                     .areas = {{"v1", 4, "relu", 2}, {"v2", 3}, {"it", 5, "relu", 4}},
                     .links = {{"input", "it"}, {"it", "v1"}},
                     .outputs = 2});
  Model model = areas.model(5);
  EXPECT_EQ(model.predict(noise({2, 8, 8, 1}))[0].shape(), (Shape{2, 2}));
  const auto kernel = [&](const char* name) {
    return model.get_layer(name).get_weights()[0].shape();
  };
  EXPECT_EQ(kernel("input_to_v1"), (Shape{3, 3, 1, 4}));
  EXPECT_EQ(kernel("v2_to_v1"), (Shape{3, 3, 3, 4}));  // as many places: Conv2D
  // Kernels grow to the stride; of a Conv2DTranspose the filters come before the channels.
  EXPECT_EQ(kernel("input_to_it"), (Shape{8, 8, 1, 5}));
  EXPECT_EQ(kernel("it_to_v2"), (Shape{4, 4, 3, 5}));
  EXPECT_EQ(kernel("it_to_v1"), (Shape{4, 4, 4, 5}));
  EXPECT_EQ(model.get_layer("it_to_v1").class_name(), "Conv2DTranspose");
  EXPECT_EQ(model.get_layer("readout").get_weights()[0].shape(), (Shape{1 * 1 * 5, 2}));
}

TEST(Areas, InSpace) {
  const std::string dot = Areas(two()).to_dot(3);
  for (const char* text : {"area_0_0 [label=\"low\"]", "area_1_2 [label=\"high\"]",
                           "input -> area_0_2 [label=\"1\"", "area_1_0 -> area_0_1 [label=\"3\"",
                           "area_1_1 -> area_0_2 [label=\"3\"", "area_1_2 -> output"}) {
    EXPECT_THAT(dot, HasSubstr(text));
  }
}

TEST(Areas, Refuses) {
  const auto said = [](AreasOptions options) {
    return refused_with_kind([&] { Areas areas(options); });
  };
  EXPECT_EQ(said({.input = {3}}), "value: Areas: no areas");
  EXPECT_EQ(said({.input = {3, 4}, .areas = {{"a", 2}}}),
            "shape: Areas: no such input\n"
            "  got    (3, 4)\n"
            "  want   (features) or (height, width, channels)");
  EXPECT_EQ(said({.input = {3}, .areas = {{"a", 0}}}),
            "value: Areas: no such size of \"a\"\n"
            "  got    0\n"
            "  want   1 or more");
  EXPECT_EQ(said({.input = {3}, .areas = {{"a", 2}, {"a", 2}}}),
            "value: Areas: two things of one name\n"
            "  got    \"a\"");
  EXPECT_EQ(said({.input = {3}, .areas = {{"a", 2}}, .links = {{"b", "a"}}}),
            "value: Areas: a link names no area\n"
            "  got    \"b\"\n"
            "  want   one of input, a");
  EXPECT_EQ(said({.input = {3}, .areas = {{"a", 2}}, .links = {{"input", "a"}}}),
            "value: Areas: a connection is there twice\n"
            "  got    input to a\n"
            "hint: neighbours, lateral and feedback connections are made by themselves");
  EXPECT_EQ(said({.input = {3}, .areas = {{"a", 2}}, .links = {{"a", "input"}}}),
            "value: Areas: nothing can feed the input\n"
            "  got    a link from \"a\"");
  EXPECT_EQ(said({.input = {6, 4, 1}, .areas = {{"a", 2, "relu", 2}, {"b", 2, "relu", 2}}}),
            "value: Areas: the strides of \"b\" do not divide what is below it\n"
            "  got    2 and (3, 2)");
  EXPECT_EQ(said({.input = {4}, .areas = {{"a", 2, "relu", 2}}}),
            "value: Areas: the strides of \"a\" do not divide what is below it\n"
            "  got    2 and a dense area");
  EXPECT_EQ(refused_with_kind([] { Areas(two()).model(0); }),
            "value: Areas: no such number of passes\n"
            "  got    0\n"
            "  want   1 or more");
}

}  // namespace
}  // namespace unroll
