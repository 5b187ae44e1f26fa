// Text encoders: texts become ids and ids become the same texts again.
//
//   TextEncoder encoder = TextEncoder::subwords(texts, {.size = 2000});
//   std::vector<std::int32_t> ids = encoder.encode("To be, or not to be");
//   std::string text = encoder.decode(ids);           // the same text
//   Embedding(encoder.size(), 64)                     // ids are 0 .. size() - 1
//
// Characters, words and subwords have one interface. Each is reversible: what it encodes without an
// unknown piece it decodes to the same bytes. Texts are UTF-8.
//
// Words are cut by rules for prose. A piece is a word (letters, digits, and apostrophes between
// them), or one character of anything else: punctuation, a line end, a tab. A single blank
// between two pieces is not a piece of its own where one is usual, between two words or after
// a comma; the pieces " " and "<join>" stand where the text has a blank or none against that
// usage. Languages without blanks between words want subwords.
//
// unroll/text_json.h keeps encoders as JSON, and so in bundles; unroll/text_files.h reads and
// writes the subwords' .model files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/text.h"

namespace unroll {

enum class TextEncoderKind { characters, words, subwords };
/// "characters", "words" or "subwords".
std::string_view to_string(TextEncoderKind kind) noexcept;

struct CharactersOptions {
  bool lower = false;
  bool begin_and_end = false;  ///< has ids for the begin and the end of a text
};
struct WordsOptions {
  Index size = 0;       ///< at most so many ids, the most frequent words; 0: every word has one
  Index min_count = 1;  ///< rarer words are unknown
  bool lower = false;
  bool begin_and_end = false;
  /// Cuts as Tokenizer does: these characters become blanks, and words stand between blanks. Such
  /// texts decode to their words with a blank between them. None: prose, as above.
  std::optional<std::string> filters = {};
};

enum class SubwordsKind { bpe, unigram };
struct SubwordsOptions {
  Index size = 8000;  ///< ids wanted; short texts give fewer
  SubwordsKind kind = SubwordsKind::bpe;
  /// Characters that the texts do not have become their bytes, so that nothing is unknown. Takes
  /// 256 of the ids.
  bool byte_fallback = true;
};

namespace detail {
struct Pieces;
}

/// What an encoder of characters or words is made of.
struct TextEncoderConfig {
  TextEncoderKind kind = TextEncoderKind::characters;
  bool lower = false;
  std::optional<std::string> filters = {};  ///< of words
  std::vector<std::string> pieces = {};     ///< by id
  /// Ids of pieces that no text has; -1: none.
  std::int32_t padding = -1, unknown = -1, begin = -1, end = -1;
};

/// Texts as ids. Immutable; copies share what they know.
/// Threads: from many at once.
class TextEncoder {
 public:
  /// Every character of the texts, in the order of Unicode.
  /// Throws: Error (format) for what is not UTF-8, naming text and byte; Error (value) for texts
  ///   without a character.
  static TextEncoder characters(const Texts& texts, const CharactersOptions& options = {});
  /// Their words, the most frequent ones first, of equals the one that came first.
  /// Throws: as characters; Error (value) for options out of range.
  static TextEncoder words(const Texts& texts, const WordsOptions& options = {});
  /// Byte-pair encoding or a unigram model, learnt by SentencePiece. Blanks are U+2581 inside
  /// pieces; a U+2581 of a text becomes a blank.
  /// Throws: as characters; Error (value) for a size that cannot hold the characters; Error
  ///   (unsupported) where unroll was built without SentencePiece.
  /// Cost: about 5 s for 10 MB. Source: Sennrich et al., 2016; Kudo, 2018.
  static TextEncoder subwords(const Texts& texts, const SubwordsOptions& options = {});

  /// Of what get_config() gave. Throws: Error (value) for ids out of range, for a piece that is
  ///   empty, not UTF-8 or there twice, and for subwords.
  static TextEncoder from_config(const TextEncoderConfig& config);
  /// Requires: kind() is not subwords.
  TextEncoderConfig get_config() const;
  /// Of the bytes of a SentencePiece .model, anybody's; refusals call them `name`.
  /// Throws: Error (format) for bytes that are none, or that would lead SentencePiece astray;
  ///   Error (unsupported) for models that turn blanks into suffixes or rewrite decoded texts.
  static TextEncoder from_sentence_piece(std::string_view bytes, std::string_view name = "model");
  /// The bytes of the .model. Throws: Error (value) where kind() is not subwords.
  const std::string& sentence_piece() const;

  /// Throws: Error (format) for what is not UTF-8, naming the byte.
  std::vector<std::int32_t> encode(std::string_view text) const;
  /// The text of all ids; unknown ones are U+FFFD, padding, begin and end are nothing.
  /// Throws: Error (value) for a number that is no id.
  std::string decode(std::span<const std::int32_t> ids) const;

  TextEncoderKind kind() const noexcept;
  Index size() const noexcept;
  /// How an id is shown: "cat", "<unk>", "▁the". Throws: Error (value) for a number that is no id.
  std::string_view piece(Index id) const;
  /// The id of a piece; none where there is none.
  std::optional<std::int32_t> id(std::string_view piece) const;
  /// Ids that no text has; none where the encoder has none. Padding is 0 in encoders made here.
  std::optional<std::int32_t> padding() const noexcept;
  std::optional<std::int32_t> unknown() const noexcept;
  std::optional<std::int32_t> begin() const noexcept;
  std::optional<std::int32_t> end() const noexcept;

 private:
  friend class TextDecoder;
  explicit TextEncoder(std::shared_ptr<const detail::Pieces> pieces);

  std::shared_ptr<const detail::Pieces> pieces_;
};

/// Decodes ids one by one, as a generator makes them.
///   TextDecoder decoder(encoder);
///   std::cout << decoder.add(id);
/// Threads: one at a time.
class TextDecoder {
 public:
  explicit TextDecoder(TextEncoder encoder);
  /// The text that an id adds; may be empty. Throws: Error (value) for a number that is no id.
  std::string add(std::int32_t id);
  /// U+FFFD where the last ids were bytes that make no character yet. Ready for another text then.
  std::string finish();

 private:
  TextEncoder encoder_;
  std::int32_t last_ = -1;  ///< -1: nothing yet
  std::string bytes_;       ///< of a character that is not whole yet
};

}  // namespace unroll
