// What must hold of every layer of this room, tried on examples.
#include <algorithm>
#include <cmath>

#include "src/autograd/dispatch.h"
#include "tests/layers/rig.h"
#include "unroll/attention.h"
#include "unroll/convolution.h"

namespace unroll {
namespace {

template <class L, class... Arguments>
std::function<Layer()> maker(Arguments... arguments) {
  return [=] { return Layer(L(arguments...)); };
}

std::vector<Example> examples() {
  const Tensor x = noise({3, 7, 4}, 1), y = noise({3, 5, 4}, 2), z = noise({3, 5, 2}, 3);
  const Tensor image = noise({2, 5, 6, 3}, 4), flat = noise({4, 6}, 5);
  const Tensor x_mask =
      mask_of({3, 7}, {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  const Tensor y_mask = mask_of({3, 5}, {1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1});
  // Where a query sees nothing, its scores lose their digits to 1e9: nothing to differentiate.
  const Tensor first_kept = mask_of({3, 5}, {1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1});
  const auto conv = [](const Conv1DOptions& o, Index k = 3) { return maker<Conv1D>(6, k, o); };
  return {
      {"Conv1D", conv({}), {x}},
      {"Conv1D_one", conv({}, 1), {x}},
      {"Conv1D_same", conv({.padding = "same", .activation = "tanh"}, 4), {x}},
      {"Conv1D_causal_dilated",
       conv({.padding = "causal", .dilation_rate = 2, .activation = "sigmoid"}),
       {x}},
      {"Conv1D_strides", conv({.strides = 2, .padding = "same", .use_bias = false}), {x}},
      {"Conv1D_strides_causal", conv({.strides = 3, .padding = "causal"}), {x}},
      {"Conv1D_groups", conv({.padding = "same", .groups = 2}), {x}},
      {"Conv1D_gelu", conv({.activation = "gelu"}), {x}},
      {"Conv1D_softmax", conv({.activation = "softmax"}), {x}},
      {"Conv2D", maker<Conv2D>(5, Shape{3, 2}, Conv2DOptions{}), {image}},
      {"Conv2D_same",
       maker<Conv2D>(4, Shape{3}, Conv2DOptions{.strides = {2, 1}, .padding = "same"}),
       {image}},
      {"Conv2D_dilated",
       maker<Conv2D>(3, Shape{2, 3}, Conv2DOptions{.padding = "same", .dilation_rate = {2, 2}}),
       {image}},
      {"Conv2D_groups",
       maker<Conv2D>(6, Shape{2, 2}, Conv2DOptions{.padding = "same", .groups = 3}),
       {image}},
      {"Conv2DTranspose",
       maker<Conv2DTranspose>(3, Shape{3, 2},
                              Conv2DTransposeOptions{.strides = {2, 1}, .activation = "tanh"}),
       {image}},
      {"Conv2DTranspose_same",
       maker<Conv2DTranspose>(
           4, Shape{3},
           Conv2DTransposeOptions{.strides = {2}, .padding = "same", .use_bias = false}),
       {image}},
      {"Conv2DTranspose_one_place",
       maker<Conv2DTranspose>(4, Shape{1}, Conv2DTransposeOptions{.activation = "gelu"}),
       {image}},
      {"MaxPooling1D", maker<MaxPooling1D>(), {x}},
      {"MaxPooling1D_same",
       maker<MaxPooling1D>(Pooling1DOptions{.pool_size = 3, .strides = 1, .padding = "same"}),
       {x}},
      {"AveragePooling1D", maker<AveragePooling1D>(Pooling1DOptions{.pool_size = 4}), {x}},
      {"AveragePooling1D_same",
       maker<AveragePooling1D>(Pooling1DOptions{.pool_size = 4, .strides = 2, .padding = "same"}),
       {x}},
      {"MaxPooling2D", maker<MaxPooling2D>(), {image}},
      {"MaxPooling2D_same",
       maker<MaxPooling2D>(Pooling2DOptions{.pool_size = {3}, .padding = "same"}),
       {image}},
      {"AveragePooling2D",
       maker<AveragePooling2D>(Pooling2DOptions{.pool_size = {2, 3}, .strides = {1, 2}}),
       {image}},
      {"GlobalMaxPooling1D", maker<GlobalMaxPooling1D>(), {x}},
      {"GlobalAveragePooling1D", maker<GlobalAveragePooling1D>(), {x}},
      {"GlobalAveragePooling1D_masked",
       maker<GlobalAveragePooling1D>(GlobalPoolingOptions{.keepdims = true}),
       {x},
       {x_mask}},
      {"UpSampling1D", maker<UpSampling1D>(3), {x}},
      {"ZeroPadding1D", maker<ZeroPadding1D>(Shape{2, 1}), {x}},
      {"Cropping1D", maker<Cropping1D>(Shape{1, 3}), {x}},
      {"LeakyReLU", maker<LeakyReLU>(), {x}, {x_mask}},
      {"PReLU", maker<PReLU>(), {x}, {x_mask}},
      {"PReLU_shared", maker<PReLU>(PReLUOptions{.shared_axes = {1}}), {x}},
      {"ELU", maker<ELU>(ELUOptions{.alpha = 0.7}), {x}},
      {"ReLU",
       maker<ReLU>(ReLUOptions{.max_value = 0.6, .negative_slope = 0.1, .threshold = 0.2}),
       {x}},
      {"Softmax", maker<Softmax>(), {x}},
      {"Softmax_time", maker<Softmax>(SoftmaxOptions{.axis = {1}}), {x}},
      {"Softmax_both", maker<Softmax>(SoftmaxOptions{.axis = {1, 2}}), {x}},
      {"Softmax_masked",
       maker<Softmax>(),
       {flat},
       {mask_of({4, 6}, {1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0})}},
      {"SpatialDropout1D", maker<SpatialDropout1D>(0.4), {x}},
      {"SpatialDropout1D_training", maker<SpatialDropout1D>(0.4), {x}, {}, true},
      {"GaussianNoise_training", maker<GaussianNoise>(0.3), {x}, {}, true},
      {"GaussianNoise_seed", maker<GaussianNoise>(0.3, NoiseOptions{.seed = 0}), {flat}, {}, true},
      {"LayerNormalization", maker<LayerNormalization>(), {x}},
      {"LayerNormalization_axes",
       maker<LayerNormalization>(LayerNormalizationOptions{.axis = {1, -1}}),
       {x}},
      {"LayerNormalization_time",
       maker<LayerNormalization>(LayerNormalizationOptions{.axis = {1}, .scale = false}),
       {x}},
      {"LayerNormalization_plain",
       maker<LayerNormalization>(LayerNormalizationOptions{.center = false, .scale = false}),
       {x}},
      {"RMSNormalization", maker<RMSNormalization>(), {x}},
      {"RMSNormalization_apart",
       maker<RMSNormalization>(RMSNormalizationOptions{.axis = {1, 3}}),
       {image}},
      {"Attention", maker<Attention>(), {x, y}},
      {"Attention_key", maker<Attention>(), {x, z, y}},
      {"Attention_scale",
       maker<Attention>(AttentionOptions{.use_scale = true, .return_attention_scores = true}),
       {x, y}},
      {"Attention_concat",
       maker<Attention>(AttentionOptions{.use_scale = true, .score_mode = "concat"}),
       {x, y}},
      {"Attention_masked",
       maker<Attention>(AttentionOptions{.use_causal_mask = true, .return_attention_scores = true}),
       {x, y},
       {x_mask, first_kept}},
      {"Attention_dropout", maker<Attention>(AttentionOptions{.dropout = 0.5}), {x, y}, {}, true},
      {"AdditiveAttention",
       maker<AdditiveAttention>(AdditiveAttentionOptions{.return_attention_scores = true}),
       {x, y},
       {x_mask, y_mask}},
      {"AdditiveAttention_plain",
       maker<AdditiveAttention>(AdditiveAttentionOptions{.use_scale = false}),
       {x, z, y}},
      {"MultiHeadAttention", maker<MultiHeadAttention>(2, 3), {x, y}},
      {"MultiHeadAttention_masked",
       maker<MultiHeadAttention>(2, 3,
                                 MultiHeadAttentionOptions{.value_dim = 5,
                                                           .output_shape = {3},
                                                           .use_causal_mask = true,
                                                           .return_attention_scores = true}),
       {x, z, y},
       {x_mask, y_mask}},
      {"MultiHeadAttention_dropout",
       maker<MultiHeadAttention>(1, 4,
                                 MultiHeadAttentionOptions{.dropout = 0.3, .use_bias = false}),
       {x, y},
       {},
       true},
  };
}

double distance(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return HUGE_VAL;
  double worst = 0;
  with_float(a.dtype(), [&]<class T>() {
    for (std::size_t i = 0; i < a.values<T>().size(); ++i) {
      const double difference = std::abs(double(a.values<T>()[i]) - double(b.values<T>()[i]));
      worst = std::max(worst, difference);
    }
  });
  return worst;
}

class OfEachLayer : public testing::TestWithParam<Example> {};

TEST_P(OfEachLayer, ShapesAreThoseDeclared) {
  const Layer layer = built(GetParam());
  std::vector<Shape> shapes;
  for (const Tensor& x : GetParam().inputs) shapes.push_back(x.shape());
  const auto declared = layer.impl().output_shapes(shapes);
  const Outcome result = run(layer, GetParam());
  ASSERT_EQ(result.outputs.size(), declared.size());
  for (std::size_t i = 0; i < declared.size(); ++i) {
    EXPECT_EQ(result.outputs[i].shape(), declared[i]);
  }
}

TEST_P(OfEachLayer, GradientsAreThoseOfCentralDifferences) {
  EXPECT_LE(worst_gradient(GetParam()), 1e-6);
}

TEST_P(OfEachLayer, OrderInMemoryDoesNotMatter) {
  const Layer layer = built(GetParam());
  if (layer.impl().order() == Order::batch_first) GTEST_SKIP() << "wants rows first";
  const Outcome rows_first = run(layer, GetParam(), {.gradients = true});
  const Outcome time_first = run(layer, GetParam(), {.time_first = true, .gradients = true});
  for (std::size_t i = 0; i < rows_first.outputs.size(); ++i) {
    EXPECT_LE(distance(time_first.outputs[i], rows_first.outputs[i]), 1e-14);
  }
  for (std::size_t i = 0; i < rows_first.d_inputs.size(); ++i) {
    EXPECT_LE(distance(time_first.d_inputs[i], rows_first.d_inputs[i]), 1e-13);
  }
  for (std::size_t i = 0; i < rows_first.d_weights.size(); ++i) {
    EXPECT_LE(distance(time_first.d_weights[i], rows_first.d_weights[i]), 1e-13);
  }
  EXPECT_EQ(time_first.kept, rows_first.kept);
}

TEST_P(OfEachLayer, RowHasTheSameBitsInAnyLane) {
  const Layer layer = built(GetParam(), DType::float32);
  Example example = GetParam();
  for (Tensor& x : example.inputs) x = x.to(DType::float32);
  for (const bool time_first : {false, true}) {
    if (time_first && layer.impl().order() == Order::batch_first) continue;
    const Outcome whole = run(layer, example, {.time_first = time_first, .gradients = true});
    for (Index row = 0; row < example.inputs[0].shape()[0]; ++row) {
      const How lane{
          .time_first = time_first, .first_row = row, .last_row = row + 1, .gradients = true};
      const Outcome alone = run(layer, example, lane);
      for (std::size_t i = 0; i < whole.outputs.size(); ++i) {
        EXPECT_EQ(distance(alone.outputs[i], whole.outputs[i].rows(row, row + 1)), 0) << row;
      }
      // The weights of the loss are drawn for a batch of one, so only its first row has the same.
      for (std::size_t i = 0; row == 0 && i < whole.d_inputs.size(); ++i) {
        EXPECT_EQ(distance(alone.d_inputs[i], whole.d_inputs[i].rows(0, 1)), 0);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layers, OfEachLayer, testing::ValuesIn(examples()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace unroll
