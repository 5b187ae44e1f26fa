#include <algorithm>
#include <cmath>
#include <utility>

#include "src/base/random.h"
#include "src/data/words.h"
#include "unroll/error.h"
#include "unroll/sequences.h"

namespace unroll {

namespace {

/// What random numbers are drawn for; each has a stream of its own.
enum Stream : std::uint64_t { sampling = 1, first_words, second_words, order };

using Couple = std::pair<std::int32_t, std::int32_t>;

void check(const std::vector<std::int32_t>& sequence, const SkipgramsOptions& options) {
  if (options.window_size < 0) {
    throw Error(ErrorKind::value, "skipgrams: window_size must not be negative",
                {.got = std::to_string(options.window_size)});
  }
  if (!(options.negative_samples >= 0) || !std::isfinite(options.negative_samples)) {
    throw Error(ErrorKind::value, "skipgrams: negative_samples must not be negative",
                {.got = data::spelt(options.negative_samples)});
  }
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    const std::int32_t word = sequence[i];
    if (word < 0) {
      throw Error(ErrorKind::value, "skipgrams: a word's number must not be negative",
                  {.got = std::to_string(word) + " at position " + std::to_string(i)});
    }
    if (options.sampling_table &&
        static_cast<std::size_t>(word) >= options.sampling_table->size()) {
      throw Error(ErrorKind::value, "skipgrams: the sampling_table lacks a word",
                  {.got = std::to_string(word) + " at position " + std::to_string(i),
                   .want = "below " + std::to_string(options.sampling_table->size())});
    }
  }
}

/// Pairs of each word with its neighbours.
std::vector<Couple> near_pairs(const std::vector<std::int32_t>& sequence,
                               const SkipgramsOptions& options) {
  const base::Random random(options.seed, sampling);
  const auto count = static_cast<Index>(sequence.size());
  const Index reach = std::min(options.window_size, count);
  std::vector<Couple> couples;
  for (Index i = 0; i < count; ++i) {
    const std::int32_t word = sequence[static_cast<std::size_t>(i)];
    if (word == 0) continue;
    if (options.sampling_table && (*options.sampling_table)[static_cast<std::size_t>(word)] <
                                      random.uniform(static_cast<std::uint64_t>(i))) {
      continue;
    }
    const Index last = std::min(count - 1, i + reach);
    for (Index j = std::max(Index{0}, i - reach); j <= last; ++j) {
      const std::int32_t neighbour = sequence[static_cast<std::size_t>(j)];
      if (j != i && neighbour != 0) couples.emplace_back(word, neighbour);
    }
  }
  return couples;
}

template <class T>
void shuffle(std::vector<T>& values, std::uint64_t seed, Stream stream) {
  const base::Random random(seed, stream);
  for (std::size_t i = values.size(); i > 1; --i) {
    const Index other = random.below(static_cast<Index>(i), i);
    std::swap(values[i - 1], values[static_cast<std::size_t>(other)]);
  }
}

/// Adds pairs of words of the real pairs with any word.
void add_random_pairs(std::vector<Couple>& couples, Index vocabulary_size,
                      const SkipgramsOptions& options) {
  const double wanted = std::floor(static_cast<double>(couples.size()) * options.negative_samples);
  if (wanted < 1) return;
  if (vocabulary_size < 2 || vocabulary_size > Index{1} << 31) {
    throw Error(ErrorKind::value, "skipgrams: no words to draw",
                {.got = "vocabulary_size " + std::to_string(vocabulary_size),
                 .want = "from 2 to 2147483648",
                 .hint = ".negative_samples = 0 draws none"});
  }
  std::vector<std::int32_t> words;
  words.reserve(couples.size());
  for (const Couple& couple : couples) words.push_back(couple.first);
  shuffle(words, options.seed, first_words);
  const base::Random random(options.seed, second_words);
  const auto count = static_cast<std::uint64_t>(wanted);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Index drawn = 1 + random.below(vocabulary_size - 1, i);
    couples.emplace_back(words[i % words.size()], static_cast<std::int32_t>(drawn));
  }
}

Tensor labels_of(const std::vector<std::int32_t>& near, bool categorical) {
  const auto count = static_cast<Index>(near.size());
  if (!categorical) return Tensor::of<std::int32_t>({count}, near);
  Tensor labels({count, 2}, DType::int32);
  auto values = labels.values<std::int32_t>();
  for (std::size_t i = 0; i < near.size(); ++i) {
    values[2 * i + static_cast<std::size_t>(near[i])] = 1;
  }
  return labels;
}

}  // namespace

std::vector<double> make_sampling_table(Index size, double sampling_factor) {
  if (size < 0 || !(sampling_factor >= 0)) {
    throw Error(ErrorKind::value, "make_sampling_table: an argument is negative",
                {.got = std::to_string(size) + ", " + data::spelt(sampling_factor)});
  }
  constexpr double euler_mascheroni = 0.577;
  std::vector<double> table(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double rank = i == 0 ? 1 : static_cast<double>(i);
    const double inverse_frequency =
        rank * (std::log(rank) + euler_mascheroni) + 0.5 - 1 / (12 * rank);
    const double f = sampling_factor * inverse_frequency;
    table[i] = f > 0 ? std::min(1.0, f / std::sqrt(f)) : 0;
  }
  return table;
}

Skipgrams skipgrams(const std::vector<std::int32_t>& sequence, Index vocabulary_size,
                    const SkipgramsOptions& options) {
  check(sequence, options);
  std::vector<Couple> couples = near_pairs(sequence, options);
  std::vector<std::int32_t> near(couples.size(), 1);
  add_random_pairs(couples, vocabulary_size, options);
  near.resize(couples.size(), 0);
  if (options.shuffle) {
    // The same seed gives both the same order.
    shuffle(couples, options.seed, order);
    shuffle(near, options.seed, order);
  }
  Tensor pairs({static_cast<Index>(couples.size()), 2}, DType::int32);
  auto values = pairs.values<std::int32_t>();
  for (std::size_t i = 0; i < couples.size(); ++i) {
    values[2 * i] = couples[i].first;
    values[2 * i + 1] = couples[i].second;
  }
  return {.couples = pairs, .labels = labels_of(near, options.categorical)};
}

}  // namespace unroll
