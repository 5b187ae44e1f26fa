// A decoder that attends: cells whose every step looks up the encoder's sequence.
//
//   auto [memory, h] = GRU(64, {.return_sequences = true, .return_state = true})(x).unpack<2>();
//   Symbol y = AttentionDecoder(GRUCell(64))({embedded_targets, memory, h});
//
// unroll/seq2seq.h makes whole translators of it.
#pragma once

#include "unroll/recurrent.h"

namespace unroll {

struct AttentionDecoderOptions {
  /// How a query q is compared with a step m of the memory. "general": q . (m W); "dot": q . m;
  /// "additive": sum(scale tanh(q Q + m W)), where the query is the state before the step and what
  /// is found enters the cell too.
  std::string attention = "general";
  Index output_size = 0;       ///< numbers of an output; 0: as many as the last cell gives
  bool input_feeding = false;  ///< the output of a step enters the next one beside its input
  double dropout = 0;          ///< share of inputs and of outputs dropped while training
  Index seed = -1;             ///< of the dropout; -1: the model's
  Initializer kernel_initializer = "glorot_uniform";
  std::string name = {};
};
/// h = cell(x, h); c = the mean of the memory, weighted by softmax(score(h, memory)); output
/// tanh([h; c] W + b). Masked steps of the memory get no weight; masked steps of x keep the states,
/// and their outputs mean nothing.
/// Inputs: x (batch, time, features), memory (batch, steps, size), and the cells' states, (batch,
/// size) each, or none: zeros. Shapes: -> (batch, time, output_size).
/// Weights: output_kernel (units of the last cell + size, output_size), output_bias (output_size);
/// key_kernel (size, units of the last cell), unless "dot"; query_kernel and attention_scale, of
/// "additive"; then the cells'.
/// Throws: Error (value), when built Error (shape).
/// Source: Luong, Pham, Manning, "Effective approaches to attention-based neural machine
/// translation", 2015; Bahdanau, Cho, Bengio, 2015.
class AttentionDecoder : public Layer {
 public:
  explicit AttentionDecoder(Cell cell, const AttentionDecoderOptions& options = {});
  /// Cells on top of one another.
  explicit AttentionDecoder(std::vector<Cell> cells, const AttentionDecoderOptions& options = {});
};

}  // namespace unroll
