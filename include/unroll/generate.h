// Texts for language models, and texts from them.
//
//   LanguageText text = read_language(shakespeare, {.tokens = "characters"});
//   LanguageModel model({.vocabulary = text.encoder.size()});
//   train(model, text.ids, {.learnt = text.learnt});
//   Generated more = generate(model, text.encoder, {.length = 500, .prime = "ROMEO:\n"});
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/language.h"
#include "unroll/text_encoder.h"

namespace unroll {

// --- from a text ---

struct LanguageTextOptions {
  std::string tokens = "characters";  ///< characters, words, subwords
  Index size = 0;           ///< most ids, of words and subwords; 0: every word, 2,000 subwords
  Index min_count = 2;      ///< words that are rarer in the learnt part are unknown, all one token
  bool lower = false;       ///< of characters and words
  double validation = 0.1;  ///< share of the characters, the last ones, kept for validation
  std::string name = "the text";  ///< as refusals name it
};

/// A text as a language model sees it. The encoder knows the learnt part only.
struct LanguageText {
  TextEncoder encoder;
  std::vector<std::int32_t> ids;
  Index learnt = 0;                                     ///< ids of the learnt part, the first ones
  Index learnt_characters = 0, watched_characters = 0;  ///< of the two parts
  Index unknown = 0;                                    ///< ids of the rest that stand for unknown

  /// Nats a character of the watched part for nats a token.
  double per_character(double nats) const noexcept;
};

/// Splits a text by position, for words and subwords at the next line's beginning; makes an encoder
/// of the first part and encodes both.
/// Throws: Error (value) for an empty text, one too short to be split, and options out of range;
///   Error (format) for what is not UTF-8; as the makers of TextEncoder.
LanguageText read_language(std::string_view text, const LanguageTextOptions& options = {});

// --- to a text ---

struct GenerateOptions {
  Index length = 500;                  ///< characters, unless something ends it before
  std::string prime = "\n";            ///< read first
  std::vector<std::string> stop = {};  ///< what ends the text; is not part of it
  SamplingOptions sampling = {};
  /// Told each piece as it is made: whole characters. What may be the beginning of a stop is held
  /// back until it is known. false ends the text.
  std::function<bool(std::string_view)> piece = {};
};

struct Generated {
  std::string text;      ///< without the prime
  Index characters = 0;  ///< of it
  Index tokens = 0;      ///< chosen
  std::string ended;     ///< "length", "stop" or "caller"
  double seconds = 0;    ///< for the tokens, without reading the prime
};

/// Lets a model write. Unknown, padding, begin and end are never chosen.
/// Throws: Error (value) for options out of range, an empty stop, a prime without a token, and an
///   encoder of another size than the model's vocabulary.
Generated generate(const LanguageModel& model, const TextEncoder& encoder,
                   const GenerateOptions& options = {});

}  // namespace unroll
