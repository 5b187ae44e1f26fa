// What a Tokenizer knows, and how it reads texts.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "src/text/cutter.h"
#include "src/text/lower.h"
#include "src/text/utf8.h"
#include "src/text/word_table.h"
#include "unroll/text.h"

namespace unroll::detail {

struct TokenizerState {
  TokenizerOptions options;
  std::optional<text::Cutter> cutter;  ///< none for characters and analyzers
  Index document_count = 0;
  Index documents_seen = 0;  ///< what Seen::last_document counts

  /// How often a word occurred, in how many texts, and in which one last.
  struct Seen {
    Index count = 0, documents = 0, last_document = -1;
  };
  /// Words by entry: their place in the table. A number of -1 is none.
  text::WordTable words;
  std::vector<Seen> seen;
  std::vector<std::int32_t> numbers;
  /// Entries in order of appearance; in the order of word_index.
  std::vector<std::uint32_t> counted, numbered;
  /// The words of the numbers, in ascending order.
  std::vector<std::pair<std::int32_t, std::uint32_t>> by_number;
  std::map<std::int32_t, Index> index_docs;

  explicit TokenizerState(const TokenizerOptions& given);

  /// Throws: Error (format) for the first text or word that may not be read.
  void check(const Texts& texts) const;
  /// Calls use(words) for the words of a text, up to WordTable::batch at once.
  /// Requires: check(texts). Throws: Error (format) where the analyzer's words are not UTF-8.
  template <class F>
  void each_batch(const Texts& texts, std::size_t i, F use) const;

  /// The word's entry, made where there is none.
  std::uint32_t intern(std::string_view word);
  /// Counts words of the text that is being read.
  void count(std::span<const std::string_view> some);
  /// Numbers the words by their counts.
  void number();

  /// The oov_token's number; none where there is no oov_token.
  /// Throws: Error (value) where it has no number yet.
  std::optional<std::int32_t> oov_number() const;
  /// The entry that a number stands for.
  std::optional<std::uint32_t> entry_of(Index number) const noexcept;
  /// What words are in a sequence.
  void append_numbers(std::span<const std::string_view> some, std::optional<std::int32_t> oov,
                      std::vector<std::int32_t>& sequence) const;
  bool left_out(Index number) const noexcept {
    return options.num_words > 0 && number >= options.num_words;
  }

 private:
  void make_room();
  /// The text, in lower case and repaired where the options say so.
  std::string_view readable(std::string_view text, std::string& repaired,
                            std::string& lowered) const;
  std::vector<std::string> analyzed(const Texts& texts, std::size_t i) const;
};

/// Gathers words and hands them on: use(words).
template <class F>
class Batch {
 public:
  explicit Batch(F use) : use_(use) {}
  void operator()(std::string_view word) {
    words_[size_++] = word;
    if (size_ == words_.size()) flush();
  }
  void flush() {
    if (size_ > 0) use_(std::span<const std::string_view>(words_.data(), size_));
    size_ = 0;
  }

 private:
  F use_;
  std::array<std::string_view, text::WordTable::batch> words_;
  std::size_t size_ = 0;
};

template <class F>
void TokenizerState::each_batch(const Texts& texts, std::size_t i, F use) const {
  std::string repaired, lowered, filtered;
  Batch batch(use);
  if (texts.are_lists()) {
    for (const std::string& word : texts.words(i)) {
      batch(readable(word, repaired, lowered));
      batch.flush();  // the next word takes its place
    }
  } else if (options.char_level) {
    const std::string_view text = readable(texts.text(i), repaired, lowered);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = text::decode(text, at).length;
      batch(text.substr(at, length));
      at += length;
    }
  } else if (options.analyzer) {
    const auto words = analyzed(texts, i);
    for (const std::string& word : words) batch(word);
    batch.flush();
  } else {
    const std::string_view text = readable(texts.text(i), repaired, lowered);
    cutter->words(text, filtered, [&batch](std::string_view word) { batch(word); });
  }
  batch.flush();
}

}  // namespace unroll::detail
