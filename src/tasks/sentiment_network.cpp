#include "src/tasks/sentiment_network.h"

#include <algorithm>

#include "unroll/convolution.h"
#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll::tasks {

namespace {

constexpr const char* coefficient_name = "baseline_coefficient";

Recurrent recurrent(const SentimentOptions& o) {
  if (o.cell == "simple_rnn") return SimpleRNN(o.units, {.return_sequences = true});
  if (o.cell == "gru") return GRU(o.units, {.return_sequences = true});
  if (o.cell == "lstm") return LSTM(o.units, {.return_sequences = true});
  throw Error(ErrorKind::value, "train_sentiment: no such cell",
              {.got = "\"" + o.cell + "\"", .want = "simple_rnn, gru or lstm"});
}

std::string label_of(const SentimentOptions& o) {
  const std::string name = o.cell == "gru" ? "GRU" : o.cell == "lstm" ? "LSTM" : "SimpleRNN";
  return "bidirectional " + name + "(" + std::to_string(o.units) + ")";
}

Tensor column(const std::vector<float>& values) {
  return Tensor::of<float>({static_cast<Index>(values.size()), 1}, values);
}

}  // namespace

Model lesson_sentiment() {
  const Symbol words = Input({.shape = {100}, .name = "words"});
  Symbol h = Embedding(5000, 32)(words);
  h = SimpleRNN(16, {.return_sequences = true, .name = recurrent_layer_name})(h);
  const Symbol positive = Dense(1, {.activation = "sigmoid"})(h[{all, -1, all}]);
  return Model({.inputs = {words}, .outputs = {positive}, .name = "imdb"});
}

SentimentNetwork sentiment_network(const SentimentOptions& o, Index words) {
  const Symbol ids = Input({.shape = {o.length}, .name = "words"});
  Symbol h = Embedding(words, o.embedding, {.mask_zero = true})(ids);
  h = SpatialDropout1D(o.embedding_dropout)(h);
  h = Bidirectional(recurrent(o), {.name = recurrent_layer_name})(h);
  h = Concatenate()({GlobalMaxPooling1D()(h), GlobalAveragePooling1D()(h)});
  const Symbol logit = Dense(1, {.name = "network_logit"})(Dropout(o.dropout)(h));
  return {.words = ids, .logit = logit, .label = label_of(o)};
}

Model beside_baseline(const SentimentNetwork& network) {
  const Symbol odds = Input({.shape = {1}, .name = "baseline"});
  Dense coefficient(1, {.use_bias = false, .kernel_initializer = "ones", .name = coefficient_name});
  const Symbol positive = ActivationLayer("sigmoid")(Add()({network.logit, coefficient(odds)}));
  return Model({.inputs = {network.words, odds}, .outputs = {positive}, .name = "sentiment_fit"});
}

Model joined(const SentimentNetwork& network, const NbLogistic& baseline, Index ngram_length,
             const Model& fitted) {
  const Symbol numbers = Input({.shape = {ngram_length}, .name = "ngrams"});
  // The sum of the weights of what a review has, times the coefficient: padding weighs nothing.
  Embedding weights(static_cast<Index>(baseline.weights.size()), 1, {.name = "ngram_weights"});
  Dense sum(1, {.name = "ngram_logit"});
  const Symbol odds = sum(Flatten()(weights(numbers)));
  const Symbol positive =
      ActivationLayer("sigmoid", {.name = "positive"})(Add()({network.logit, odds}));
  Model model({.inputs = {network.words, numbers}, .outputs = {positive}, .name = "sentiment"});
  const float coefficient = fitted.get_layer(coefficient_name).get_weights()[0].floats()[0];
  weights.set_weights({column(baseline.weights)});
  sum.set_weights({column(std::vector<float>(static_cast<std::size_t>(ngram_length), coefficient)),
                   Tensor::of<float>({1}, {coefficient * static_cast<float>(baseline.bias)})});
  return model;
}

}  // namespace unroll::tasks
