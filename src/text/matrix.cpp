// Texts as rows of numbers, one column for each word.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/text/tokenizer_state.h"

namespace unroll {

using detail::TokenizerState;

namespace {

Index columns_of(const TokenizerState& state) {
  if (state.options.num_words > 0) return state.options.num_words;
  if (!state.numbered.empty()) return static_cast<Index>(state.numbered.size()) + 1;
  throw Error(ErrorKind::value, "Tokenizer: how many columns the matrix has is not known",
              {.hint = "give num_words, or fit_on_texts first"});
}

double value_of(MatrixModeKind mode, double count, double length, double documents, Index with) {
  switch (mode) {
    case MatrixModeKind::binary:
      return 1;
    case MatrixModeKind::count:
      return count;
    case MatrixModeKind::freq:
      return count / length;
    default:
      return (1 + std::log(count)) * std::log(1 + documents / static_cast<double>(1 + with));
  }
}

/// How often each number occurs in one sequence.
class Counts {
 public:
  explicit Counts(Index columns) : counts_(static_cast<std::size_t>(columns)) {}

  void add(std::int32_t number) {
    if (static_cast<std::size_t>(number) >= counts_.size()) return;
    if (counts_[static_cast<std::size_t>(number)]++ == 0) numbers_.push_back(number);
  }
  /// Calls use(number, count) for each, and forgets it.
  template <class F>
  void take(F use) {
    for (const std::int32_t number : numbers_) {
      use(number, counts_[static_cast<std::size_t>(number)]);
      counts_[static_cast<std::size_t>(number)] = 0;
    }
    numbers_.clear();
  }

 private:
  std::vector<Index> counts_;
  std::vector<std::int32_t> numbers_;
};

void check_numbers(const Sequences& sequences) {
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    for (const std::int32_t number : sequences[i]) {
      if (number >= 0) continue;
      throw Error(ErrorKind::value, "Tokenizer: a matrix has no column for a negative number",
                  {.got = std::to_string(number) + " in sequence " + std::to_string(i)});
    }
  }
}

}  // namespace

Tensor Tokenizer::texts_to_matrix(const Texts& texts, MatrixMode mode, DType dtype) const {
  return sequences_to_matrix(texts_to_sequences(texts), mode, dtype);
}

Tensor Tokenizer::sequences_to_matrix(const Sequences& sequences, MatrixMode mode,
                                      DType dtype) const {
  const Index columns = columns_of(*state_);
  if (mode.kind() == MatrixModeKind::tfidf && state_->document_count == 0) {
    throw Error(ErrorKind::value, "Tokenizer: \"tfidf\" needs documents, and none was fitted",
                {.hint = "fit_on_texts or fit_on_sequences first"});
  }
  check_numbers(sequences);
  const auto rows = static_cast<Index>(sequences.size());
  // Computed in double precision whatever is asked for: Keras's values, rounded once.
  Tensor row({columns}, DType::float64);
  const auto values = row.values<double>();
  Tensor result({rows, columns}, dtype);
  Counts counts(columns);
  for (Index i = 0; i < rows; ++i) {
    const auto& numbers = sequences[static_cast<std::size_t>(i)];
    for (const std::int32_t number : numbers) counts.add(number);
    std::ranges::fill(values, 0.0);
    counts.take([&](std::int32_t number, Index count) {
      const auto with = state_->index_docs.find(number);
      values[static_cast<std::size_t>(number)] =
          value_of(mode.kind(), static_cast<double>(count), static_cast<double>(numbers.size()),
                   static_cast<double>(state_->document_count),
                   with == state_->index_docs.end() ? 0 : with->second);
    });
    const Tensor converted = row.to(dtype);
    std::memcpy(static_cast<std::byte*>(result.raw()) + i * columns * size_of(dtype),
                converted.raw(), static_cast<std::size_t>(converted.bytes()));
  }
  return result;
}

}  // namespace unroll
