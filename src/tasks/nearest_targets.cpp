// Translation by memory: the most similar sentence that has been seen.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "unroll/translation.h"

namespace unroll {

namespace {

using Weights = std::vector<std::pair<std::size_t, double>>;  // word, weight; by word

/// Words by number, and in which texts each stands.
class Memory {
 public:
  explicit Memory(const std::vector<std::string>& texts)
      : texts_(static_cast<double>(texts.size())) {
    std::vector<Weights> counted;
    for (const std::string& text : texts) {
      for (const std::string& word : tokenize_13a(text)) numbers_.emplace(word, numbers_.size());
      counted.push_back(counts(text));
      in_texts_.resize(numbers_.size());
      for (const auto& [word, count] : counted.back()) in_texts_[word] += 1;
    }
    places_.resize(numbers_.size());
    for (std::size_t i = 0; i < counted.size(); ++i) {
      weigh(counted[i]);
      for (const auto& [word, weight] : counted[i]) places_[word].emplace_back(i, weight);
    }
  }

  /// The text with the greatest cosine; the first of equals.
  std::size_t nearest(const std::string& text) const {
    Weights words = counts(text);
    weigh(words);
    std::unordered_map<std::size_t, double> cosines;
    for (const auto& [word, weight] : words) {
      for (const auto& [i, other] : places_[word]) cosines[i] += weight * other;
    }
    std::size_t best = 0;
    double highest = 0;
    for (const auto& [i, cosine] : cosines) {
      if (cosine > highest || (cosine == highest && i < best)) {
        best = i;
        highest = cosine;
      }
    }
    return best;
  }

 private:
  /// How often each known word stands in a text.
  Weights counts(const std::string& text) const {
    Weights words;
    for (const std::string& word : tokenize_13a(text)) {
      const auto found = numbers_.find(word);
      if (found != numbers_.end()) words.emplace_back(found->second, 1);
    }
    std::sort(words.begin(), words.end());
    Weights merged;
    for (const auto& [word, count] : words) {
      if (merged.empty() || merged.back().first != word) merged.emplace_back(word, 0);
      merged.back().second += count;
    }
    return merged;
  }

  void weigh(Weights& words) const {
    double square = 0;
    for (auto& [word, weight] : words) {
      weight *= std::log((1 + texts_) / (1 + in_texts_[word])) + 1;
      square += weight * weight;
    }
    for (auto& [word, weight] : words) weight /= std::sqrt(square);
  }

  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<double> in_texts_;
  std::vector<Weights> places_;
  double texts_ = 0;
};

}  // namespace

std::vector<std::string> nearest_targets(const ParallelTexts& train,
                                         const std::vector<std::string>& texts) {
  const Memory memory(train.source);
  std::vector<std::string> found;
  for (const std::string& text : texts) found.push_back(train.target[memory.nearest(text)]);
  return found;
}

}  // namespace unroll
