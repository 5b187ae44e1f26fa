// The next word: what a network and an n-gram together take it to be.
//
//   Completer completer(model, encoder, Ngram(ids, encoder.size()), 0.7);
//   for (const Suggestion& s : completer.suggest("To be, or not to", 5)) ...
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/generate.h"
#include "unroll/ngram.h"

namespace unroll {

/// A word and its probability among all words that may stand there.
struct Suggestion {
  std::string word;
  double probability = 0;
};

/// Suggests words. With an encoder of words a suggestion is one of its pieces; with subwords it is
/// several pieces up to a word's end, looked for among the most probable ones (a beam of 16).
/// Threads: one at a time.
class Completer {
 public:
  /// `weight` is the network's share, the rest is the n-gram's.
  /// Throws: Error (value) for a weight outside 0 to 1, vocabularies of different sizes, and an
  ///   encoder of characters.
  Completer(LanguageModel model, TextEncoder encoder, Ngram ngram, double weight);

  /// The most probable words after a text, best first. Where the text ends within a word, those
  /// that begin like it, with their probabilities among these. Words only: no punctuation, no line
  /// ends, nothing unknown. Throws: Error (format) for what is not UTF-8.
  std::vector<Suggestion> suggest(std::string_view text, Index count = 5);

  const LanguageModel& model() const noexcept { return model_; }
  const TextEncoder& encoder() const noexcept { return encoder_; }
  const Ngram& ngram() const noexcept { return ngram_; }
  double weight() const noexcept { return weight_; }

 private:
  /// A beginning of a word, in pieces.
  struct Beginning {
    std::vector<std::int32_t> ids;
    std::string word;
    double probability = 1;
  };

  std::vector<double> next(std::span<const std::int32_t> ids);
  std::vector<Suggestion> words(std::span<const std::int32_t> ids, std::string_view prefix);
  std::vector<Suggestion> joined_subwords(std::span<const std::int32_t> ids,
                                          std::string_view prefix);
  std::vector<std::vector<double>> next_of(std::span<const std::int32_t> ids,
                                           const std::vector<Beginning>& beginnings);

  LanguageModel model_;
  TextEncoder encoder_;
  Ngram ngram_;
  double weight_;
  LanguageReader reader_;
  std::vector<std::int32_t> read_;  // by the reader, since it forgot everything
  std::vector<float> logits_;
};

/// How well the next token was foretold.
struct CompletionScore {
  LanguageScore score;
  /// How often the token was among the 1, 3, 5 most probable ones; unknown is never right.
  std::array<double, 3> accuracy{};
};
inline constexpr std::array<Index, 3> accuracy_ranks{1, 3, 5};

/// The network, the n-gram and the two together, on the same tokens: ids[first], ids[first + 1] ...
struct CompletionReport {
  CompletionScore network, ngram, together;
  double weight = 0;
};
/// Throws: as LanguageModel::foretell.
CompletionReport evaluate(const LanguageModel& model, const TextEncoder& encoder,
                          const Ngram& ngram, double weight, std::span<const std::int32_t> ids,
                          Index first);

}  // namespace unroll
