#include "src/text/tokenizer_state.h"

#include <algorithm>

namespace unroll::detail {

namespace {

void check_option(const std::string& value, const char* option) {
  text::check_utf8(value, [&] { return std::string("Tokenizer: ") + option; });
}

std::string named(std::size_t i) { return "text " + std::to_string(i); }
std::string named(std::size_t i, std::size_t k) {
  return "word " + std::to_string(k) + " of " + named(i);
}

}  // namespace

TokenizerState::TokenizerState(const TokenizerOptions& given) : options(given) {
  if (options.num_words < 0) {
    throw Error(ErrorKind::value, "Tokenizer: num_words must not be negative",
                {.got = std::to_string(options.num_words), .want = "0 for all words, or more"});
  }
  check_option(options.filters, "filters");
  check_option(options.split, "split");
  if (options.oov_token) check_option(*options.oov_token, "oov_token");
  if (!options.char_level && !options.analyzer) cutter.emplace(options.filters, options.split);
}

void TokenizerState::check(const Texts& texts) const {
  if (options.invalid_utf8 == InvalidUtf8::replace) return;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts.are_lists()) {
      const auto list = texts.words(i);
      for (std::size_t k = 0; k < list.size(); ++k) {
        text::check_utf8(list[k], [&] { return "Tokenizer: " + named(i, k); });
      }
    } else if (options.char_level || !options.analyzer) {
      text::check_utf8(texts.text(i), [&] { return "Tokenizer: " + named(i); });
    }
  }
}

std::string_view TokenizerState::readable(std::string_view text, std::string& repaired,
                                          std::string& lowered) const {
  if (options.invalid_utf8 == InvalidUtf8::replace && text::first_invalid(text)) {
    repaired = text::with_replacements(text);
    text = repaired;
  }
  if (!options.lower) return text;
  text::lower_case(text, lowered);
  return lowered;
}

std::vector<std::string> TokenizerState::analyzed(const Texts& texts, std::size_t i) const {
  auto words = options.analyzer(texts.text(i));
  for (std::size_t k = 0; k < words.size(); ++k) {
    if (options.invalid_utf8 == InvalidUtf8::replace) {
      if (text::first_invalid(words[k])) words[k] = text::with_replacements(words[k]);
    } else {
      text::check_utf8(words[k],
                       [&] { return "Tokenizer: " + named(i, k) + ", as the analyzer gives it,"; });
    }
  }
  return words;
}

void TokenizerState::make_room() {
  seen.resize(words.size());
  numbers.resize(words.size(), -1);
}

std::uint32_t TokenizerState::intern(std::string_view word) {
  const std::uint32_t entry = words.intern(word);
  make_room();
  return entry;
}

void TokenizerState::count(std::span<const std::string_view> some) {
  std::array<std::uint32_t, text::WordTable::batch> entries;
  words.intern(some, entries.data());
  make_room();
  for (std::size_t i = 0; i < some.size(); ++i) {
    Seen& known = seen[entries[i]];
    if (known.count++ == 0) counted.push_back(entries[i]);
    if (known.last_document != documents_seen) {
      known.last_document = documents_seen;
      ++known.documents;
    }
  }
}

void TokenizerState::number() {
  std::ranges::fill(numbers, -1);
  numbered.clear();
  if (options.oov_token) numbered.push_back(intern(*options.oov_token));
  auto by_count = counted;
  std::ranges::stable_sort(by_count, std::greater{},
                           [this](std::uint32_t entry) { return seen[entry].count; });
  std::int32_t next = 1;
  if (options.oov_token) numbers[numbered[0]] = next++;
  for (const std::uint32_t entry : by_count) {
    // An oov_token that is also a word of the texts keeps the later number, as in Keras.
    if (numbers[entry] < 0) numbered.push_back(entry);
    numbers[entry] = next++;
  }
  by_number.clear();
  for (const std::uint32_t entry : numbered) by_number.emplace_back(numbers[entry], entry);
  std::ranges::sort(by_number);
  for (const std::uint32_t entry : counted) {
    index_docs[numbers[entry]] = seen[entry].documents;
  }
}

std::optional<std::int32_t> TokenizerState::oov_number() const {
  if (!options.oov_token) return std::nullopt;
  const auto entry = words.find(*options.oov_token);
  if (entry && numbers[*entry] >= 0) return numbers[*entry];
  throw Error(ErrorKind::value,
              "Tokenizer: nothing was fitted, so that the oov_token has no number",
              {.hint = "tokenizer.fit_on_texts(texts) first"});
}

void TokenizerState::append_numbers(std::span<const std::string_view> some,
                                    std::optional<std::int32_t> oov,
                                    std::vector<std::int32_t>& sequence) const {
  std::array<std::uint32_t, text::WordTable::batch> entries;
  words.find(some, entries.data());
  for (std::size_t i = 0; i < some.size(); ++i) {
    const std::int32_t number = entries[i] == text::WordTable::none ? -1 : numbers[entries[i]];
    if (number >= 0 && !left_out(number)) {
      sequence.push_back(number);
    } else if (oov) {
      sequence.push_back(*oov);
    }
  }
}

std::optional<std::uint32_t> TokenizerState::entry_of(Index number) const noexcept {
  // Mostly they are 1, 2, 3, ...
  const auto guess = static_cast<std::size_t>(number - 1);
  if (guess < by_number.size() && by_number[guess].first == number) return by_number[guess].second;
  const auto found = std::ranges::lower_bound(by_number, number, {},
                                              [](const auto& pair) { return Index{pair.first}; });
  if (found == by_number.end() || found->first != number) return std::nullopt;
  return found->second;
}

}  // namespace unroll::detail
