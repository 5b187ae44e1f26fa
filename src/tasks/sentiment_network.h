// The networks that tell positive reviews from negative ones.
#pragma once

#include <string>
#include <vector>

#include "src/tasks/nb_logistic.h"
#include "unroll/sentiment.h"

namespace unroll::tasks {

inline constexpr const char* recurrent_layer_name = "rnn_layer";

/// Embedding(5000, 32) > SimpleRNN(16, return_sequences) > [:, -1, :] > Dense(1, sigmoid).
Model lesson_sentiment();

/// What is trained, and what it is a part of.
struct SentimentNetwork {
  Symbol words;       ///< ids (batch, length)
  Symbol logit;       ///< (batch, 1)
  std::string label;  ///< "BiGRU(64)"
};
/// Throws: Error (value) unless the cell is simple_rnn, gru or lstm.
SentimentNetwork sentiment_network(const SentimentOptions& options, Index words);
/// The network by itself: ids to the probability.
Model network_alone(const SentimentNetwork& network);
/// Network and baseline: their logits by these coefficients, and a bias, the last.
Model joined(const SentimentNetwork& network, const NbLogistic& baseline, Index ngram_length,
             const std::vector<double>& coefficients);

}  // namespace unroll::tasks
