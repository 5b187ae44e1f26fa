// What layers of this room refuse, word by word, beside what they take.
#include "tests/layers/rig.h"
#include "unroll/attention.h"
#include "unroll/convolution.h"

namespace unroll {
namespace {

/// The refusal to build a layer for inputs of these shapes; empty where it is built.
std::string refused(const Layer& layer, std::vector<Shape> inputs) {
  return refusal([&] {
    layer.impl().build_once(inputs);
    layer.impl().output_shapes(inputs);
  });
}

template <class L, class... Arguments>
std::string refused_arguments(Arguments... arguments) {
  return refusal([&] { L layer(arguments...); });
}

const Shape sequence{unknown, 7, 4};

TEST(Refusals, OfConv1DArguments) {
  EXPECT_EQ(refused_arguments<Conv1D>(6, 3), "");
  EXPECT_EQ((refused_arguments<Conv1D>(0, 3)),
            "Conv1D: filters is not positive\n  got    0\n  want   1 or more");
  EXPECT_EQ((refused_arguments<Conv1D>(6, 0)),
            "Conv1D: kernel_size does not fit 1 axis\n"
            "  got    (0,)\n  want   1 or more for each axis");
  EXPECT_EQ((refused_arguments<Conv1D>(6, 3, Conv1DOptions{.padding = "full"})),
            "Conv1D: no such padding\n  got    \"full\"\n  want   valid, same or causal");
  EXPECT_EQ((refused_arguments<Conv1D>(6, 3, Conv1DOptions{.strides = 2, .dilation_rate = 2})),
            "Conv1D: strides and dilation_rate together\n"
            "  got    (2,) and (2,)\n  want   one of them 1");
  EXPECT_EQ((refused_arguments<Conv1D>(6, 3, Conv1DOptions{.groups = 4})),
            "Conv1D: groups do not divide the filters\n  got    6 filters in 4 groups");
  EXPECT_EQ((refused_arguments<Conv1D>(6, 3, Conv1DOptions{.data_format = "channels_first"})),
            "Conv1D: channels come last here\n"
            "  got    data_format \"channels_first\"\n"
            "  want   \"channels_last\"\n"
            "hint: Permute({2, 1}) turns (batch, channels, time)");
}

TEST(Refusals, OfConv1DShapes) {
  EXPECT_EQ(refused(Conv1D(6, 3), {sequence}), "");
  EXPECT_EQ(refused(Conv1D(6, 3), {{unknown, unknown, 4}}), "");
  EXPECT_EQ(refused(Conv1D(6, 3, {.name = "filter"}), {{unknown, 7}}),
            "Conv1D \"filter\": the input has the wrong rank\n"
            "  got    (None, 7)\n  want   (batch, time, channels)");
  EXPECT_EQ(refused(Conv1D(6, 3), {{unknown, 2, 4}}),
            "Conv1D: the input is shorter than the window\n"
            "  got    (None, 2, 4)\n  want   at least 3 along axis 1\n"
            "hint: padding \"same\" takes any length");
  EXPECT_EQ(refused(Conv1D(6, 3, {.padding = "same"}), {{unknown, 2, 4}}), "");
  EXPECT_EQ(refused(Conv1D(6, 3, {.groups = 3}), {sequence}),
            "Conv1D: the channels do not fall into the groups\n"
            "  got    (None, 7, 4), groups 3\n"
            "  want   a known number of channels that groups divides");
  const Conv1D used(6, 3);
  EXPECT_EQ(refused(used, {sequence}), "");
  EXPECT_EQ(refused(used, {{unknown, 7, 5}}),
            "Conv1D: the input has another number of channels\n"
            "  got    (None, 7, 5)\n  want   4 last");
}

TEST(Refusals, OfConv2D) {
  EXPECT_EQ(refused(Conv2D(3, {2}), {{unknown, 5, 5, 1}}), "");
  EXPECT_EQ((refused_arguments<Conv2D>(3, Shape{2, 2, 2})),
            "Conv2D: kernel_size does not fit 2 axes\n"
            "  got    (2, 2, 2)\n  want   1 or more for each axis");
  EXPECT_EQ((refused_arguments<Conv2D>(3, Shape{2, 2}, Conv2DOptions{.padding = "causal"})),
            "Conv2D: no such padding\n  got    \"causal\"\n  want   valid or same");
  EXPECT_EQ(refused(Conv2D(3, {2}), {sequence}),
            "Conv2D: the input has the wrong rank\n"
            "  got    (None, 7, 4)\n  want   (batch, height, width, channels)");
}

TEST(Refusals, OfConv2DTranspose) {
  EXPECT_EQ(refused(Conv2DTranspose(3, {2}), {{unknown, 5, 5, 1}}), "");
  EXPECT_EQ((refused_arguments<Conv2DTranspose>(0, Shape{2})),
            "Conv2DTranspose: filters is not positive\n  got    0\n  want   1 or more");
  EXPECT_EQ((refused_arguments<Conv2DTranspose>(
                3, Shape{2}, Conv2DTransposeOptions{.strides = {2}, .dilation_rate = {2}})),
            "Conv2DTranspose: strides and dilation_rate together\n"
            "  got    (2, 2) and (2, 2)\n  want   one of them 1");
  EXPECT_EQ(refused(Conv2DTranspose(3, {2}), {{unknown, 5, 5, unknown}}),
            "Conv2DTranspose: the number of channels is not known\n"
            "  got    (None, 5, 5, None)\n  want   (batch, height, width, channels)");
  const Conv2DTranspose used(3, {2});
  EXPECT_EQ(refused(used, {{unknown, 5, 5, 1}}), "");
  EXPECT_EQ(refused(used, {{unknown, 5, 5, 2}}),
            "Conv2DTranspose: the input has another number of channels\n"
            "  got    (None, 5, 5, 2)\n  want   1 last");
}

TEST(Refusals, OfPooling) {
  EXPECT_EQ((refused_arguments<MaxPooling1D>(Pooling1DOptions{.pool_size = 0})),
            "MaxPooling1D: pool_size does not fit 1 axis\n"
            "  got    (0,)\n  want   1 or more for each axis");
  EXPECT_EQ(refused(AveragePooling1D({.pool_size = 8}), {sequence}),
            "AveragePooling1D: the input is shorter than the window\n"
            "  got    (None, 7, 4)\n  want   at least 8 along axis 1\n"
            "hint: padding \"same\" takes any length");
  EXPECT_EQ(refused(GlobalMaxPooling1D(), {{unknown, 7}}),
            "GlobalMaxPooling1D: the input has the wrong rank\n"
            "  got    (None, 7)\n  want   (batch, time, channels)");
  EXPECT_EQ(refused(GlobalMaxPooling1D(), {sequence}), "");
}

TEST(Refusals, OfResizing) {
  EXPECT_EQ((refused_arguments<UpSampling1D>(0)),
            "UpSampling1D: size is not positive\n  got    0\n  want   1 or more");
  EXPECT_EQ((refused_arguments<ZeroPadding1D>(Shape{1, -1})),
            "ZeroPadding1D: padding is no pair\n"
            "  got    (1, None)\n  want   two numbers, 0 or more, or one for both");
  EXPECT_EQ(refused(Cropping1D({3, 3}), {sequence}), "");
  EXPECT_EQ(refused(Cropping1D({4, 3}), {sequence}),
            "Cropping1D: nothing is left of the input\n  got    (None, 7, 4)");
}

TEST(Refusals, OfActivationLayers) {
  EXPECT_EQ((refused_arguments<LeakyReLU>(LeakyReLUOptions{.negative_slope = -0.5})),
            "LeakyReLU: negative_slope is negative\n  got    -0.500000\n  want   0 or more");
  EXPECT_EQ((refused_arguments<ReLU>(ReLUOptions{.max_value = -1})),
            "ReLU: max_value is negative\n  got    -1.000000\n  want   0 or more");
  EXPECT_EQ(refused(PReLU(), {{unknown, unknown, 4}}),
            "PReLU: an axis has no known size\n"
            "  got    (None, None, 4)\n  want   known sizes, or shared axes\n"
            "hint: .shared_axes = {1} has one slope for all of time");
  EXPECT_EQ(refused(PReLU({.shared_axes = {1}}), {{unknown, unknown, 4}}), "");
  EXPECT_EQ(refused(PReLU({.shared_axes = {3}}), {sequence}),
            "PReLU: no such axis to share\n  got    3 of (None, 7, 4)\n  want   1 to 2");
  EXPECT_EQ(refused(Softmax({.axis = {0}}), {sequence}),
            "Softmax: no such axis beside the batch\n  got    0 of rank 3");
}

TEST(Refusals, OfNoiseAndNormalization) {
  EXPECT_EQ((refused_arguments<SpatialDropout1D>(1.5)),
            "SpatialDropout1D: rate is not a probability\n  got    1.500000\n  want   0 to 1");
  EXPECT_EQ(refused(SpatialDropout1D(0.5), {{unknown, 4}}),
            "SpatialDropout1D: the input has the wrong rank\n"
            "  got    (None, 4)\n  want   (batch, time, channels)");
  EXPECT_EQ((refused_arguments<GaussianNoise>(-1.0)),
            "GaussianNoise: stddev is negative\n  got    -1.000000\n  want   0 or more");
  EXPECT_EQ(refused(LayerNormalization({.axis = {0, 1}}), {sequence}),
            "LayerNormalization: no such axes beside the batch\n  got    (0, 1) of rank 3");
  EXPECT_EQ(refused(RMSNormalization({.axis = {1}}), {{unknown, unknown, 4}}),
            "RMSNormalization: a normalised axis has no known size\n  got    (None, None, 4)");
}

TEST(Refusals, OfAttention) {
  const Shape query{unknown, 3, 4}, value{unknown, 5, 6};
  EXPECT_EQ(refused(Attention(), {query, value, {unknown, 5, 4}}), "");
  EXPECT_EQ(refused(Attention(), {query}),
            "Attention: another number of inputs\n"
            "  got    1\n  want   {query, value} or {query, value, key}");
  EXPECT_EQ(refused(AdditiveAttention(), {query, value}),
            "AdditiveAttention: the inputs do not fit\n"
            "  got    (None, 3, 4), (None, 5, 6)\n"
            "  want   query (batch, Tq, features), value (batch, Tv, size), key (batch, Tv, "
            "features)");
  EXPECT_EQ((refused_arguments<Attention>(AttentionOptions{.score_mode = "cosine"})),
            "Attention: no such score_mode\n  got    \"cosine\"\n  want   dot or concat");
  EXPECT_EQ((refused_arguments<Attention>(AttentionOptions{.dropout = -1})),
            "Attention: dropout is not a probability\n  got    -1.000000\n  want   0 to 1");
}

TEST(Refusals, OfMultiHeadAttention) {
  EXPECT_EQ(refused(MultiHeadAttention(2, 3), {sequence, {unknown, 5, 6}}), "");
  EXPECT_EQ((refused_arguments<MultiHeadAttention>(0, 3)),
            "MultiHeadAttention: num_heads is not positive\n  got    0\n  want   1 or more");
  EXPECT_EQ((refused_arguments<MultiHeadAttention>(
                2, 3, MultiHeadAttentionOptions{.output_shape = {2, 3}})),
            "MultiHeadAttention: output_shape is not one size\n"
            "  got    (2, 3)\n  want   {size}, or {} for the queries' features");
  EXPECT_EQ(refused(MultiHeadAttention(2, 3), {sequence, {unknown, 5, 6}, {unknown, 4, 6}}),
            "MultiHeadAttention: an input does not fit\n"
            "  got    (None, 4, 6)\n  want   (batch, time, features), keys as long as values");
}

TEST(Refusals, OfNamesOfInitializers) {
  EXPECT_EQ(refusal([] { parse_initializer("xavier"); }),
            "no initializer has this name\n"
            "  got    \"xavier\"\n"
            "  want   one of zeros, ones, constant, random_uniform, uniform, random_normal, "
            "truncated_normal, glorot_uniform, glorot_normal, he_uniform, he_normal, "
            "lecun_uniform, lecun_normal, orthogonal, identity, variance_scaling, zero, one, "
            "normal");
  EXPECT_EQ(parse_initializer("HeNormal").name(), "he_normal");
}

}  // namespace
}  // namespace unroll
