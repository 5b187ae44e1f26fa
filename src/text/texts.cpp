#include "src/text/cutter.h"
#include "src/text/lower.h"
#include "src/text/utf8.h"
#include "unroll/text.h"

namespace unroll {

std::size_t Texts::size() const noexcept {
  return std::visit([](const auto& texts) { return texts.size(); }, texts_);
}

std::string_view Texts::text(std::size_t i) const noexcept {
  return std::visit(
      [i](const auto& texts) -> std::string_view {
        if constexpr (std::is_convertible_v<decltype(texts[i]), std::string_view>) {
          return texts[i];
        } else {
          return {};
        }
      },
      texts_);
}

std::span<const std::string> Texts::words(std::size_t i) const noexcept {
  const auto* lists = std::get_if<std::span<const std::vector<std::string>>>(&texts_);
  return lists != nullptr ? std::span<const std::string>((*lists)[i])
                          : std::span<const std::string>();
}

std::vector<std::string> text_to_word_sequence(std::string_view text,
                                               const TextToWordSequenceOptions& options) {
  text::check_utf8(options.filters, [] { return std::string("text_to_word_sequence: filters"); });
  text::check_utf8(options.split, [] { return std::string("text_to_word_sequence: split"); });
  const text::Cutter cutter(options.filters, options.split);
  std::string repaired, lowered, filtered;
  if (options.invalid_utf8 == InvalidUtf8::replace) {
    repaired = text::with_replacements(text);
    text = repaired;
  } else {
    text::check_utf8(text, [] { return std::string("text_to_word_sequence: the text"); });
  }
  if (options.lower) {
    text::lower_case(text, lowered);
    text = lowered;
  }
  std::vector<std::string> words;
  cutter.words(text, filtered, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

}  // namespace unroll
