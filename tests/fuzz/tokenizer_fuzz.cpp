// Any bytes as texts, options and JSON of a Tokenizer: results or a refusal, never anything else.
//
// The first three bytes choose the options, the rest is text, a new one after each zero byte. Build
// with clang and -fsanitize=fuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "unroll/error.h"
#include "unroll/sequences.h"
#include "unroll/text_json.h"

namespace {

using unroll::TokenizerOptions;

TokenizerOptions options_of(std::uint8_t first, std::uint8_t second, std::uint8_t third) {
  const std::string separators[] = {" ", "ab", "→", "", "\n", "aa", ",", "e"};
  const std::string filters[] = {std::string(unroll::default_filters), "", "→é", "abc"};
  TokenizerOptions options;
  options.split = separators[first % 8];
  options.filters = filters[first / 8 % 4];
  options.lower = first / 32 % 2 == 0;
  options.char_level = first / 64 % 2 == 1;
  if (first / 128 == 1) options.oov_token = second % 2 == 0 ? "a" : "<oov>";
  options.invalid_utf8 =
      second / 2 % 2 == 0 ? unroll::InvalidUtf8::refuse : unroll::InvalidUtf8::replace;
  options.num_words = third % 16;
  return options;
}

std::vector<std::string> texts_of(std::string_view bytes) {
  std::vector<std::string> texts;
  while (true) {
    const auto end = bytes.find('\0');
    texts.emplace_back(bytes.substr(0, end));
    if (end == std::string_view::npos) return texts;
    bytes.remove_prefix(end + 1);
  }
}

template <class F>
void tried(F call) {
  try {
    call();
  } catch (const unroll::Error&) {
  }
}

void check(bool holds) {
  if (!holds) std::abort();
}

void fit_and_encode(const std::vector<std::string>& texts, const TokenizerOptions& options) {
  unroll::Tokenizer tokenizer(options);
  tokenizer.fit_on_texts(texts);
  const unroll::Sequences sequences = tokenizer.texts_to_sequences(texts);
  check(sequences.size() == texts.size());
  static_cast<void>(tokenizer.sequences_to_texts(sequences));
  tried([&] { static_cast<void>(tokenizer.sequences_to_matrix(sequences, "tfidf")); });
  static_cast<void>(unroll::pad_sequences(sequences, {.maxlen = 5}));
  const auto again =
      unroll::tokenizer_from_json(to_json(tokenizer), {.invalid_utf8 = options.invalid_utf8});
  check(again.texts_to_sequences(texts) == sequences);
  check(to_json(again) == to_json(tokenizer));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  tried([&] { fit_and_encode(texts_of(bytes), options_of(data[0], data[1], data[2])); });
  tried([&] { static_cast<void>(unroll::tokenizer_from_json(bytes)); });
  return 0;
}
