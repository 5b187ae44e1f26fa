// Translation: texts in one language become texts in another, learnt from sentences in both.
//
//   Translated done = train_translator({.train = read_parallel("train.de", "train.en"),
//                                       .validation = read_parallel("val.de", "val.en")});
//   std::cout << done.translator.translate({"Ein Hund schläft."})[0][0].text << "\n";
//
// Nothing here knows of languages: questions and answers are learnt just so.
#pragma once

#include <string>
#include <vector>

#include "unroll/bleu.h"
#include "unroll/seq2seq.h"
#include "unroll/text_encoder.h"

namespace unroll {

/// Sentences, and what they are in the other language.
struct ParallelTexts {
  std::vector<std::string> source, target;
};
/// Two files (plain or gzip) or URLs of one sentence a line.
/// Throws: Error (file) for what cannot be read; Error (format) for what is not UTF-8, no lines,
/// and
///   different numbers of lines.
ParallelTexts read_parallel(const std::string& source, const std::string& target);

/// A translation, as words too.
struct Translation {
  std::string text;
  double score = 0;  ///< as Decoded::score
  bool ended = true;
  /// The pieces that were read and written, each with its end, beside Decoded::attention (written,
  /// read); empty unless asked for.
  std::vector<std::string> read, written;
  Tensor attention;
};

/// A model with what makes numbers of texts. Copies share it. Threads: as Seq2Seq.
class Translator {
 public:
  /// Throws: Error (value) for encoders of other sizes than the model's vocabularies.
  Translator(const Seq2Seq& model, const TextEncoder& source, const TextEncoder& target);

  /// The best translations of each text, best first.
  /// Throws: Error (format) for what is not UTF-8, naming text and byte; as Seq2Seq::decode.
  std::vector<std::vector<Translation>> translate(const std::vector<std::string>& texts,
                                                  const DecodeOptions& options = {}) const;
  /// The best of each alone.
  std::vector<std::string> best(const std::vector<std::string>& texts,
                                const DecodeOptions& options = {}) const;

  const Seq2Seq& model() const noexcept { return model_; }
  const TextEncoder& source() const noexcept { return source_; }
  const TextEncoder& target() const noexcept { return target_; }

 private:
  Seq2Seq model_;
  TextEncoder source_, target_;
};

// --- training ---

struct TranslationData {
  ParallelTexts train, validation;
  ParallelTexts test = {};  ///< reported only; may be empty
};

struct TranslationReport;

struct TranslationOptions {
  std::string tokens = "subwords";  ///< subwords, words
  Index vocabulary = 6000;          ///< ids, at most; of words 0: all
  Index min_count = 2;              ///< rarer words are unknown
  bool lower = false;               ///< of words
  /// One vocabulary, and so one table of vectors, for both sides.
  bool joint = true;
  Seq2SeqOptions model = {};      ///< without the vocabularies, begin, end and shared_vocabulary
  Seq2SeqTraining training = {};  ///< without validation, score, monitor and planned
  Index beam = 5;                 ///< of the test, beside greedy
  double length_penalty = 1;
  std::function<void(const TranslationReport&)> planned = {};
  /// Says which epoch's weights are kept: val_bleu, val_exact (both on the model's own words) or
  /// val_loss (forced). BLEU says nothing of texts of fewer than four tokens: where all are so
  /// short, val_loss takes the place of val_bleu.
  std::string monitor = "val_bleu";
};

/// How well texts were translated.
struct TranslationScore {
  std::string name;  ///< "greedy", "beam", "copy", "nearest"
  std::string label;
  Bleu bleu;
  double exact = 0;  ///< share of the texts that are the reference to the letter
};
TranslationScore score_texts(const std::vector<std::string>& texts,
                             const std::vector<std::string>& references);

struct TranslationReport {
  Index train = 0, validation = 0, test = 0;  ///< pairs
  Index vocabulary = 0, target_vocabulary = 0;
  Seq2SeqReport fit;
  double test_seconds = 0;
  std::vector<TranslationScore> scores;  ///< on the test pairs; none where it was interrupted
};

struct Translated {
  Translator translator;
  TranslationReport report;
};

/// Learns encoders and a model. After every epoch the history has val_loss (forced) and, on the
/// model's own words, val_bleu and val_exact; the weights of the best epoch are kept.
/// Throws: as train and the makers of TextEncoder; Error (value) for an option outside its range.
Translated train_translator(const TranslationData& data, const TranslationOptions& options = {});

/// For each text the target of the training source that is most like it: cosine of words weighted
/// by how rare they are (tf-idf). What a translator has to beat.
std::vector<std::string> nearest_targets(const ParallelTexts& train,
                                         const std::vector<std::string>& texts);

}  // namespace unroll
