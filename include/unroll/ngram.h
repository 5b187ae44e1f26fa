// N-grams: what came how often after the last few ids. What a language model has to beat.
//
//   Ngram ngram(ids, vocabulary, {.order = 3});
//   double p = ngram.probability(last_two, id);
//   LanguageScore score = ngram.evaluate(all, first);   // over the same ids as a LanguageModel's
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "unroll/language.h"

namespace unroll {

struct NgramOptions {
  Index order = 3;  ///< ids in an n-gram: one more than the context; 1 to 8
};

/// What is taken off counts of 1, of 2, and of 3 or more.
using Discounts = std::array<double, 3>;

/// An interpolated n-gram model with modified Kneser-Ney smoothing.
///
///   p(w | h) = (c(h w) - D(c(h w))) / c(h .) + g(h) p(w | h without its first id)
///   g(h)     = (D1 N1(h .) + D2 N2(h .) + D3 N3+(h .)) / c(h .)
///
/// c counts n-grams of the highest order; for lower ones it counts how many different ids came
/// before, c(h w) = |{v : v h w occurred}|. Below one id stands 1 / vocabulary. With n_k n-grams of
/// count k and Y = n1 / (n1 + 2 n2): D1 = 1 - 2 Y n2 / n1, D2 = 2 - 3 Y n3 / n2,
/// D3 = 3 - 4 Y n4 / n3, for each order by itself; where a count of counts is zero or a discount
/// falls outside 0 to its count, all three are Y (1/2 where nothing occurred once, or
/// nothing twice). Every probability is above zero, and they sum to 1.
///
/// Threads: reading from many is safe. Memory: some 40 bytes for each n-gram that occurred.
/// Source: Chen, Goodman, "An empirical study of smoothing techniques for language modeling", 1998.
class Ngram {
 public:
  /// Counts. Throws: Error (value) for an id that is not in the vocabulary, no ids, or an order out
  /// of range.
  Ngram(std::span<const std::int32_t> ids, Index vocabulary, const NgramOptions& options = {});

  Index order() const noexcept;
  Index vocabulary() const noexcept;
  /// Of n-grams of `length` ids. Requires: 1 <= length <= order().
  const Discounts& discounts(Index length) const;

  /// p(id | the last order - 1 ids of the context, or as many as there are).
  double probability(std::span<const std::int32_t> context, std::int32_t id) const;
  /// The same for every id.
  std::vector<double> distribution(std::span<const std::int32_t> context) const;
  /// ln p of ids[first], ids[first + 1], ..., each after those before it.
  std::vector<double> log_probabilities(std::span<const std::int32_t> ids, Index first) const;
  /// The mean of that. Throws: Error (value) where nothing is to be foretold.
  LanguageScore evaluate(std::span<const std::int32_t> ids, Index first) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// The mean of -ln p for ln p's.
LanguageScore score_of(std::span<const double> log_probabilities);
/// ln(weight p + (1 - weight) q), entry by entry, for ln p and ln q. Requires: as many of both.
std::vector<double> interpolated(std::span<const double> p, std::span<const double> q,
                                 double weight);
/// The weight of p for which interpolated() has the highest mean: what fits these entries best, so
/// they must not be the ones that are reported. Found by expectation maximisation.
double best_weight(std::span<const double> p, std::span<const double> q);

}  // namespace unroll
