#include <algorithm>

#include "src/text/tokenizer_state.h"

namespace unroll {

using detail::TokenizerState;

Tokenizer::Tokenizer(const TokenizerOptions& options)
    : state_(std::make_unique<TokenizerState>(options)) {}
Tokenizer::Tokenizer(const Tokenizer& other)
    : state_(std::make_unique<TokenizerState>(*other.state_)) {}
Tokenizer::Tokenizer(Tokenizer&& other) noexcept = default;
Tokenizer& Tokenizer::operator=(const Tokenizer& other) { return *this = Tokenizer(other); }
Tokenizer& Tokenizer::operator=(Tokenizer&& other) noexcept = default;
Tokenizer::~Tokenizer() = default;

void Tokenizer::fit_on_texts(const Texts& texts) {
  state_->check(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    state_->each_batch(texts, i,
                       [this](std::span<const std::string_view> words) { state_->count(words); });
    ++state_->documents_seen;
    ++state_->document_count;
  }
  state_->number();
}

void Tokenizer::fit_on_sequences(const Sequences& sequences) {
  for (std::vector<std::int32_t> numbers : sequences) {
    std::ranges::sort(numbers);
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    for (const std::int32_t number : numbers) ++state_->index_docs[number];
  }
  state_->document_count += static_cast<Index>(sequences.size());
}

Sequences Tokenizer::texts_to_sequences(const Texts& texts) const {
  state_->check(texts);
  const auto oov = state_->oov_number();
  Sequences result(texts.size());
  std::vector<std::int32_t> numbers;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    numbers.clear();
    state_->each_batch(texts, i, [&](std::span<const std::string_view> words) {
      state_->append_numbers(words, oov, numbers);
    });
    result[i].assign(numbers.begin(), numbers.end());
  }
  return result;
}

std::vector<std::string> Tokenizer::sequences_to_texts(const Sequences& sequences) const {
  const auto oov = state_->oov_number();
  std::vector<std::string> texts(sequences.size());
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    bool first = true;
    for (const std::int32_t number : sequences[i]) {
      auto entry = state_->entry_of(number);
      if (!entry || state_->left_out(number)) {
        if (!oov) continue;
        entry = state_->entry_of(*oov);
      }
      if (!first) texts[i] += ' ';
      first = false;
      if (entry) texts[i] += state_->words[*entry];
    }
  }
  return texts;
}

const TokenizerOptions& Tokenizer::options() const noexcept { return state_->options; }
Index Tokenizer::document_count() const noexcept { return state_->document_count; }
std::optional<std::string_view> Tokenizer::index_word(Index index) const noexcept {
  const auto entry = state_->entry_of(index);
  if (!entry) return std::nullopt;
  return state_->words[*entry];
}
const std::map<std::int32_t, Index>& Tokenizer::index_docs() const noexcept {
  return state_->index_docs;
}

}  // namespace unroll
