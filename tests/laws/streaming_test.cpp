// Law of streams: a step gives what predict gives for the sequence so far.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/laws/examples.h"
#include "tests/laws/rig.h"
#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/newer_cells.h"
#include "unroll/stream.h"

namespace unroll {
namespace {

/// Examples whose output needs other steps, or that are given states.
const std::set<std::string> refused{"Concatenate_time",
                                    "LayerNormalization_axes",
                                    "GetItem_ranges",
                                    "Flatten",
                                    "Reshape",
                                    "Permute",
                                    "Permute_image",
                                    "PReLU",
                                    "Softmax",
                                    "Conv1D",
                                    "Conv1D_causal",
                                    "Conv2D",
                                    "Conv2DTranspose",
                                    "MaxPooling1D",
                                    "AveragePooling1D",
                                    "MaxPooling2D",
                                    "AveragePooling2D",
                                    "GlobalMaxPooling1D",
                                    "GlobalAveragePooling1D",
                                    "UpSampling1D",
                                    "ZeroPadding1D",
                                    "Cropping1D",
                                    "ReversibleEmbedding",
                                    "ReversibleEmbedding_mask_zero",
                                    "AttentionDecoder",
                                    "AttentionDecoder_dot",
                                    "AttentionDecoder_fed",
                                    "AttentionDecoder_additive",
                                    "AttentionDecoder_additive_fed_two_cells",
                                    "AttentionDecoder_dropout_training",
                                    "AttentionDecoder_fed_dropout_training",
                                    "Attention",
                                    "Attention_key",
                                    "AdditiveAttention",
                                    "MultiHeadAttention",
                                    "SimpleRNN_all",
                                    "GRU_all",
                                    "GRU_reset_before",
                                    "LSTM_all",
                                    "RNN_GRUCell",
                                    "RNN_LSTMCell",
                                    "Bidirectional",
                                    "Bidirectional_last_sum",
                                    "Bidirectional_mul",
                                    "Bidirectional_ave",
                                    "Bidirectional_none",
                                    "Bidirectional_two_kinds",
                                    "ConvLSTM1D",
                                    "ConvLSTM1D_all",
                                    "Bidirectional_ConvLSTM1D",
                                    "MinGRU_all",
                                    "MinLSTM_last",
                                    "LRU_all",
                                    "QRNN_all",
                                    "SRU_of_equal_sizes",
                                    "IndRNN_tanh",
                                    "Bidirectional_SRU"};

bool is_sequence(const Tensor& x) { return x.rank() >= 3 || x.dtype() == DType::int32; }

/// Weights that are all different from zero.
void fill(Model& model) {
  std::vector<Tensor> weights;
  std::uint64_t stream = 100;
  for (const Tensor& weight : model.get_weights()) {
    Tensor numbers = noise(weight.shape(), stream++, 0.6, DType::float32);
    for (float& v : numbers.values<float>()) v = v < 0 ? v - 0.05f : v + 0.05f;
    weights.push_back(numbers);
  }
  std::size_t i = 0;
  for (const Layer& layer : model.layers()) {
    for (const Parameter* p : layer.impl().parameters()) {
      if (p->name() == "moving_variance") {
        for (float& v : weights[i].values<float>()) v = 1 + v * v;
      }
      ++i;
    }
  }
  model.set_weights(weights);
}

/// The first row of an example's inputs, as float32 or ids.
std::vector<Tensor> first_row(const Example& example) {
  std::vector<Tensor> rows;
  for (const Tensor& x : example.inputs) {
    const Tensor row = x.rows(0, 1);
    rows.push_back(row.dtype() == DType::float64 ? row.to(DType::float32) : row.clone());
  }
  return rows;
}

Model model_of(const Example& example, const std::vector<Tensor>& inputs, bool any_time) {
  Symbols symbols;
  for (const Tensor& x : inputs) {
    Shape shape = x.shape().slice(1, x.rank());
    if (any_time && is_sequence(x)) shape.set(0, unknown);
    symbols.push_back(Input({.shape = shape}));
  }
  Model model({.inputs = symbols, .outputs = outputs_of(example.make()(symbols))});
  fill(model);
  return model;
}

/// Steps [0, last) of a row.
Tensor prefix(const Tensor& x, Index last) {
  if (!is_sequence(x)) return x;
  Shape shape = x.shape();
  shape.set(1, last);
  const Index step = x.elements() / x.shape()[1];
  if (x.dtype() == DType::int32) {
    return Tensor::of<std::int32_t>(
        shape, x.values<std::int32_t>().first(static_cast<std::size_t>(last * step)));
  }
  return Tensor::of<float>(shape, x.values<float>().first(static_cast<std::size_t>(last * step)));
}

void set_step(Session& session, std::size_t i, const Tensor& x, Index t) {
  if (x.dtype() == DType::int32) {
    session.set_input(i, x.values<std::int32_t>()[static_cast<std::size_t>(t)]);
    return;
  }
  const auto size =
      static_cast<std::size_t>(is_sequence(x) ? x.elements() / x.shape()[1] : x.elements());
  const std::size_t first = is_sequence(x) ? static_cast<std::size_t>(t) * size : 0;
  session.set_input(i, x.values<float>().subspan(first, size));
}

/// The largest difference between steps and predictions of what has been seen, over all outputs.
double apart(Model& model, const PackedModel& packed, const std::vector<Tensor>& x) {
  Index time = 1;
  for (const Tensor& one : x) time = is_sequence(one) ? one.shape()[1] : time;
  Session session(packed);
  double worst = 0;
  for (Index t = 0; t < time; ++t) {
    Tensors so_far;
    for (std::size_t i = 0; i < x.size(); ++i) {
      set_step(session, i, x[i], t);
      so_far.push_back(prefix(x[i], t + 1));
    }
    session.step();
    model.reset_states();  // a stateful layer would go on from the prefix before
    const Tensors want = model.predict(so_far);
    for (std::size_t i = 0; i < want.size(); ++i) {
      const auto got = session.output(i);
      const auto all = want[i].values<float>();
      const auto last = all.last(got.size());
      for (std::size_t j = 0; j < got.size(); ++j) {
        const double error = std::abs(static_cast<double>(got[j]) - static_cast<double>(last[j]));
        worst = std::isnan(error) ? INFINITY : std::max(worst, error);
      }
    }
  }
  return worst;
}

class OfStreams : public testing::TestWithParam<Example> {};

TEST_P(OfStreams, StepsAreThePredictionSoFar) {
  const Example& example = GetParam();
  const std::vector<Tensor> x = first_row(example);
  Model fixed = model_of(example, x, false);
  if (refused.contains(example.name)) {
    EXPECT_THROW(PackedModel{fixed}, Error);
    return;
  }
  const PackedModel first(fixed);  // that time has a size does not matter
  Model model = model_of(example, x, true);
  EXPECT_LT(apart(model, PackedModel(model), x), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Laws, OfStreams, testing::ValuesIn(all_examples()),
                         [](const auto& info) { return info.param.name; });

// --- recurrent layers that the list only has with initial states, and graphs ---

Model sequence_model(const std::function<Symbol(const Symbol&)>& body, Index features = 3) {
  const Symbol x = Input({.shape = {unknown, features}});
  Model model({.inputs = {x}, .outputs = {body(x)}});
  fill(model);
  return model;
}

double apart(Model& model, const Tensor& x) { return apart(model, PackedModel(model), {x}); }

TEST(Streams, HaveEveryRecurrentLayerInEveryForm) {
  const Tensor x = noise({1, 7, 3}, 3, 1, DType::float32);
  for (const bool sequences : {false, true}) {
    const std::vector<Layer> layers{
        SimpleRNN(5, {.activation = "relu", .return_sequences = sequences}),
        SimpleRNN(5, {.activation = "softsign", .return_sequences = sequences}),
        GRU(5, {.use_bias = false, .return_sequences = sequences}),
        GRU(17, {.return_sequences = sequences, .reset_after = false}),
        LSTM(16, {.recurrent_activation = "hard_sigmoid", .return_sequences = sequences}),
        LSTM(5, {.activation = "gelu", .return_sequences = sequences}),
        LSTM(5, {.dropout = 0.3, .return_sequences = sequences, .stateful = true}),
        MinGRU(17, {.activation = "tanh", .return_sequences = sequences}),
        MinGRU(5, {.activation = "gelu", .return_sequences = sequences}),
        MinLSTM(5, {.use_bias = false, .return_sequences = sequences}),
        LRU(5, {.state_size = 9, .return_sequences = sequences}),
        QRNN(5, {.window = 3, .return_sequences = sequences}),
        QRNN(5, {.window = 1, .return_sequences = sequences}),
        SRU(5, {.highway_bias = -1, .return_sequences = sequences}),
        SRU(3, {.return_sequences = sequences}),
        SRU(3, {.highway = false, .return_sequences = sequences}),
        IndRNN(5, {.activation = "tanh", .return_sequences = sequences, .stateful = true}),
        ESN(5, {.leaky = 0.4, .return_sequences = sequences}),
        RNN(std::vector<Cell>{QRNNCell(5), LRUCell(3), SRUCell(4)},
            {.return_sequences = sequences}),
        RNN(std::vector<Cell>{LSTMCell(5), SimpleRNNCell(3), GRUCell(4)},
            {.return_sequences = sequences}),
        RNN(std::vector<Cell>{LSTMCell(5), GRUCell(4, {.activation = "elu"})},
            {.return_sequences = sequences})};
    for (const Layer& layer : layers) {
      Model model = sequence_model([&](const Symbol& s) { return layer(s); });
      EXPECT_LT(apart(model, x), 1e-5) << layer.name() << " " << model.count_params();
    }
  }
}

TEST(Streams, HaveResidualsNormalisationAndHeads) {
  Model model = sequence_model([](const Symbol& x) {
    const Symbol a = LSTM(8, {.return_sequences = true})(x);
    const Symbol b = Add()({a, Dense(8, {.activation = "tanh"})(x)});
    const Symbol c = LayerNormalization()(LeakyReLU()(b));
    const Symbol d = BatchNormalization()(TimeDistributed(Dense(6))(c));
    const Symbol e = Concatenate()({d, RMSNormalization()(x)});
    const Symbol f = GRU(9, {.return_sequences = true})(Dropout(0.3)(e));
    return Dense(4, {.activation = "softmax"})(f[{all, -1, all}]);
  });
  EXPECT_LT(apart(model, noise({1, 6, 3}, 4, 1, DType::float32)), 1e-5);
}

TEST(Streams, HaveModelsInsideModels) {
  Sequential inner{InputLayer({.shape = {unknown, 3}}), GRU(4, {.return_sequences = true}),
                   Dense(5)};
  Model model = sequence_model([&](const Symbol& x) { return LSTM(3)(inner(x)); });
  EXPECT_LT(apart(model, noise({1, 6, 3}, 5, 1, DType::float32)), 1e-5);
}

TEST(Streams, SkipMaskedStepsAsPredictDoes) {
  const Tensor ids = Tensor::of<std::int32_t>({1, 9}, {0, 3, 0, 0, 5, 2, 0, 4, 0});
  for (const bool zeros : {false, true}) {
    const std::vector<Layer> layers{
        LSTM(6, {.return_sequences = true, .zero_output_for_mask = zeros}),
        GRU(6, {.return_sequences = true, .zero_output_for_mask = zeros}),
        SimpleRNN(6, {.activation = zeros ? Activation("relu") : Activation("softsign"),
                      .return_sequences = true,
                      .zero_output_for_mask = zeros}),
        MinLSTM(6, {.return_sequences = true, .zero_output_for_mask = zeros}),
        LRU(6, {.return_sequences = true, .zero_output_for_mask = zeros}),
        QRNN(6, {.window = 3, .return_sequences = true, .zero_output_for_mask = zeros}),
        SRU(6, {.return_sequences = true, .zero_output_for_mask = zeros}),
        RNN(std::vector<Cell>{GRUCell(4), LSTMCell(3)},
            {.return_sequences = true, .zero_output_for_mask = zeros})};
    for (const Layer& layer : layers) {
      const Symbol words = Input({.shape = {unknown}});
      const Symbol h = layer(Embedding(7, 4, {.mask_zero = true})(words));
      Model model({.inputs = {words}, .outputs = {h, LSTM(3)(h)}});
      fill(model);
      EXPECT_LT(apart(model, PackedModel(model), {ids}), 1e-5) << layer.name() << " " << zeros;
    }
  }
}

TEST(Streams, ReadAnEmbeddingByItsIds) {
  const Tensor ids = Tensor::of<std::int32_t>({1, 7}, {0, 3, 6, 0, 5, 2, 6});
  const std::vector<Layer> layers{
      LSTM(6, {.return_sequences = true}), GRU(6, {.return_sequences = true}),
      GRU(6, {.return_sequences = true, .reset_after = false}),
      SimpleRNN(6, {.use_bias = false, .return_sequences = true}),
      RNN(std::vector<Cell>{GRUCell(4), LSTMCell(3)}, {.return_sequences = true})};
  for (const Layer& layer : layers) {
    const Symbol words = Input({.shape = {unknown}});
    const Symbol rows = Embedding(7, 4)(words);
    // Somebody else reads the rows themselves.
    Model model({.inputs = {words}, .outputs = {Dense(3)(layer(rows)), Dense(2)(rows)}});
    fill(model);
    EXPECT_LT(apart(model, PackedModel(model), {ids}), 1e-5) << layer.name();
  }
}

}  // namespace
}  // namespace unroll
