// The networks that tell positive reviews from negative ones.
#pragma once

#include <string>
#include <vector>

#include "src/tasks/nb_logistic.h"
#include "unroll/sentiment.h"

namespace unroll::tasks {

/// The ids of texts as the network reads them: (texts, length).
Tensor sentiment_ids(const TextEncoder& encoder, const std::vector<std::string>& texts,
                     const SentimentConfig& config);

inline constexpr const char* recurrent_layer_name = "rnn_layer";

/// Embedding(5000, 32) > SimpleRNN(16, return_sequences) > [:, -1, :] > Dense(1, sigmoid).
Model lesson_sentiment();

/// What is trained, and what it is a part of.
struct SentimentNetwork {
  Symbol words;       ///< ids (batch, length)
  Symbol logit;       ///< (batch, 1): what it adds to the baseline's log odds
  std::string label;  ///< "bidirectional GRU(64)"
};
/// Throws: Error (value) unless the cell is simple_rnn, gru or lstm.
SentimentNetwork sentiment_network(const SentimentOptions& options, Index words);
/// What is fitted: ids and the baseline's log odds (batch, 1), which are given a coefficient, to
/// the probability.
Model beside_baseline(const SentimentNetwork& network);
/// What is used: ids and n-grams to the probability. `fitted` is what beside_baseline gave.
Model joined(const SentimentNetwork& network, const NbLogistic& baseline, Index ngram_length,
             const Model& fitted);

}  // namespace unroll::tasks
