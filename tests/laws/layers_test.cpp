// Laws of every layer: its output has the declared shape, and its gradient is right.
#include <gtest/gtest.h>

#include <set>

#include "src/layers/listener.h"
#include "tests/laws/examples.h"
#include "tests/laws/rig.h"

namespace unroll {
namespace {

class OfEveryLayer : public testing::TestWithParam<Example> {
 protected:
  Rig rig(DType dtype = DType::float64) const {
    const Symbols inputs = inputs_for(GetParam().inputs);
    const Symbol used = GetParam().make()(inputs);
    return {inputs,
            outputs_of(used),
            GetParam().inputs,
            {.training = GetParam().training, .dtype = dtype}};
  }
};

TEST_P(OfEveryLayer, OutputHasTheDeclaredShape) {
  Rig rig = this->rig();
  const std::vector<Tensor> outputs = rig.outputs();
  const Symbols& declared = rig.graph().output_symbols();
  ASSERT_EQ(outputs.size(), declared.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Shape want = declared[i].shape();
    EXPECT_EQ(want[0], unknown);
    want.set(0, GetParam().inputs[0].shape()[0]);
    EXPECT_EQ(outputs[i].shape().to_string(), want.to_string());
  }
}

TEST_P(OfEveryLayer, GradientIsThatOfCentralDifferences) {
  Rig rig = this->rig();
  const double error = gradient_error(rig);
  note_gradient_error(GetParam().name, error);
  EXPECT_LT(error, 1e-6);
}

TEST_P(OfEveryLayer, Float32IsCloseToFloat64) {
  Rig exact = this->rig(), rough = this->rig(DType::float32);
  const std::vector<Tensor> want = exact.outputs(), got = rough.outputs();
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_LT(distance(got[i], want[i]), 2e-6);
  const std::vector<Tensor> dwant = exact.gradients(), dgot = rough.gradients();
  for (std::size_t i = 0; i < dwant.size(); ++i) {
    EXPECT_LT(distance(dgot[i], dwant[i]), 1e-5 * (1 + magnitude(dwant[i])));
  }
}

TEST_P(OfEveryLayer, RunsTwiceToTheSameBits) {
  Rig rig = this->rig(DType::float32);
  const std::vector<Tensor> first = rig.gradients(), second = rig.gradients();
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(distance(first[i], second[i]), 0);
}

TEST_P(OfEveryLayer, MaskOfOnesIsNoMask) {
  const std::vector<Tensor>& values = GetParam().inputs;
  if (values[0].rank() != 3 || values[0].dtype() == DType::int32) {
    GTEST_SKIP() << "no sequence of numbers";
  }
  const auto named = [](const char* part) {
    return GetParam().name.find(part) != std::string::npos;
  };
  const bool draws = GetParam().training && (named("ropout") || named("Noise"));
  if (draws) GTEST_SKIP() << "the mask's input moves the layer, whose place names its numbers";
  const bool batch_statistics = GetParam().name.starts_with("BatchNormalization_training");
  Symbols plain_inputs = inputs_for(values);
  Rig plain(plain_inputs, outputs_of(GetParam().make()(plain_inputs)), values,
            {.training = GetParam().training});
  const Index rows = values[0].shape()[0], time = values[0].shape()[1];
  const Tensor ones = Tensor::full({rows, time}, 1, DType::uint8);
  const Symbols inputs = inputs_for(values);
  const Symbol mask = Input({.shape = {time}});
  Symbols with_mask = inputs;
  with_mask.push_back(mask);
  std::vector<Tensor> with_ones = values;
  with_ones.push_back(ones);
  Rig masked(with_mask, outputs_of(GetParam().make().connect(inputs, mask)), with_ones,
             {.training = GetParam().training});
  // Keras counts the steps that a mask keeps as 1e-7 more.
  const double slack = batch_statistics ? 1e-6 : 0;
  const auto want = plain.outputs(), got = masked.outputs();
  // A mean over kept steps divides by their number at another place.
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_LE(distance(got[i], want[i]), slack + 1e-15);
  // A choice between a new and an old state is an entry on the tape: terms add in another order.
  const auto dwant = plain.gradients(), dgot = masked.gradients();
  ASSERT_EQ(dwant.size(), dgot.size());
  for (std::size_t i = 0; i < dwant.size(); ++i) {
    EXPECT_LE(distance(dgot[i], dwant[i]), slack + 1e-14);
  }
}

INSTANTIATE_TEST_SUITE_P(Laws, OfEveryLayer, testing::ValuesIn(all_examples()),
                         [](const auto& info) { return info.param.name; });

/// Reads nothing: options keep their defaults.
class Defaults final : public Listener {
  using Listener::field;
  void field(std::string_view name, std::shared_ptr<Component>& value) override {
    if (name == "layer") value = GRU(1).shared_impl();
  }
};

TEST(Registry, MakesEveryExampleByItsClassName) {
  for (const Example& example : all_examples()) {
    const std::string name(example.make().class_name());
    Defaults defaults;
    auto made = make_plain_layer(name, defaults);
    if (made == nullptr) made = make_recurrent_layer(name, defaults);
    ASSERT_NE(made, nullptr) << name;
    EXPECT_EQ(made->class_name(), name);
  }
}

/// Every class of unroll/layers.h, convolution.h, attention.h, recurrent.h, decoder.h,
/// newer_cells.h and conv_lstm.h.
constexpr const char* classes[] = {"Activation",
                                   "Add",
                                   "AdditiveAttention",
                                   "Attention",
                                   "AttentionDecoder",
                                   "Average",
                                   "AveragePooling1D",
                                   "AveragePooling2D",
                                   "BatchNormalization",
                                   "Bidirectional",
                                   "Concatenate",
                                   "Conv1D",
                                   "Conv2D",
                                   "Conv2DTranspose",
                                   "ConvLSTM1D",
                                   "ConvLSTM2D",
                                   "Cropping1D",
                                   "Dense",
                                   "Dot",
                                   "Dropout",
                                   "ELU",
                                   "ESN",
                                   "Embedding",
                                   "Flatten",
                                   "GRU",
                                   "GaussianNoise",
                                   "GetItem",
                                   "GlobalAveragePooling1D",
                                   "GlobalMaxPooling1D",
                                   "IndRNN",
                                   "LRU",
                                   "LSTM",
                                   "LayerNormalization",
                                   "LeakyReLU",
                                   "Masking",
                                   "MaxPooling1D",
                                   "MaxPooling2D",
                                   "Maximum",
                                   "MinGRU",
                                   "MinLSTM",
                                   "Minimum",
                                   "MultiHeadAttention",
                                   "Multiply",
                                   "PReLU",
                                   "Permute",
                                   "QRNN",
                                   "RMSNormalization",
                                   "RNN",
                                   "ReLU",
                                   "RepeatVector",
                                   "Reshape",
                                   "ReversibleEmbedding",
                                   "SRU",
                                   "SimpleRNN",
                                   "Softmax",
                                   "SpatialDropout1D",
                                   "Subtract",
                                   "TimeDistributed",
                                   "UpSampling1D",
                                   "ZeroPadding1D"};

TEST(Registry, HasAnExampleOfEveryClass) {
  std::set<std::string> tried;
  for (const Example& example : all_examples()) tried.emplace(example.make().class_name());
  for (const char* name : classes) EXPECT_TRUE(tried.contains(name)) << name;
  EXPECT_EQ(tried.size(), std::size(classes));
}

}  // namespace
}  // namespace unroll
