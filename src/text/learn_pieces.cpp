// The pieces that texts are made of.
#include <algorithm>
#include <numeric>

#include "src/text/cutter.h"
#include "src/text/lower.h"
#include "src/text/pieces.h"
#include "src/text/prose.h"
#include "src/text/sentence_piece.h"
#include "src/text/utf8.h"
#include "src/text/word_table.h"

namespace unroll {

namespace {

/// Calls use(text) for every text, checked; of lists for every word.
template <class F>
void each_text(const Texts& texts, bool lower, F use) {
  std::string lowered;
  const auto one = [&](std::string_view text, std::size_t i) {
    if (const auto wrong = text::first_invalid(text)) {
      throw text::not_utf8(text, *wrong, "TextEncoder: text " + std::to_string(i));
    }
    if (lower) text::lower_case(text, lowered);
    use(lower ? std::string_view(lowered) : text);
  };
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts.are_lists()) {
      one(texts.text(i), i);
      continue;
    }
    for (const std::string& word : texts.words(i)) one(word, i);
  }
}

Error nothing(const char* of) {
  return Error(ErrorKind::value, std::string("TextEncoder: texts without a ") + of,
               {.want = std::string("at least one ") + of});
}

TextEncoderConfig begun(TextEncoderKind kind, bool lower, bool begin_and_end) {
  TextEncoderConfig config{.kind = kind, .lower = lower, .pieces = {"<pad>", "<unk>"}};
  config.padding = 0;
  config.unknown = 1;
  if (!begin_and_end) return config;
  config.pieces.insert(config.pieces.end(), {"<s>", "</s>"});
  config.begin = 2;
  config.end = 3;
  return config;
}

/// Words and how often they occur.
class Count {
 public:
  void operator()(std::string_view word) {
    const std::uint32_t i = table_.intern(word);
    if (i == counts_.size()) counts_.push_back(0);
    ++counts_[i];
  }
  std::size_t size() const { return counts_.size(); }

  /// Appends the most frequent ones, up to so many pieces, that are not there yet.
  void append(std::vector<std::string>& pieces, std::size_t most, Index least_count) const {
    std::vector<std::uint32_t> order(counts_.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return counts_[a] > counts_[b]; });
    const std::vector<std::string> taken = pieces;
    for (const std::uint32_t i : order) {
      if (pieces.size() >= most || counts_[i] < least_count) break;
      const std::string_view word = table_[i];
      if (std::ranges::find(taken, word) == taken.end()) pieces.emplace_back(word);
    }
  }

 private:
  text::WordTable table_;
  std::vector<Index> counts_;
};

void count_prose(std::string_view text, Count& count) {
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view piece = text::piece_at(text, at);
    if (piece != " ") count(piece);
    at += piece.size();
  }
}

void check(const WordsOptions& options, std::size_t least) {
  if (options.size != 0 && options.size <= static_cast<Index>(least)) {
    throw Error(ErrorKind::value, "TextEncoder: size leaves no room for words",
                {.got = std::to_string(options.size),
                 .want = "0 for all words, or at least " + std::to_string(least + 1)});
  }
  if (options.min_count < 1) {
    throw Error(ErrorKind::value, "TextEncoder: min_count must be positive",
                {.got = std::to_string(options.min_count)});
  }
}

}  // namespace

TextEncoder TextEncoder::characters(const Texts& texts, const CharactersOptions& options) {
  std::vector<bool> seen(0x110000);
  each_text(texts, options.lower, [&seen](std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const text::Decoded character = text::decode(text, at);
      seen[character.code] = true;
      at += character.length;
    }
  });
  TextEncoderConfig config =
      begun(TextEncoderKind::characters, options.lower, options.begin_and_end);
  const std::size_t special = config.pieces.size();
  for (std::size_t code = 0; code < seen.size(); ++code) {
    if (!seen[code]) continue;
    config.pieces.emplace_back();
    text::append(config.pieces.back(), static_cast<char32_t>(code));
  }
  if (config.pieces.size() == special) throw nothing("character");
  return from_config(config);
}

TextEncoder TextEncoder::words(const Texts& texts, const WordsOptions& options) {
  TextEncoderConfig config = begun(TextEncoderKind::words, options.lower, options.begin_and_end);
  config.filters = options.filters;
  if (!options.filters) config.pieces.insert(config.pieces.end(), {" ", "<join>"});
  check(options, config.pieces.size());
  std::optional<text::Cutter> cutter;
  if (options.filters) {
    if (text::first_invalid(*options.filters)) return from_config(config);  // refuses them
    cutter.emplace(*options.filters, " ");
  }
  Count count;
  std::string room;
  each_text(texts, options.lower, [&](std::string_view text) {
    if (cutter) {
      cutter->words(text, room, [&count](std::string_view word) { count(word); });
    } else {
      count_prose(text, count);
    }
  });
  if (count.size() == 0) throw nothing("word");
  const std::size_t most = options.size > 0 ? static_cast<std::size_t>(options.size) : SIZE_MAX;
  count.append(config.pieces, most, options.min_count);
  return from_config(config);
}

TextEncoder TextEncoder::subwords(const Texts& texts, const SubwordsOptions& options) {
  std::vector<std::string> parts;
  each_text(texts, false, [&parts](std::string_view text) { detail::append_parts(text, parts); });
  if (parts.empty()) throw nothing("character");
  return from_sentence_piece(detail::train_sentence_piece(parts, options), "the trained model");
}

}  // namespace unroll
