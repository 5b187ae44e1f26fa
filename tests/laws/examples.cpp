#include "tests/laws/examples.h"

#include "tests/laws/rig.h"
#include "unroll/attention.h"
#include "unroll/conv_lstm.h"
#include "unroll/convolution.h"
#include "unroll/decoder.h"
#include "unroll/layers.h"
#include "unroll/newer_cells.h"

namespace unroll {

namespace {

template <class L, class... Arguments>
std::function<Layer()> maker(Arguments... arguments) {
  return [=] { return Layer(L(arguments...)); };
}

Tensor ids() { return Tensor::of<std::int32_t>({3, 4}, {1, 5, 0, 2, 0, 0, 3, 1, 6, 5, 5, 0}); }

/// Steps of which some numbers equal `value`, but none all: there a Masking layer would jump.
Tensor nearly_skipped(double value) {
  Tensor x = noise({3, 4, 2}, 9);
  for (const std::size_t i : {0U, 11U, 22U}) x.values<double>()[i] = value;
  return x;
}

}  // namespace

Symbols inputs_for(const std::vector<Tensor>& values) {
  Symbols inputs;
  for (const Tensor& value : values) {
    inputs.push_back(Input({.shape = value.shape().slice(1, value.rank())}));
  }
  return inputs;
}

std::vector<Example> plain_examples() {
  const Tensor flat = noise({5, 4}, 1), other = noise({5, 4}, 2), third = noise({5, 4}, 3);
  const Tensor sequence = noise({3, 6, 4}, 4), second = noise({3, 6, 4}, 5);
  const Tensor image = noise({2, 3, 4, 2}, 6);
  std::vector<Example> examples{
      {"Dense", maker<Dense>(3), {flat}},
      {"Dense_relu_no_bias",
       maker<Dense>(17, DenseOptions{.activation = "relu", .use_bias = false}),
       {flat}},
      {"Dense_gelu_sequence", maker<Dense>(3, DenseOptions{.activation = "gelu"}), {sequence}},
      {"Dense_softmax_sequence",
       maker<Dense>(5, DenseOptions{.activation = "softmax"}),
       {sequence}},
      {"Embedding", maker<Embedding>(7, 3), {ids()}},
      {"Embedding_mask_zero", maker<Embedding>(7, 3, EmbeddingOptions{.mask_zero = true}), {ids()}},
      {"ReversibleEmbedding", maker<ReversibleEmbedding>(7, 3), {ids()}},
      {"ReversibleEmbedding_mask_zero",
       maker<ReversibleEmbedding>(7, 3, ReversibleEmbeddingOptions{.mask_zero = true}),
       {ids()}},
      {"Masking", maker<Masking>(), {nearly_skipped(0)}},
      {"Masking_value", maker<Masking>(MaskingOptions{.mask_value = -2}), {nearly_skipped(-2)}},
      {"Dropout", maker<Dropout>(0.4), {sequence}},
      {"Dropout_training", maker<Dropout>(0.4), {sequence}, true},
      {"ActivationLayer", maker<ActivationLayer>(Activation("tanh")), {sequence}},
      {"Flatten", maker<Flatten>(), {image}},
      {"Reshape", maker<Reshape>(Shape{unknown, 2}), {sequence}},
      {"RepeatVector", maker<RepeatVector>(3), {flat}},
      {"Permute", maker<Permute>(Shape{2, 1}), {sequence}},
      {"Permute_image", maker<Permute>(Shape{3, 1, 2}), {image}},
      {"Concatenate", maker<Concatenate>(), {flat, other, third}},
      {"Concatenate_features", maker<Concatenate>(), {sequence, second}},
      {"Concatenate_time", maker<Concatenate>(ConcatenateOptions{.axis = 1}), {sequence, second}},
      {"Add", maker<Add>(), {flat, other, third}},
      {"Add_broadcast", maker<Add>(), {sequence, noise({3, 1, 4}, 7)}},
      {"Add_row_to_sequence", maker<Add>(), {sequence, noise({3, 4}, 8)}},
      {"Subtract", maker<Subtract>(), {flat, other}},
      {"Multiply", maker<Multiply>(), {flat, other, third}},
      {"Average", maker<Average>(), {flat, other, third}},
      {"Maximum", maker<Maximum>(), {flat, other, third}},
      {"Minimum", maker<Minimum>(), {sequence, second}},
      {"Dot", maker<Dot>(DotOptions{.axes = 1}), {flat, other}},
      {"Dot_normalize", maker<Dot>(DotOptions{.axes = 1, .normalize = true}), {flat, other}},
      {"LayerNormalization", maker<LayerNormalization>(), {sequence}},
      {"LayerNormalization_axes",
       maker<LayerNormalization>(LayerNormalizationOptions{.axis = {1, 2}}),
       {sequence}},
      {"BatchNormalization", maker<BatchNormalization>(), {sequence}},
      {"BatchNormalization_training", maker<BatchNormalization>(), {sequence}, true},
      {"BatchNormalization_training_flat", maker<BatchNormalization>(), {flat}, true},
      {"TimeDistributed", maker<TimeDistributed>(Dense(3, {.activation = "tanh"})), {sequence}},
      {"GetItem_last_step", maker<GetItem>(Picks{all, -1, all}), {sequence}},
      {"GetItem_ranges", maker<GetItem>(Picks{all, range(1, -1), range(0, 2)}), {sequence}},
      {"GetItem_feature", maker<GetItem>(Picks{all, all, 2}), {sequence}},
  };
  // Each handle that is captured is one layer: a wrapped one must be new each time.
  for (Example& example : examples) {
    if (example.name != "TimeDistributed") continue;
    example.make = [] { return Layer(TimeDistributed(Dense(3, {.activation = "tanh"}))); };
  }
  return examples;
}

namespace {

std::vector<Example> wide_examples() {
  const Tensor x = noise({3, 6, 4}, 4), value = noise({3, 5, 4}, 10), key = noise({3, 5, 4}, 11);
  const Tensor image = noise({2, 6, 5, 3}, 12);
  return {
      {"LeakyReLU", maker<LeakyReLU>(), {x}},
      {"PReLU", maker<PReLU>(), {x}},
      {"ELU", maker<ELU>(), {x}},
      {"ReLU", maker<ReLU>(ReLUOptions{.max_value = 0.6, .negative_slope = 0.1}), {x}},
      {"Softmax", maker<Softmax>(SoftmaxOptions{.axis = {1}}), {x}},
      {"SpatialDropout1D_training", maker<SpatialDropout1D>(0.4), {x}, true},
      {"GaussianNoise_training", maker<GaussianNoise>(0.3), {x}, true},
      {"RMSNormalization", maker<RMSNormalization>(), {x}},
      {"Conv1D", maker<Conv1D>(Index{5}, Index{3}), {x}},
      {"Conv1D_causal",
       maker<Conv1D>(Index{5}, Index{2},
                     Conv1DOptions{.padding = "causal", .dilation_rate = 2, .activation = "tanh"}),
       {x}},
      {"Conv2D", maker<Conv2D>(Index{2}, Shape{3, 2}), {image}},
      {"Conv2DTranspose",
       maker<Conv2DTranspose>(Index{2}, Shape{3, 2},
                              Conv2DTransposeOptions{.strides = {2, 1}, .padding = "same"}),
       {image}},
      {"MaxPooling1D", maker<MaxPooling1D>(), {x}},
      {"AveragePooling1D",
       maker<AveragePooling1D>(Pooling1DOptions{.pool_size = 4, .padding = "same"}),
       {x}},
      {"MaxPooling2D", maker<MaxPooling2D>(), {image}},
      {"AveragePooling2D", maker<AveragePooling2D>(), {image}},
      {"GlobalMaxPooling1D", maker<GlobalMaxPooling1D>(), {x}},
      {"GlobalAveragePooling1D", maker<GlobalAveragePooling1D>(), {x}},
      {"UpSampling1D", maker<UpSampling1D>(Index{3}), {x}},
      {"ZeroPadding1D", maker<ZeroPadding1D>(Shape{2, 1}), {x}},
      {"Cropping1D", maker<Cropping1D>(Shape{1, 2}), {x}},
      {"Attention", maker<Attention>(), {x, value}},
      {"Attention_key", maker<Attention>(AttentionOptions{.use_scale = true}), {x, value, key}},
      {"AdditiveAttention", maker<AdditiveAttention>(), {x, value}},
      {"MultiHeadAttention", maker<MultiHeadAttention>(Index{2}, Index{3}), {x, value}},
  };
}

}  // namespace

namespace {

std::vector<Example> decoder_examples() {
  const Tensor x = noise({3, 5, 4}, 23), memory = noise({3, 6, 7}, 24);
  const Tensor h = noise({3, 6}, 25), c = noise({3, 6}, 26), small = noise({3, 2}, 27);
  const auto made = [](std::vector<Cell> (*cells)(), const AttentionDecoderOptions& options) {
    return [=] { return Layer(AttentionDecoder(cells(), options)); };
  };
  const auto gru = [] { return std::vector<Cell>{GRUCell(6)}; };
  const auto lstm = [] { return std::vector<Cell>{LSTMCell(6)}; };
  return {
      {"AttentionDecoder", made(gru, {}), {x, memory, h}},
      {"AttentionDecoder_dot",
       made([] { return std::vector<Cell>{SimpleRNNCell(7)}; },
            {.attention = "dot", .output_size = 3}),
       {x, memory}},
      {"AttentionDecoder_fed", made(lstm, {.input_feeding = true}), {x, memory, h, c}},
      {"AttentionDecoder_additive", made(gru, {.attention = "additive"}), {x, memory, h}},
      {"AttentionDecoder_additive_fed_two_cells",
       made(
           [] {
             return std::vector<Cell>{GRUCell(6, {.reset_after = false}), LSTMCell(2)};
           },
           {.attention = "additive", .input_feeding = true}),
       {x, memory, h, small, small}},
      {"AttentionDecoder_dropout_training", made(gru, {.dropout = 0.4}), {x, memory, h}, true},
      {"AttentionDecoder_fed_dropout_training",
       made(gru, {.input_feeding = true, .dropout = 0.4}),
       {x, memory, h},
       true},
  };
}

}  // namespace

std::vector<Example> recurrent_examples() {
  const Tensor x = noise({3, 5, 4}, 20);
  const Tensor h = noise({3, 6}, 21), c = noise({3, 6}, 22);
  const std::vector<Tensor> alone{x}, one_state{x, h}, two_states{x, h, c};
  const auto both_ways = [](const char* merge_mode, bool sequences) {
    return [=] {
      return Layer(
          Bidirectional(GRU(3, {.return_sequences = sequences}), {.merge_mode = merge_mode}));
    };
  };
  std::vector<Example> examples{
      {"SimpleRNN", maker<SimpleRNN>(6), alone},
      {"SimpleRNN_all",
       maker<SimpleRNN>(6, SimpleRNNOptions{.activation = "sigmoid",
                                            .return_sequences = true,
                                            .return_state = true,
                                            .go_backwards = true}),
       one_state},
      {"SimpleRNN_softsign",
       maker<SimpleRNN>(6, SimpleRNNOptions{.activation = "softsign", .use_bias = false}), alone},
      {"SimpleRNN_dropout_training",
       maker<SimpleRNN>(6, SimpleRNNOptions{.dropout = 0.3, .recurrent_dropout = 0.2}), alone,
       true},
      {"GRU", maker<GRU>(6), alone},
      {"GRU_all", maker<GRU>(6, GRUOptions{.return_sequences = true, .return_state = true}),
       one_state},
      {"GRU_reset_before",
       maker<GRU>(6, GRUOptions{.return_sequences = true, .reset_after = false}), one_state},
      {"GRU_dropout_training", maker<GRU>(6, GRUOptions{.dropout = 0.3, .return_sequences = true}),
       alone, true},
      {"GRU_recurrent_dropout_training", maker<GRU>(6, GRUOptions{.recurrent_dropout = 0.3}), alone,
       true},
      {"LSTM", maker<LSTM>(6), alone},
      {"LSTM_all",
       maker<LSTM>(
           6, LSTMOptions{.return_sequences = true, .return_state = true, .go_backwards = true}),
       two_states},
      {"LSTM_dropout_training",
       maker<LSTM>(6, LSTMOptions{.dropout = 0.3, .recurrent_dropout = 0.2}), alone, true},
      {"RNN_SimpleRNNCell", [] { return Layer(RNN(SimpleRNNCell(6), {.return_sequences = true})); },
       alone},
      {"RNN_GRUCell", [] { return Layer(RNN(GRUCell(6), {.return_state = true})); }, one_state},
      {"RNN_LSTMCell", [] { return Layer(RNN(LSTMCell(6))); }, two_states},
      {"RNN_StackedRNNCells",
       [] {
         return Layer(RNN(std::vector<Cell>{GRUCell(3), LSTMCell(2)},
                          {.return_sequences = true, .return_state = true}));
       },
       alone},
      {"Bidirectional", both_ways("concat", true), alone},
      {"Bidirectional_last_sum", both_ways("sum", false), alone},
      {"Bidirectional_mul", both_ways("mul", true), alone},
      {"Bidirectional_ave", both_ways("ave", true), alone},
      {"Bidirectional_none", both_ways("none", true), alone},
      {"Bidirectional_two_kinds",
       [] {
         return Layer(Bidirectional(LSTM(3, {.return_state = true}),
                                    LSTM(3, {.return_state = true, .go_backwards = true})));
       },
       alone},
  };
  for (Example& example : decoder_examples()) examples.push_back(std::move(example));
  return examples;
}

namespace {

std::vector<Example> newer_examples() {
  const Tensor x = noise({3, 5, 4}, 29), h = noise({3, 6}, 30), wide = noise({3, 12}, 31);
  const Tensor seen = noise({3, 8}, 32), equal = noise({3, 5, 6}, 33);
  return {
      {"MinGRU", maker<MinGRU>(6), {x}},
      {"MinGRU_all",
       maker<MinGRU>(6, MinGRUOptions{.activation = "tanh",
                                      .return_sequences = true,
                                      .return_state = true,
                                      .go_backwards = true}),
       {x, h}},
      {"MinGRU_gelu", maker<MinGRU>(6, MinGRUOptions{.activation = "gelu"}), {x}},
      {"MinGRU_dropout_training",
       maker<MinGRU>(6, MinGRUOptions{.use_bias = false, .dropout = 0.3}),
       {x},
       true},
      {"MinLSTM", maker<MinLSTM>(6, MinLSTMOptions{.return_sequences = true}), {x}},
      {"MinLSTM_last", maker<MinLSTM>(6, MinLSTMOptions{.activation = "relu"}), {x, h}},
      {"LRU", maker<LRU>(6), {x}},
      {"LRU_all",
       maker<LRU>(3, LRUOptions{.state_size = 6, .return_sequences = true, .return_state = true}),
       {x, wide}},
      {"LRU_dropout_training", maker<LRU>(6, LRUOptions{.dropout = 0.3}), {x}, true},
      {"QRNN", maker<QRNN>(6, QRNNOptions{.return_sequences = true}), {x}},
      {"QRNN_all",
       maker<QRNN>(6, QRNNOptions{.window = 3, .return_sequences = true, .return_state = true}),
       {x, h, seen}},
      {"QRNN_of_one", maker<QRNN>(6, QRNNOptions{.window = 1}), {x}},
      {"QRNN_dropout_training", maker<QRNN>(6, QRNNOptions{.dropout = 0.3}), {x}, true},
      {"SRU", maker<SRU>(6, SRUOptions{.return_sequences = true}), {x}},
      {"SRU_of_equal_sizes",
       maker<SRU>(6, SRUOptions{.highway_bias = -1, .return_state = true}),
       {equal, h}},
      {"SRU_without_highway", maker<SRU>(6, SRUOptions{.highway = false}), {equal}},
      {"IndRNN", maker<IndRNN>(6, IndRNNOptions{.return_sequences = true}), {x}},
      {"IndRNN_tanh",
       maker<IndRNN>(6, IndRNNOptions{.activation = "tanh", .go_backwards = true}),
       {x, h}},
      {"ESN", maker<ESN>(6, ESNOptions{.leaky = 0.7, .return_sequences = true}), {x}},
      {"RNN_of_newer_cells",
       [] {
         return Layer(RNN(std::vector<Cell>{MinGRUCell(3), LRUCell(2), QRNNCell(4)},
                          {.return_sequences = true, .return_state = true}));
       },
       {x}},
      {"Bidirectional_SRU",
       [] { return Layer(Bidirectional(SRU(3, {.return_sequences = true}))); },
       {x}},
  };
}

/// Wrapped layers that have steps, rows or random numbers of their own.
std::vector<Example> distributed_examples() {
  const Tensor sequences = noise({2, 3, 4, 2}, 27), sequence = noise({3, 4, 5}, 28);
  const auto each = [](auto make) { return [=] { return Layer(TimeDistributed(make())); }; };
  return {
      {"TimeDistributed_LSTM", each([] { return LSTM(3); }), {sequences}},
      {"TimeDistributed_GRU_sequences",
       each([] { return GRU(3, {.dropout = 0.3, .return_sequences = true}); }),
       {sequences},
       true},
      {"TimeDistributed_Conv1D", each([] { return Conv1D(3, 2); }), {sequences}},
      {"TimeDistributed_Dropout_training", each([] { return Dropout(0.4); }), {sequence}, true},
      {"TimeDistributed_SpatialDropout1D_training",
       each([] { return SpatialDropout1D(0.4); }),
       {sequences},
       true},
  };
}

std::vector<Example> convolutional_examples() {
  const Tensor row = noise({2, 3, 5, 2}, 23), picture = noise({2, 3, 4, 3, 2}, 24);
  const Tensor h = noise({2, 3, 3}, 25), c = noise({2, 3, 3}, 26);
  return {
      {"ConvLSTM1D", [] { return Layer(ConvLSTM1D(3, 3)); }, {row, h, c}},
      {"ConvLSTM1D_all",
       [] {
         return Layer(ConvLSTM1D(3, 2,
                                 {.strides = {2},
                                  .padding = "same",
                                  .return_sequences = true,
                                  .return_state = true,
                                  .go_backwards = true}));
       },
       {row}},
      {"ConvLSTM1D_dropout_training",
       [] { return Layer(ConvLSTM1D(3, 3, {.dropout = 0.3, .recurrent_dropout = 0.2})); },
       {row},
       true},
      {"Bidirectional_ConvLSTM1D",
       [] { return Layer(Bidirectional(ConvLSTM1D(2, 3, {.return_sequences = true}))); },
       {row}},
      {"ConvLSTM2D",
       [] {
         return Layer(ConvLSTM2D(2, {3, 2}, {.padding = "same", .return_sequences = true}));
       },
       {picture}},
  };
}

}  // namespace

std::vector<Example> all_examples() {
  std::vector<Example> examples = plain_examples();
  for (Example& example : wide_examples()) examples.push_back(std::move(example));
  for (Example& example : recurrent_examples()) examples.push_back(std::move(example));
  for (Example& example : convolutional_examples()) examples.push_back(std::move(example));
  for (Example& example : newer_examples()) examples.push_back(std::move(example));
  for (Example& example : distributed_examples()) examples.push_back(std::move(example));
  return examples;
}

}  // namespace unroll
