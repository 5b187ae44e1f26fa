// Attention: a sequence of queries looks up a sequence of values.
//
//   auto [sequence, state] = GRU(32, {.return_sequences = true, .return_state =
//   true})(x).unpack<2>(); Symbol decoded = GRU(32, {.return_sequences = true})(y, {state}); Symbol
//   context = AdditiveAttention()({decoded, sequence});          // queries, values
//
// Masks travel with queries and values, or are given: layer.connect({q, v}, {q_mask, v_mask}).
// Masked values get no weight, results of masked queries are zero (MultiHeadAttention: what comes
// of no weight at all), and the mask of the queries goes on. The arguments that Keras takes with
// each call are options here.
#pragma once

#include "unroll/layers.h"

namespace unroll {

struct AttentionOptions {
  bool use_scale = false;          ///< scores are multiplied by a trained number
  std::string score_mode = "dot";  ///< "dot": q k; "concat": the sum of tanh(q + k)
  double dropout = 0;              ///< share of the weights dropped while training
  Index seed = -1;                 ///< of the dropout; -1: the model's
  std::string name = {};
  bool use_causal_mask = false;          ///< step t sees values up to t only
  bool return_attention_scores = false;  ///< the weights are a second output
};
/// softmax(score(q, k)) v, for inputs {query, value} or {query, value, key}; without a key the
/// values are the keys. Shapes: query (batch, Tq, features), key (batch, Tv, features), value
/// (batch, Tv, size) -> (batch, Tq, size), scores (batch, Tq, Tv). Weights: scale (), with
/// use_scale; concat_score_weight (), with "concat". Throws: Error (value), when built Error
/// (shape). Source: Luong, Pham, Manning, "Effective approaches to attention-based neural machine
/// translation", 2015.
class Attention : public Layer {
 public:
  explicit Attention(const AttentionOptions& options = {});
};

struct AdditiveAttentionOptions {
  bool use_scale = true;  ///< each feature has a trained weight in the sum
  double dropout = 0;
  Index seed = -1;
  std::string name = {};
  bool use_causal_mask = false;
  bool return_attention_scores = false;
};
/// The same with scores sum(scale tanh(q + k)). Weights: scale (features), with use_scale.
/// Source: Bahdanau, Cho, Bengio, "Neural machine translation by jointly learning to align and
/// translate", 2015.
class AdditiveAttention : public Layer {
 public:
  explicit AdditiveAttention(const AdditiveAttentionOptions& options = {});
};

struct MultiHeadAttentionOptions {
  Index value_dim = unknown;  ///< size of a head's values; unknown: key_dim
  double dropout = 0;
  bool use_bias = true;
  Shape output_shape = {};  ///< of a step of the result, {size}; empty: the queries' features
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  Index seed = -1;
  std::string name = {};
  bool use_causal_mask = false;
  bool return_attention_scores = false;
};
/// Several attentions side by side, each on projections of its own, joined by a last one. Inputs
/// {query, value} or {query, value, key}. Shapes: (batch, Tq, features) and (batch, Tv, ...) ->
/// (batch, Tq, features), scores (batch, num_heads, Tq, Tv). Weights: query, key and value kernel
/// (features, num_heads, size) and bias (num_heads, size), attention_output kernel (num_heads,
/// value_dim, out) and bias (out). Source: Vaswani et al., "Attention is all you need", 2017.
class MultiHeadAttention : public Layer {
 public:
  MultiHeadAttention(Index num_heads, Index key_dim, const MultiHeadAttentionOptions& options = {});
};

}  // namespace unroll
