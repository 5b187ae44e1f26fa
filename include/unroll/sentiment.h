// Sentiment: is a review positive? A recurrent network beside the model that it has to beat.
//
//   ReviewParts reviews = read_reviews("aclImdb_v1.tar.gz");
//   Sentiment result = train_sentiment(reviews);
//   double positive = result.model.predict({"A film to forget."})[0];
//   for (const auto& part : explain(result.model, "A film to forget.").parts) ...
//
// The protocol. The last part of the training reviews of each label is kept apart and says when
// training ends (not one drawn at random: reviews of one film stand together, and the test reviews
// are of other films); the test reviews are only reported. The baseline is logistic regression on
// words and word pairs that naive Bayes has weighted (Wang, Manning, 2012), trained on all training
// reviews.
//
// The model joins two: the log odds of a positive review are the sum of what the baseline says and
// of what a network says, which reads the last `length` words as vectors, in both directions, by
// GRUs whose outputs are pooled over time (their greatest and their mean values). While the network
// learns, it is given the baseline's answers to reviews that the baseline has not learnt from
// (cross-validation in five folds), and so learns what the baseline does not know.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/model.h"
#include "unroll/reviews.h"

namespace unroll {

// --- the model ---

/// What of a SentimentModel is not in its network.
struct SentimentConfig {
  bool lesson = false;  ///< reads ids as index_reviews makes them
  Index length = 400;   ///< ids that the network sees: the last ones of a review
  /// Words and word pairs ("not good") by number, from 1 on; none: the model has no input for them.
  std::vector<std::string> ngrams = {};
  Index ngram_length = 0;  ///< how many of a review are seen
};

/// A network that has learnt reviews, with what makes numbers of them. Copies share it.
/// Threads: as Model.
class SentimentModel {
 public:
  /// Throws: Error (shape) where the model does not take ids (batch, length), and (batch,
  ///   ngram_length) where there are n-grams, to one number; Error (value) for sizes below 1.
  SentimentModel(const Model& model, const TextEncoder& encoder, const SentimentConfig& config);

  /// What the network sees of texts: ids (texts, length) and, where it has n-grams, their numbers
  /// (texts, ngram_length). Throws: Error (format) for what is not UTF-8, naming text and byte.
  Tensors inputs(const std::vector<std::string>& texts) const;
  /// The probability of each text to be positive.
  /// Throws: as inputs; Error (value) for a text that is empty or too long (longest_review).
  std::vector<double> predict(const std::vector<std::string>& texts, const Progress& progress = {});
  /// The words of a text as the network sees them, one for each id that is not padding.
  std::vector<std::string> words(std::string_view text) const;

  const Model& model() const noexcept { return model_; }
  const TextEncoder& encoder() const noexcept { return encoder_; }
  const SentimentConfig& config() const noexcept { return config_; }
  /// The name of its recurrent layer, for trace().
  std::string recurrent_layer() const;

 private:
  Model model_;
  TextEncoder encoder_;
  SentimentConfig config_;
  struct Lookup;
  std::shared_ptr<const Lookup> ngrams_;  ///< null: none
};

// --- training ---

struct SentimentReport;

struct SentimentOptions {
  Index words = 20'000;  ///< ids, the most frequent words
  Index length = 400;    ///< words of a review that are seen: the last ones
  Index embedding = 32;
  std::string cell = "gru";        ///< simple_rnn, gru, lstm
  Index units = 64;                ///< in each direction
  double dropout = 0.5;            ///< before the last layer
  double embedding_dropout = 0.5;  ///< of whole channels of the word vectors
  Index epochs = 6;                ///< at most
  Index patience = 1;              ///< epochs without a better validation loss that are waited for
  Index batch_size = 32;
  double learning_rate = 1e-3;  ///< of Adam
  double validation = 0.1;      ///< share of the training reviews
  std::uint64_t seed = 7;
  int threads = 0;  ///< 0: UNROLL_THREADS, or every processor this process may use
  /// Told before training begins; the report says by then what is trained on what.
  std::function<void(const SentimentReport&)> planned = {};
  Progress progress = {};
  std::function<bool()> interrupted = {};  ///< asked after every step; true ends training
  /// Follow the fit too: backup_and_restore, loggers.
  std::vector<std::shared_ptr<Callback>> callbacks = {};
};

/// How well a model tells positive from negative reviews.
struct SentimentScore {
  std::string name;     ///< "model", "nb_logistic", "lesson"
  std::string label;    ///< "bidirectional GRU(64) beside word pairs", ...
  double accuracy = 0;  ///< on the test reviews
  double loss = 0;      ///< mean binary cross-entropy there
};

struct SentimentReport {
  bool lesson = false;
  std::string layers;  ///< "Embedding(5000, 32) > SimpleRNN(16) > Dense(1)"
  Index parameters = 0;
  Index train = 0, validation = 0, test = 0;  ///< reviews
  History history;
  Index best_epoch = -1;     ///< whose weights were kept, from 0; -1: the last one's
  bool stopped = false;      ///< by patience
  bool interrupted = false;  ///< then nothing below is filled
  std::vector<SentimentScore> scores;
};

struct Sentiment {
  SentimentModel model;
  SentimentReport report;
};

/// Trains the model and evaluates it.
/// Throws: Error (value) for an option outside its range, and for a loss that is no longer finite.
/// Cost: about 3 minutes for 25,000 reviews on two cores.
Sentiment train_sentiment(const ReviewParts& reviews, const SentimentOptions& options = {});

struct SentimentLessonOptions {
  Index epochs = 1;
  std::uint64_t seed = 7;
  int threads = 0;
  std::function<void(const SentimentReport&)> planned = {};
  Progress progress = {};
  std::function<bool()> interrupted = {};
  std::vector<std::shared_ptr<Callback>> callbacks = {};
};
/// The lesson's own protocol: 5,000 words, the last 100 of a review, padded in front; Embedding(32)
/// > SimpleRNN(16, "rnn_layer") > its last step > Dense(1); Adam, batches of 64, one epoch, the
/// last 20 % of the shuffled training reviews for validation.
/// Throws: as train_sentiment.
Sentiment train_sentiment_as_in_lesson(const ReviewParts& reviews,
                                       const SentimentLessonOptions& options = {});

// --- why ---

/// A piece of a review: a word, or what stands between words. The parts of a review are its text.
struct SentimentPart {
  std::string text;
  /// By how much the log odds of a positive review would be smaller without the word; 0 between
  /// words.
  double contribution = 0;
};
struct Explanation {
  double probability = 0;  ///< of the review to be positive
  std::vector<SentimentPart> parts;
};
/// What each word of a review does to the model's answer, found by leaving it out (occlusion) and
/// asking again; so it holds for every model, and words that say the same twice share little.
/// Throws: as predict. Cost: one prediction a word.
Explanation explain(SentimentModel& model, std::string_view text);
/// The review as a page: words coloured by what they contribute, with their numbers, and pictures
/// (SVG) below, each under its title. A whole HTML document without scripts; all text is escaped.
std::string to_html(const Explanation& explanation,
                    const std::vector<std::pair<std::string, std::string>>& pictures = {});

}  // namespace unroll
