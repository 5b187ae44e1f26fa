#include "src/tasks/sentiment_network.h"

#include <algorithm>

#include "unroll/convolution.h"
#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll::tasks {

namespace {

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

Model network_alone(const SentimentNetwork& network) {
  const Symbol positive = ActivationLayer("sigmoid")(network.logit);
  return Model({.inputs = {network.words}, .outputs = {positive}, .name = "sentiment_network"});
}

Model joined(const SentimentNetwork& network, const NbLogistic& baseline, Index ngram_length,
             const std::vector<double>& coefficients) {
  const Symbol numbers = Input({.shape = {ngram_length}, .name = "ngrams"});
  // The sum of the weights of what a review has: padding weighs nothing.
  Embedding weights(static_cast<Index>(baseline.weights.size()), 1, {.name = "ngram_weights"});
  Dense sum(1, {.name = "ngram_logit"});
  const Symbol ngram_logit = sum(Flatten()(weights(numbers)));
  Dense together(1, {.activation = "sigmoid", .name = "positive"});
  const Symbol positive = together(Concatenate()({network.logit, ngram_logit}));
  Model model({.inputs = {network.words, numbers}, .outputs = {positive}, .name = "sentiment"});
  weights.set_weights({column(baseline.weights)});
  sum.set_weights({column(std::vector<float>(static_cast<std::size_t>(ngram_length), 1)),
                   Tensor::of<float>({1}, {static_cast<float>(baseline.bias)})});
  together.set_weights(
      {column({static_cast<float>(coefficients[0]), static_cast<float>(coefficients[1])}),
       Tensor::of<float>({1}, {static_cast<float>(coefficients[2])})});
  return model;
}

}  // namespace unroll::tasks
