#include "src/tasks/review_words.h"

#include <algorithm>

#include "src/text/lower.h"
#include "src/text/prose.h"

namespace unroll::tasks {

namespace {

/// Calls use(gram) for every word, every punctuation mark and every pair of neighbours.
template <class F>
void each_gram(std::string_view review, F use) {
  std::string lowered, pair;
  text::lower_case(review, lowered);
  const std::string_view text = lowered;
  std::string_view last;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view piece = text::piece_at(text, at);
    at += piece.size();
    if (piece.find_first_of(" \t\r\n") != std::string_view::npos) continue;
    use(piece);
    if (!last.empty()) {
      pair.assign(last).append(" ").append(piece);
      use(std::string_view(pair));
    }
    last = piece;
  }
}

}  // namespace

std::string without_markup(std::string_view review) {
  constexpr std::string_view mark = "<br />";
  std::string text;
  for (;;) {
    const std::size_t at = review.find(mark);
    text += review.substr(0, at);
    if (at == std::string_view::npos) return text;
    text += '\n';
    review.remove_prefix(at + mark.size());
  }
}

NGrams::NGrams(const std::vector<std::string>& texts, Index least) {
  text::WordTable all;
  struct Seen {
    Index texts = 0, last = -1;
  };
  std::vector<Seen> seen;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto number = static_cast<Index>(i);
    each_gram(texts[i], [&](std::string_view gram) {
      const std::uint32_t entry = all.intern(gram);
      if (entry == seen.size()) seen.emplace_back();
      if (seen[entry].last == number) return;
      seen[entry].last = number;
      ++seen[entry].texts;
    });
  }
  for (std::uint32_t entry = 0; entry < all.size(); ++entry) {
    if (seen[entry].texts >= least) table_.intern(all[entry]);
  }
}

NGrams::NGrams(const std::vector<std::string>& list) {
  for (const std::string& gram : list) table_.intern(gram);
}

std::vector<std::int32_t> NGrams::numbers(std::string_view text) const {
  std::vector<std::int32_t> numbers;
  each_gram(text, [&](std::string_view gram) {
    if (const auto entry = table_.find(gram)) {
      numbers.push_back(static_cast<std::int32_t>(*entry) + 1);
    }
  });
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

}  // namespace unroll::tasks
