// Made-up problems on which recurrent networks are compared: what has to be remembered, and for how
// long, is known. Their data follow from the seed.
//
//   Problem train = adding_problem(6000, 100, 1);     // x (6000, 100, 2), y (6000, 1)
//   for (const std::string& text : reber_strings(256, 1)) ...
//   legal_after("BTB");                               // "PT": what may come next
//
// Source: Hochreiter, Schmidhuber, "Long short-term memory", 1997 (adding, temporal order, embedded
// Reber grammar, which is Smith, Zipser, 1989, and Cleeremans et al., 1989); Gers, Schmidhuber,
// "LSTM recurrent networks learn simple context-free and context-sensitive languages", 2001.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/tensor.h"

namespace unroll {

struct Problem {
  Tensor x, y;
};

/// Numbers in [0, 1), of which one in either half is marked; the answer is the sum of the two. Who
/// always says 1 is wrong by 1/6 (mean squared). Shapes: x (rows, steps, 2): number and mark; y
/// (rows, 1). Throws (this and the next two): Error (value) for fewer than 1 row or too few steps,
/// here 2.
Problem adding_problem(Index rows, Index steps, std::uint64_t seed);

/// `length` symbols out of 8, then `lag` blanks, the last of which asks: then the symbols again.
/// Shapes: x (rows, 2 length + lag, 10), one-hot: symbols, blank, question; y (rows, 2 length +
/// lag) int32: the symbol to be said, or 8 for none. Throws: at least 1 symbol and 1 blank.
/// Source: Arjovsky, Shah, Bengio, "Unitary evolution recurrent neural networks", 2016.
Problem copy_problem(Index rows, Index length, Index lag, std::uint64_t seed);

/// Distractors out of 4 symbols, and an X or a Y in the first and in the second fifth from the
/// front: were they XX, XY, YX or YY? All that comes after has to be waited out.
/// Shapes: x (rows, steps, 6), one-hot; y (rows) int32. Throws: at least 10 steps.
Problem temporal_order_problem(Index rows, Index steps, std::uint64_t seed);

// --- grammars ---

/// The symbols of reber_strings, in the order of their numbers: "BTSXPVE".
inline constexpr std::string_view reber_symbols = "BTSXPVE";
/// Strings of the embedded Reber grammar: B, then T or P, a string of Reber's grammar, the same T
/// or P again, E. The second symbol has to be remembered until the last but one.
/// Throws: Error (value) for a negative count.
std::vector<std::string> reber_strings(Index count, std::uint64_t seed);
/// What may follow a beginning, in alphabetical order; nothing after the last E.
/// Throws: Error (value) for a beginning that the grammar does not have.
std::string legal_after(std::string_view beginning);

}  // namespace unroll
