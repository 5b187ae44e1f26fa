// The parts of a Seq2Seq, run by hand: what decoding needs.
#pragma once

#include <memory>
#include <vector>

#include "src/recurrent/attention_decoder.h"
#include "unroll/seq2seq.h"

namespace unroll {

struct Seq2Seq::Parts {
  std::shared_ptr<LayerImpl> source_embedding, target_embedding;  ///< may be one
  std::vector<std::shared_ptr<LayerImpl>> encoder;
  std::vector<std::shared_ptr<LayerImpl>> bridge;  ///< one a state of the decoder; none: as it is
  std::shared_ptr<AttentionDecoderImpl> decoder;

  /// Packs the weights, for those who only read them.
  void prepare() const;
};

namespace tasks {

/// A run of layers outside a model: some rows, no gradients.
class PlainCall final : public Call {
 public:
  PlainCall() : own_(DType::float32, false) { tape_ = &own_; }

  /// Forgets the values of the run before.
  void begin(Index rows) {
    own_.clear();
    rows_ = rows;
  }
  Vars run(LayerImpl& layer, const Vars& inputs, const Mask& mask = {});

  Var use(const Parameter& parameter) override;
  void add_sparse(const Parameter&, const Var&, const Var&) override {}
  std::span<Tensor> states(const Component&) override { return {}; }

 private:
  Tape own_;
};

/// What the encoder made of some sources: on the tape of the call.
struct Encoded {
  Attended memory;
  DecoderState state;
};

/// Reads sources, each with `end` behind, side by side.
Encoded encode(const Seq2Seq::Parts& parts, PlainCall& call, std::span<const Ids* const> sources,
               std::int32_t end);

}  // namespace tasks

}  // namespace unroll
