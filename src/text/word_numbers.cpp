// A tokenizer's dictionaries as lists to walk through.
#include "src/text/tokenizer_state.h"

namespace unroll {

namespace {

enum Kind { counts, documents, numbers };

Index number_of(const detail::TokenizerState& state, std::uint32_t entry, int kind) noexcept {
  if (kind == counts) return state.seen[entry].count;
  return kind == documents ? state.seen[entry].documents : state.numbers[entry];
}

const std::vector<std::uint32_t>& order(const detail::TokenizerState& state, int kind) noexcept {
  return kind == numbers ? state.numbered : state.counted;
}

}  // namespace

Index WordNumbers::size() const noexcept {
  return static_cast<Index>(order(*state_, kind_).size());
}

WordNumbers::Entry WordNumbers::entry(Index i) const noexcept {
  const std::uint32_t entry = order(*state_, kind_)[static_cast<std::size_t>(i)];
  return {.word = state_->words[entry], .number = number_of(*state_, entry, kind_)};
}

std::optional<Index> WordNumbers::find(std::string_view word) const noexcept {
  const auto found = state_->words.find(word);
  if (!found) return std::nullopt;
  // The oov_token has a number, but need not have been counted; other words may have no number.
  if (kind_ == numbers ? state_->numbers[*found] < 0 : state_->seen[*found].count == 0)
    return std::nullopt;
  return number_of(*state_, *found, kind_);
}

Index WordNumbers::operator[](std::string_view word) const {
  if (const auto number = find(word)) return *number;
  throw Error(ErrorKind::value, "the tokenizer does not know this word",
              {.got = "\"" + std::string(word.substr(0, 60)) + "\""});
}

WordNumbers Tokenizer::word_counts() const noexcept { return {*state_, counts}; }
WordNumbers Tokenizer::word_docs() const noexcept { return {*state_, documents}; }
WordNumbers Tokenizer::word_index() const noexcept { return {*state_, numbers}; }

}  // namespace unroll
