// What is written of a layer says all of it: read again, it is the same layer. Of every layer.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/laws/examples.h"
#include "tests/laws/rig.h"
#include "unroll/attention.h"
#include "unroll/conv_lstm.h"
#include "unroll/convolution.h"
#include "unroll/layer_list.h"
#include "unroll/model_json.h"

namespace unroll {
namespace {

Model model_of(const Example& example) {
  const Symbols inputs = inputs_for(example.inputs);
  const Symbol made = example.make()(inputs);
  Symbols outputs;
  for (std::size_t i = 0; i < made.node()->shapes.size(); ++i) {
    outputs.emplace_back(made.node(), static_cast<int>(i));
  }
  return Model({.inputs = inputs, .outputs = outputs});
}

Tensors in_float32(const std::vector<Tensor>& values) {
  Tensors result;
  for (const Tensor& value : values) {
    result.push_back(value.dtype() == DType::float64 ? value.to(DType::float32) : value);
  }
  return result;
}

void expect_same(const Tensors& a, const Tensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].describe(), b[i].describe());
    for (Index k = 0; k < a[i].elements(); ++k) ASSERT_EQ(a[i].floats()[k], b[i].floats()[k]);
  }
}

class Json : public testing::TestWithParam<Example> {};

TEST_P(Json, ReadAgainGivesTheSameTextAndTheSameNumbers) {
  Model model = model_of(GetParam());
  const std::string text = to_json(model);
  Model again = model_from_json(text);
  EXPECT_EQ(to_json(again), text);
  EXPECT_EQ(again.summary(), model.summary());
  EXPECT_EQ(again.count_trainable(), model.count_trainable());
  again.set_weights(model.get_weights());
  const Tensors x = in_float32(GetParam().inputs);
  expect_same(again.predict(x), model.predict(x));
}

TEST_P(Json, AFrozenModelStaysFrozenAndADoubleOneDouble) {
  Model model = model_of(GetParam());
  model.set_trainable(false);
  model.set_dtype(DType::float64);
  const Model again = model_from_json(to_json(model));
  EXPECT_EQ(again.count_trainable(), 0);
  for (const Tensor& weight : again.get_weights()) EXPECT_EQ(weight.dtype(), DType::float64);
}

/// Options that no example has, and classes that the other laws leave out.
std::vector<Example> more_examples() {
  const Tensor x = noise({3, 6, 4}, 4), frames = noise({2, 3, 6, 5, 2}, 5);
  return {
      {"Json_Dense_everything",
       [] {
         return Layer(Dense(3, {.activation = "softsign",
                                .kernel_initializer = random_uniform(-0.25, 0.125).with_seed(7),
                                .bias_initializer = constant(0.5),
                                .kernel_regularizer = l1_l2(0.5, 0.25),
                                .bias_regularizer = l1(0.125),
                                .kernel_constraint = min_max_norm(0.5, 2, 0.25),
                                .bias_constraint = non_neg()}));
       },
       {x}},
      {"Json_Dense_scaled",
       [] {
         return Layer(Dense(3, {.kernel_initializer = variance_scaling(
                                    2, FanMode::fan_avg, ScalingDistribution::uniform),
                                .kernel_constraint = max_norm(3, {0}),
                                .bias_constraint = unit_norm()}));
       },
       {x}},
      {"Json_ReLU_unlimited", [] { return Layer(ReLU()); }, {x}},
      {"Json_PReLU_shared", [] { return Layer(PReLU({.shared_axes = {1}})); }, {x}},
      {"Json_Conv1D_groups",
       [] { return Layer(Conv1D(4, 3, {.strides = 2, .padding = "same", .groups = 2})); },
       {x}},
      {"Json_Conv2D_strides",
       [] {
         return Layer(Conv2D(4, {3, 2}, {.strides = {2, 1}}));
       },
       {noise({2, 6, 5, 3}, 12)}},
      {"Json_MaxPooling1D_strides",
       [] { return Layer(MaxPooling1D({.pool_size = 3, .strides = 1})); },
       {x}},
      {"Json_GlobalMaxPooling1D_keepdims",
       [] { return Layer(GlobalMaxPooling1D({.keepdims = true})); },
       {x}},
      {"Json_Attention_scores",
       [] {
         return Layer(Attention({.score_mode = "concat",
                                 .seed = 5,
                                 .use_causal_mask = true,
                                 .return_attention_scores = true}));
       },
       {x, x}},
      {"Json_MultiHeadAttention_everything",
       [] {
         return Layer(MultiHeadAttention(2, 3,
                                         {.value_dim = 5,
                                          .use_bias = false,
                                          .output_shape = {7},
                                          .use_causal_mask = true,
                                          .return_attention_scores = true}));
       },
       {x, x, x}},
      {"Json_ConvLSTM1D",
       [] { return Layer(ConvLSTM1D(3, 2, {.padding = "same", .return_sequences = true})); },
       {noise({2, 3, 6, 2}, 6)}},
      {"Json_ConvLSTM2D",
       [] {
         return Layer(ConvLSTM2D(3, {3, 2}, {.return_state = true}));
       },
       {frames}},
      {"Json_Bidirectional_last",
       [] { return Layer(Bidirectional(SimpleRNN(2), {.merge_mode = "none"})); },
       {x}},
      {"Json_RNN_of_stacks",
       [] {
         return Layer(Bidirectional(RNN({StackedRNNCells({GRUCell(2), SimpleRNNCell(3)})})));
       },
       {x}},
  };
}

std::vector<Example> examples() {
  std::vector<Example> examples = all_examples();
  for (Example& example : more_examples()) examples.push_back(std::move(example));
  return examples;
}

INSTANTIATE_TEST_SUITE_P(Laws, Json, testing::ValuesIn(examples()),
                         [](const auto& info) { return info.param.name; });

TEST(LayerList, EveryLayerIsTriedAndEveryLayerThatIsTriedIsListed) {
  const std::vector<std::string> names = layer_names();
  std::set<std::string> listed(names.begin(), names.end()), tried{"InputLayer"};
  for (const Example& example : examples()) tried.emplace(example.make().class_name());
  EXPECT_EQ(tried, listed);
  EXPECT_TRUE(std::ranges::is_sorted(names));
}

}  // namespace
}  // namespace unroll
