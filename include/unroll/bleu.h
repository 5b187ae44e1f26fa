// BLEU: how like texts are to what they should have been.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/index.h"

namespace unroll {

/// The words and marks of a text as the WMT's scorer mteval-v13a cuts them: punctuation stands
/// alone but for periods, commas and hyphens inside numbers; HTML's entities become characters;
/// case is kept.
std::vector<std::string> tokenize_13a(std::string_view text);

struct Bleu {
  double score = 0;                    ///< 0 to 100
  std::array<double, 4> precisions{};  ///< of 1 to 4 tokens in a row, in per cent
  double brevity_penalty = 0;
  Index length = 0, reference_length = 0;  ///< tokens
};
/// Cased BLEU of a corpus, 13a tokens, up to four in a row: the geometric mean of the precisions
/// times exp(1 - reference length / length) where the texts are too short. A precision without a
/// match counts as 1/2, 1/4, ... of a match, by how many such there are below it.
/// Throws: Error (value) for lists of different lengths.
/// Source: Papineni et al., "BLEU: a method for automatic evaluation of machine translation", 2002;
/// smoothing: Chen, Cherry, 2014 (method 3), as mteval does it.
Bleu bleu(const std::vector<std::string>& texts, const std::vector<std::string>& references);

}  // namespace unroll
