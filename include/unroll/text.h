// Text: texts become lists of word numbers, and these become texts or matrices again.
//
//   Tokenizer tokenizer({.num_words = 5000, .oov_token = "<OOV>"});
//   tokenizer.fit_on_texts(reviews);                          // a vector of strings
//   auto sequences = tokenizer.texts_to_sequences(reviews);   // (reviews; words of each)
//   Tensor ids = pad_sequences(sequences, {.maxlen = 100});   // unroll/sequences.h
//
// The words, their numbers and their order are those of Keras's Tokenizer. Texts are UTF-8; letters
// are lower-cased as Unicode says, including the final sigma and the dotted capital I.
// unroll/text_json.h keeps tokenizers as Keras's JSON.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "unroll/tensor.h"

namespace unroll {

/// Keras's filters: ASCII punctuation but the apostrophe, tab and newline.
inline constexpr std::string_view default_filters = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";

/// What becomes of bytes that are not UTF-8: an Error, or U+FFFD for each maximal part of a
/// character (as in Python's decode(errors="replace")).
enum class InvalidUtf8 { refuse, replace };

struct TextToWordSequenceOptions {
  std::string filters = std::string(default_filters);  ///< characters that become `split`
  bool lower = true;
  std::string split = " ";  ///< what stands between words
  InvalidUtf8 invalid_utf8 = InvalidUtf8::refuse;
};

/// The words of a text, empty ones left out.
/// Throws: Error (value) for an empty split; Error (format) for what is not UTF-8, naming the byte.
std::vector<std::string> text_to_word_sequence(std::string_view text,
                                               const TextToWordSequenceOptions& options = {});

/// A text among others in a list: {"one", name, view}.
class Text : public std::string_view {
 public:
  Text(const char* text) : std::string_view(text) {}
  Text(const std::string& text) : std::string_view(text) {}
  Text(std::string_view text) : std::string_view(text) {}
};

/// The texts of one call: strings, or lists of words that are taken as words as they stand. It
/// points to them; they have to live as long as the call.
class Texts {
 public:
  Texts(std::initializer_list<Text> texts) : texts_(std::span(texts.begin(), texts.size())) {}
  Texts(const std::vector<std::string>& texts) : texts_(std::span(texts)) {}
  Texts(const std::vector<std::string_view>& texts) : texts_(std::span(texts)) {}
  Texts(const std::vector<std::vector<std::string>>& lists) : texts_(std::span(lists)) {}
  Texts(std::span<const std::string> texts) : texts_(texts) {}
  Texts(std::span<const std::string_view> texts) : texts_(texts) {}

  std::size_t size() const noexcept;
  /// Whether they are lists of words.
  bool are_lists() const noexcept { return texts_.index() == 3; }
  /// Requires: i < size(), and are_lists() for words, !are_lists() for text.
  std::string_view text(std::size_t i) const noexcept;
  std::span<const std::string> words(std::size_t i) const noexcept;

 private:
  std::variant<std::span<const Text>, std::span<const std::string>,
               std::span<const std::string_view>, std::span<const std::vector<std::string>>>
      texts_;
};

/// Lists of word numbers, one for each text; pad_sequences makes a tensor of them.
using Sequences = std::vector<std::vector<std::int32_t>>;

/// What a matrix holds for a word of a text: 1; how often it occurs; that by the text's number of
/// words; (1 + ln count) ln(1 + documents / (1 + documents with the word)).
enum class MatrixModeKind { binary, count, freq, tfidf };

/// A mode named by a literal that the compiler checks.
class MatrixMode {
 public:
  constexpr MatrixMode(MatrixModeKind kind = MatrixModeKind::binary) noexcept : kind_(kind) {}
  consteval MatrixMode(const char* name) : kind_(find(name)) {}
  constexpr MatrixModeKind kind() const noexcept { return kind_; }

 private:
  static consteval MatrixModeKind find(std::string_view name) {
    if (name == "binary") return MatrixModeKind::binary;
    if (name == "count") return MatrixModeKind::count;
    if (name == "freq") return MatrixModeKind::freq;
    if (name == "tfidf") return MatrixModeKind::tfidf;
    throw "a matrix holds \"binary\", \"count\", \"freq\" or \"tfidf\"";
  }

  MatrixModeKind kind_;
};

struct TokenizerOptions {
  Index num_words = 0;  ///< numbers from this one on are left out of sequences; 0: none are
  std::string filters = std::string(default_filters);  ///< characters that become `split`
  bool lower = true;
  std::string split = " ";  ///< what stands between words
  /// Every character is a word; nothing is filtered.
  bool char_level = false;
  /// Has number 1, and stands for words that are unknown or left out; none: they vanish.
  std::optional<std::string> oov_token = {};
  /// Makes words of a text instead of filters, lower and split.
  std::function<std::vector<std::string>(std::string_view)> analyzer = {};
  InvalidUtf8 invalid_utf8 = InvalidUtf8::refuse;
};

/// All that a Tokenizer has learned, as its JSON holds it. Dictionaries are lists in their order.
struct TokenizerConfig {
  TokenizerOptions options = {};
  Index document_count = 0;
  std::vector<std::pair<std::string, Index>> word_counts = {}, word_docs = {}, word_index = {};
  std::vector<std::pair<Index, std::string>> index_word = {};
  std::vector<std::pair<Index, Index>> index_docs = {};
};

namespace detail {
struct TokenizerState;
}

/// A dictionary of words and numbers, in the order that a Python dict would have. A view: any
/// change of its tokenizer ends it.
class WordNumbers {
 public:
  struct Entry {
    std::string_view word;
    Index number;
  };

  Index size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  /// Requires: 0 <= i < size().
  Entry entry(Index i) const noexcept;
  bool contains(std::string_view word) const noexcept { return find(word).has_value(); }
  std::optional<Index> find(std::string_view word) const noexcept;
  /// Throws: Error (value) for a word that is not in it.
  Index operator[](std::string_view word) const;

  class Iterator {
   public:
    Entry operator*() const noexcept { return WordNumbers(*state_, kind_).entry(i_); }
    Iterator& operator++() noexcept {
      ++i_;
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return i_ == other.i_; }

   private:
    friend class WordNumbers;
    const detail::TokenizerState* state_ = nullptr;
    int kind_ = 0;
    Index i_ = 0;
  };
  Iterator begin() const noexcept { return iterator(0); }
  Iterator end() const noexcept { return iterator(size()); }

 private:
  friend class Tokenizer;
  WordNumbers(const detail::TokenizerState& state, int kind) noexcept
      : state_(&state), kind_(kind) {}
  Iterator iterator(Index i) const noexcept {
    Iterator result;
    result.state_ = state_;
    result.kind_ = kind_;
    result.i_ = i;
    return result;
  }

  const detail::TokenizerState* state_;
  int kind_;
};

/// Gives words numbers: 1 for the most frequent one, of equals for the one that came first. 0 is
/// nobody's: it pads. Copies are deep.
/// Texts are counted from 0 in refusals, bytes too.
/// Threads: const functions from many at once, if the analyzer allows it.
class Tokenizer {
 public:
  /// Throws: Error (value) for a negative num_words, an empty split where it would be used;
  ///   Error (format) where filters, split or oov_token are not UTF-8.
  explicit Tokenizer(const TokenizerOptions& options = {});
  /// One that has learned already.
  /// Throws: as the constructor; Error (value) for numbers out of range, for a word in word_docs
  ///   that word_counts lacks, and for what a dictionary has twice.
  static Tokenizer from_config(const TokenizerConfig& config);
  Tokenizer(const Tokenizer& other);
  Tokenizer(Tokenizer&& other) noexcept;
  Tokenizer& operator=(const Tokenizer& other);
  Tokenizer& operator=(Tokenizer&& other) noexcept;
  ~Tokenizer();

  /// Counts the words, in addition to those counted before, and numbers them anew.
  /// Throws: Error (format) for what is not UTF-8, naming text and byte; nothing is counted then.
  /// Cost: sorts the vocabulary each time: give many texts at once. Memory is the vocabulary's and
  ///   that of one text.
  void fit_on_texts(const Texts& texts);
  /// Counts in how many sequences a number occurs: all that "tfidf" needs where there are no texts.
  void fit_on_sequences(const Sequences& sequences);

  /// Throws: Error (format) as fit_on_texts; Error (value) where there is an oov_token, but nothing
  ///   was fitted.
  Sequences texts_to_sequences(const Texts& texts) const;
  /// The words of each sequence, a blank between them; numbers without a word become the oov_token
  /// or vanish. Throws: Error (value) as above.
  std::vector<std::string> sequences_to_texts(const Sequences& sequences) const;
  /// A row for each text and a column for each number, below num_words or all: (texts, columns).
  /// Throws: Error (value) where neither num_words nor fitted words say how many columns, for
  ///   "tfidf" before anything was fitted, for a negative number in a sequence.
  Tensor texts_to_matrix(const Texts& texts, MatrixMode mode = {},
                         DType dtype = DType::float32) const;
  Tensor sequences_to_matrix(const Sequences& sequences, MatrixMode mode = {},
                             DType dtype = DType::float32) const;

  const TokenizerOptions& options() const noexcept;
  /// Texts and sequences that were fitted.
  Index document_count() const noexcept;
  /// How often each word occurred, by first appearance; in how many texts it did.
  WordNumbers word_counts() const noexcept;
  WordNumbers word_docs() const noexcept;
  /// The words' numbers, the oov_token's first, then by frequency. Holds words above num_words too.
  WordNumbers word_index() const noexcept;
  /// The word of a number; none where it has none.
  std::optional<std::string_view> index_word(Index index) const noexcept;
  /// In how many texts and sequences a number occurred.
  const std::map<std::int32_t, Index>& index_docs() const noexcept;
  TokenizerConfig get_config() const;

 private:
  std::unique_ptr<detail::TokenizerState> state_;
};

}  // namespace unroll
