// Language models: a recurrent network that says, for a stream of ids, which id comes next.
//
//   LanguageModel model({.vocabulary = 65, .cell = "gru", .units = 256, .layers = 2});
//   LanguageReport report = train(model, ids, {.epochs = 20});   // first 90 %, last 10 %
//   std::cout << report.validation.bits() << " bits a token\n";
//   LanguageReader reader(model);                                // state of one reader
//   std::span<const float> logits = reader.read(ids[0]);         // of what follows ids[0]
//
// How a stream is trained: its first part is cut into `batch_size` streams of equal length, which
// are read side by side, `steps` ids at a time. States go on from one piece to the next, gradients
// do not (truncated backpropagation through time); at the start of an epoch they are zeros. So a
// row of a batch continues the same row of the batch before, and what the network has read reaches
// as far back as it can remember, not `steps` ids.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/stream.h"

namespace unroll {

// --- the model ---

struct LanguageModelOptions {
  Index vocabulary = 0;      ///< ids are 0 .. vocabulary - 1; required
  std::string cell = "gru";  ///< simple_rnn, gru, lstm
  Index units = 256;         ///< of each recurrent layer
  Index layers = 2;
  Index embedding = 64;  ///< numbers that stand for an id
  double dropout = 0.2;  ///< after every recurrent layer, while training
  /// Numbers that the last layer's outputs are brought down to before the vocabulary: for large
  /// vocabularies most of the work and of the weights lies there. 0: none.
  Index projection = 0;
};

/// How well a stream was foretold.
struct LanguageScore {
  double nats = std::numeric_limits<double>::quiet_NaN();  ///< mean of -ln p(id), a token
  Index tokens = 0;                                        ///< that were foretold
  double bits() const noexcept;
  /// e^nats: as if it had to choose among so many ids of the same probability.
  double perplexity() const noexcept;
};

/// Embedding > layers of a recurrent cell > Dense(projection) > Dense(vocabulary), which gives
/// logits.
/// Shapes: ids (batch, time) -> (batch, time, vocabulary). The recurrent layers are stateful.
/// A handle, as Model is. Threads: as Model.
class LanguageModel {
 public:
  /// Throws: Error (value) for an option outside its range.
  explicit LanguageModel(const LanguageModelOptions& options);
  /// One that has been loaded. Throws: Error (shape) where it does not take ids (batch, time) to
  /// numbers (batch, time, vocabulary).
  /// `weights`: how its readers keep kernels.
  explicit LanguageModel(const Model& model, WeightType weights = WeightType::float32);

  Model& model() const noexcept { return *model_; }
  Index vocabulary() const noexcept { return vocabulary_; }
  WeightType weights() const noexcept { return weights_; }
  /// "GRU(256) x 2".
  std::string label() const;

  /// Foretells ids[first], ids[first + 1], ... up to the end, each from all before it; no state of
  /// training is touched. The part is read as up to 32 streams side by side; each begins `context`
  /// ids before its own part (as far as there are any), so that it foretells nothing from zeros.
  /// Throws: Error (value) where nothing is to be foretold or an id is not in the vocabulary.
  LanguageScore evaluate(std::span<const std::int32_t> ids, Index first, Index context = 200) const;
  /// The same with all that might have come: calls visit(i, logits of ids[i]) once for each id, not
  /// in their order; the logits are valid during the call.
  using Visitor = std::function<void(Index i, std::span<const float> logits)>;
  void foretell(std::span<const std::int32_t> ids, Index first, const Visitor& visit,
                Index context = 200) const;
  /// ln p of ids[first], ids[first + 1], ...: what evaluate() takes the mean of.
  std::vector<double> log_probabilities(std::span<const std::int32_t> ids, Index first,
                                        Index context = 200) const;

 private:
  std::shared_ptr<Model> model_;
  Index vocabulary_ = 0;
  WeightType weights_ = WeightType::float32;
};

// --- training ---

struct LanguageReport;

struct LanguageTraining {
  double validation = 0.1;  ///< share of the ids, the last ones, that is foretold but not learnt
  Index batch_size = 64;    ///< streams read side by side
  Index steps = 100;        ///< ids between two updates
  Index epochs = 20;        ///< at most
  double learning_rate = 2e-3;  ///< of Adam: the highest
  /// cosine: up to it in `warmup` updates, then down to a hundredth along half a cosine; plateau:
  /// halved after an epoch without a better validation loss; constant.
  std::string schedule = "cosine";
  Index warmup = 200;
  double clip_norm = 1;  ///< longest gradient of all weights together
  Index patience = 4;    ///< epochs without a better validation loss before it ends
  std::uint64_t seed = 7;
  int threads = 0;  ///< 0: UNROLL_THREADS, or every processor this process may use
  /// Told before training begins; the report says by then what is trained on what.
  std::function<void(const LanguageReport&)> planned = {};
  /// Told after every epoch that was not interrupted: where samples can be shown.
  std::function<void(const LanguageModel&, Index epoch)> epoch_done = {};
  Progress progress = {};
  std::function<bool()> interrupted = {};  ///< asked after every step; true ends training
  /// Follow the fit too: backup_and_restore, loggers.
  std::vector<std::shared_ptr<Callback>> callbacks = {};
  Index learnt = 0;  ///< ids that are learnt, the first ones; 0: as many as validation leaves
};

struct LanguageReport {
  Index parameters = 0;
  Index tokens = 0;             ///< in all
  Index training_tokens = 0;    ///< the first so many: nothing after them is learnt
  Index learnt_tokens = 0;      ///< of them foretold in an epoch; what no whole step holds is not
  Index validation_tokens = 0;  ///< the rest
  Index steps_per_epoch = 0;
  /// loss (with dropout, while the weights change), val_loss, learning_rate; nats a token.
  History history;
  LanguageScore validation;  ///< of the weights that were kept
  Index best_epoch = -1;     ///< whose weights were kept, from 0
  bool stopped = false;      ///< by patience
  bool interrupted = false;  ///< then nothing was restored or measured again
};

/// Trains on the first ids of a stream and watches the loss on the last ones; the weights of the
/// best epoch are kept.
/// Throws: Error (value) for an option outside its range, an id that is not in the vocabulary, a
///   stream too short for one step, and a loss that is no longer finite; what callbacks throw.
LanguageReport train(const LanguageModel& model, std::span<const std::int32_t> ids,
                     const LanguageTraining& options = {});

// --- reading ---

/// One reader of a text: reads ids one by one and knows what may come next. It has the weights as
/// they were when it was made, packed for single steps; reading allocates nothing.
/// Threads: one at a time; several readers of one model, at once.
class LanguageReader {
 public:
  /// Throws: Error (unsupported) as PackedModel.
  explicit LanguageReader(const LanguageModel& model);
  /// Logits of what follows all that has been read; valid until the next call.
  /// Throws: Error (value) for an id that is not in the vocabulary.
  std::span<const float> read(std::int32_t id);
  /// Forgets everything.
  void reset() { session_.reset(); }

 private:
  Index vocabulary_;
  Session session_;
};

// --- sampling ---

/// How one of the possible ids is chosen. What is left out of the choice is left out in the order
/// of the fields; the most probable id is always left in.
struct SamplingOptions {
  double repetition_penalty = 1;  ///< above 1: ids among the last `penalized` become less probable
  Index penalized = 64;
  double temperature = 1;  ///< below 1: bolder for the probable; 0: always the most probable
  Index top_k = 0;         ///< only the k most probable; 0: all
  double top_p = 1;        ///< only the most probable that together have this probability
  double min_p = 0;        ///< only those at least so probable as this share of the most probable
  std::uint64_t seed = 7;  ///< the same seed gives the same choices
  std::vector<std::int32_t> never = {};  ///< ids that are not chosen
};

/// Chooses ids. Threads: one at a time.
class Sampler {
 public:
  /// Throws: Error (value) for an option outside its range.
  explicit Sampler(const SamplingOptions& options = {});
  /// An id for these logits; the random number is a function of the seed and of how many ids have
  /// been chosen before. Throws: Error (value) for logits that are not numbers.
  std::int32_t choose(std::span<const float> logits);
  /// The probabilities that choose() draws from.
  std::span<const double> probabilities(std::span<const float> logits);
  /// Tells of an id that was read but not chosen: the penalty counts it too.
  void saw(std::int32_t id);

 private:
  void penalize();
  void forbid();
  void keep_most_probable();

  SamplingOptions options_;
  std::vector<std::int32_t> recent_;
  std::vector<double> p_;
  std::vector<std::int32_t> order_;
  std::uint64_t chosen_ = 0;
};

}  // namespace unroll
