// Sequence to sequence: an encoder reads one sequence, a decoder that attends to it writes another.
//
//   Seq2Seq model({.source_vocabulary = 6000, .target_vocabulary = 6000});
//   Seq2SeqReport report = train(model, pairs, {.epochs = 10});
//   std::vector<Decoded> best = model.decode(sources, {.beam = 5})[0];    // of the first source
//
// Sequences are ids. 0 is padding; the vocabularies also have ids for the begin and the end of a
// sequence, which callers neither give nor get.
//
// Training forces the teacher: the decoder's next input is the true id, or, with a share that a
// schedule says, what the decoder itself would have said (scheduled sampling: Bengio et al., 2015).
// What it does on its own words is another matter; see `score` of Seq2SeqTraining.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "unroll/language.h"
#include "unroll/model.h"

namespace unroll {

using Ids = std::vector<std::int32_t>;

// --- the model ---

struct Seq2SeqOptions {
  Index source_vocabulary = 0, target_vocabulary = 0;  ///< ids are 0 .. vocabulary - 1; required
  std::int32_t begin = 2, end = 3;                     ///< of a sequence, in both vocabularies
  /// Source and target have one vocabulary and one table of vectors.
  bool shared_vocabulary = false;
  bool tie_weights = true;   ///< the table of the target's vectors also gives the logits
  std::string cell = "gru";  ///< simple_rnn, gru, lstm
  Index units = 256;         ///< of the decoder's cells, and of the encoder's in each direction
  Index encoder_layers = 1, decoder_layers = 1;
  bool bidirectional = true;
  Index embedding = 256;              ///< numbers that stand for an id
  std::string attention = "general";  ///< general, dot, additive: see AttentionDecoder
  bool input_feeding = false;         ///< the decoder's output also enters its next step
  /// While training, share of what is dropped of the vectors, of the encoder's outputs and of the
  /// decoder's.
  double dropout = 0.4;
};

struct DecodeOptions {
  Index beam = 1;             ///< sequences that are followed at once; 1: greedy
  Index n_best = 1;           ///< how many to give, at most `beam`
  double length_penalty = 1;  ///< alpha: scores are divided by ((5 + length) / 6)^alpha
  Index max_length = 0;       ///< ids; 0: twice the source's and 10 more
  /// Draws instead of taking the most probable; wants beam = 1. Sequence i is drawn with seed + i.
  bool sample = false;
  SamplingOptions sampling = {};
  bool attention = false;  ///< fills Decoded::attention
  int threads = 0;         ///< 0: UNROLL_THREADS, or every processor this process may use
};

struct Decoded {
  Ids ids;           ///< without begin and end
  double score = 0;  ///< ln p of the sequence, divided by the length penalty
  double log_p = 0;
  bool ended = true;  ///< false: max_length cut it
  /// What each id looked at: (ids and the end, source ids and the end); empty unless asked for.
  Tensor attention;
};

/// Embedding > encoder > AttentionDecoder > logits. A handle, as Model is.
/// The model's inputs are source (batch, steps), each with `end` behind, and target (batch, time),
/// each with `begin` in front; its output logits (batch, time, target vocabulary).
/// Threads: as Model; decode uses threads of its own.
class Seq2Seq {
 public:
  /// Throws: Error (value) for an option outside its range.
  explicit Seq2Seq(const Seq2SeqOptions& options);
  /// One that has been loaded. Throws: Error (shape) where it is another model.
  Seq2Seq(const Model& model, std::int32_t begin, std::int32_t end);

  Model& model() const noexcept { return *model_; }
  Index source_vocabulary() const noexcept { return source_vocabulary_; }
  Index target_vocabulary() const noexcept { return target_vocabulary_; }
  std::int32_t begin() const noexcept { return begin_; }
  std::int32_t end() const noexcept { return end_; }

  /// The best sequences for each source, best first. The encoder reads each source once. An empty
  /// source is read as its end alone.
  /// Throws: Error (value) for options out of range and ids that are not in the vocabulary.
  std::vector<std::vector<Decoded>> decode(const std::vector<Ids>& sources,
                                           const DecodeOptions& options = {}) const;
  /// ln p of each target id and the end, given those before; a row a target. Throws: as decode.
  std::vector<std::vector<double>> log_probabilities(const std::vector<Ids>& sources,
                                                     const std::vector<Ids>& targets) const;
  /// What the model would say after each true beginning: the most probable id at each place of the
  /// targets and at their ends. Beside decode(), it tells how much own mistakes cost. Throws: as
  /// decode.
  std::vector<Ids> forced(const std::vector<Ids>& sources, const std::vector<Ids>& targets) const;

  /// The parts of the network, for those who run them.
  struct Parts;
  const Parts& parts() const noexcept { return *parts_; }

 private:
  using Visitor = std::function<void(std::size_t i, std::size_t t, std::span<const float> log_p)>;
  void foretell(const std::vector<Ids>& sources, const std::vector<Ids>& targets,
                const Visitor& visit) const;

  std::shared_ptr<Model> model_;
  std::shared_ptr<Parts> parts_;
  Index source_vocabulary_ = 0, target_vocabulary_ = 0;
  std::int32_t begin_ = 2, end_ = 3;
};

// --- training ---

/// The share of true inputs while training: from `from` at the first update to `to`.
struct ForcingSchedule {
  /// constant: from; linear: down to `to` in `steps` updates; exponential: from rate^step, rate
  /// such that half is gone after steps / 2; inverse_sigmoid: k / (k + exp(step / k)), k such that
  /// it passes one half after steps / 2 updates. All but the first end at `to`.
  /// Source: Bengio, Vinyals, Jaitly, Shazeer, "Scheduled sampling", 2015.
  std::string kind = "constant";
  double from = 1, to = 1;
  Index steps = 10'000;
  /// Throws: Error (value) for a kind that there is not, shares outside 0 to 1, steps below 1.
  void check() const;
  double at(Index update) const;
};

/// Sequences and what is to be written for them.
struct Seq2SeqPairs {
  std::vector<Ids> sources, targets;
};

struct Seq2SeqReport;

struct Seq2SeqTraining {
  Index batch_size = 64;
  Index epochs = 10;                ///< at most
  double learning_rate = 1e-3;      ///< of Adam: the highest, reached in `warmup` updates
  std::string schedule = "cosine";  ///< cosine: down to 3 % at the end; constant
  Index warmup = 200;
  double clip_norm = 1;  ///< longest gradient of all weights together
  double label_smoothing = 0.1;
  ForcingSchedule forcing = ForcingSchedule();
  bool feedback_sampled = false;  ///< own inputs are drawn, not the most probable
  Index max_length = 60;          ///< pairs with a longer sequence are not learnt
  Index patience = 0;             ///< epochs without a better score that are waited for; 0: all
  std::uint64_t seed = 7;
  int threads = 0;
  /// Watched after every epoch: its loss, forced and without dropout.
  Seq2SeqPairs validation = {};
  /// Adds to what is known of an epoch how well the model does on its own words, such as
  /// {"val_bleu", 31.5}.
  std::function<Logs(const Seq2Seq&)> score = {};
  /// Says which epoch's weights are kept: val_loss, or a name that `score` gives, of which greater
  /// is better.
  std::string monitor = "val_loss";
  std::function<void(const Seq2SeqReport&)> planned = {};  ///< told before training begins
  Progress progress = {};
  std::function<bool()> interrupted = {};
  std::vector<std::shared_ptr<Callback>> callbacks = {};
};

struct Seq2SeqReport {
  Index parameters = 0;
  Index pairs = 0;     ///< that are learnt
  Index too_long = 0;  ///< pairs that are not
  Index steps_per_epoch = 0;
  History history;
  Index best_epoch = -1;  ///< whose weights were kept, from 0
  bool stopped = false, interrupted = false;
};

/// Trains; the weights of the best epoch are kept.
/// Throws: Error (value) for an option outside its range, ids that are not in the vocabularies,
///   lists of different lengths, no pairs, and a loss that is no longer finite.
Seq2SeqReport train(const Seq2Seq& model, const Seq2SeqPairs& pairs,
                    const Seq2SeqTraining& options = {});

}  // namespace unroll
