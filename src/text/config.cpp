// Tokenizers taken apart and put together.
#include <algorithm>
#include <limits>

#include "src/text/tokenizer_state.h"

namespace unroll {

using detail::TokenizerState;

namespace {

Error refusal(const std::string& what, std::string_view got) {
  return Error(ErrorKind::value, "Tokenizer: " + what, {.got = std::string(got)});
}

void check_count(Index count, const std::string& of) {
  if (count < 0) throw refusal(of + " may not be negative", std::to_string(count));
}

/// A word's or document's number. Throws: Error (value).
std::int32_t checked_number(Index number, const std::string& of) {
  if (number >= 0 && number <= std::numeric_limits<std::int32_t>::max()) {
    return static_cast<std::int32_t>(number);
  }
  throw refusal(of + " is not between 0 and 2147483647", std::to_string(number));
}

std::uint32_t checked_word(TokenizerState& state, const std::string& word) {
  text::check_utf8(word, [] { return std::string("Tokenizer: a word"); });
  return state.intern(word);
}

std::string quoted(std::string_view word) { return "\"" + std::string(word.substr(0, 60)) + "\""; }

void take_counts(TokenizerState& state, const TokenizerConfig& config) {
  for (const auto& [word, count] : config.word_counts) {
    const std::uint32_t entry = checked_word(state, word);
    if (count < 1) throw refusal("a word's count must be at least 1", quoted(word));
    if (state.seen[entry].count != 0) throw refusal("word_counts has a word twice", quoted(word));
    state.seen[entry].count = count;
    state.counted.push_back(entry);
  }
  for (const auto& [word, documents] : config.word_docs) {
    const auto found = state.words.find(word);
    if (!found) throw refusal("word_docs has a word that word_counts lacks", quoted(word));
    if (documents < 1) throw refusal("a word occurs in at least 1 text", quoted(word));
    if (state.seen[*found].documents != 0) {
      throw refusal("word_docs has a word twice", quoted(word));
    }
    state.seen[*found].documents = documents;
  }
}

void take_numbers(TokenizerState& state, const TokenizerConfig& config) {
  for (const auto& [word, number] : config.word_index) {
    const std::uint32_t entry = checked_word(state, word);
    if (state.numbers[entry] >= 0) throw refusal("word_index has a word twice", quoted(word));
    state.numbers[entry] = checked_number(number, "a word's number");
    state.numbered.push_back(entry);
  }
  for (const auto& [number, word] : config.index_word) {
    state.by_number.emplace_back(checked_number(number, "a word's number"),
                                 checked_word(state, word));
  }
  std::ranges::sort(state.by_number);
  const auto same =
      std::ranges::adjacent_find(state.by_number, {}, [](const auto& pair) { return pair.first; });
  if (same != state.by_number.end()) {
    throw refusal("index_word has a number twice", std::to_string(same->first));
  }
  for (const auto& [number, documents] : config.index_docs) {
    check_count(documents, "a number's documents");
    if (number < std::numeric_limits<std::int32_t>::min() ||
        number > std::numeric_limits<std::int32_t>::max()) {
      throw refusal("index_docs has a number beyond 32 bits", std::to_string(number));
    }
    state.index_docs[static_cast<std::int32_t>(number)] = documents;
  }
}

}  // namespace

Tokenizer Tokenizer::from_config(const TokenizerConfig& config) {
  Tokenizer result(config.options);
  check_count(config.document_count, "document_count");
  result.state_->document_count = config.document_count;
  take_counts(*result.state_, config);
  take_numbers(*result.state_, config);
  return result;
}

TokenizerConfig Tokenizer::get_config() const {
  TokenizerConfig config{.options = state_->options, .document_count = state_->document_count};
  const auto take = [](const WordNumbers& from, auto& into) {
    for (const auto& [word, number] : from) {
      if (number > 0) into.emplace_back(std::string(word), number);
    }
  };
  take(word_counts(), config.word_counts);
  take(word_docs(), config.word_docs);
  for (const auto& [word, number] : word_index()) {
    config.word_index.emplace_back(std::string(word), number);
  }
  // In the order of word_index, as Keras; then what only index_word has.
  for (const auto& [word, number] : config.word_index) {
    if (index_word(number) == word) config.index_word.emplace_back(number, word);
  }
  for (const auto& [number, entry] : state_->by_number) {
    if (state_->numbers[entry] == number) continue;
    config.index_word.emplace_back(number, std::string(state_->words[entry]));
  }
  for (const auto& [number, documents] : state_->index_docs) {
    config.index_docs.emplace_back(number, documents);
  }
  return config;
}

}  // namespace unroll
