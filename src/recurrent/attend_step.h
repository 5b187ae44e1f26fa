// Attention of one step of a decoder.
#pragma once

#include "unroll/layer.h"

namespace unroll {

/// What is attended to: S steps of B sequences, time first.
struct Attended {
  Var values;  ///< (S, B, size)
  Var keys;    ///< (S, B, features)
  Var scale;   ///< (features) of additive scores; empty: scores are dot products
  Mask mask;   ///< (S, B); steps that are left out weigh nothing
};

struct Attention1 {
  Var context;  ///< (rows, size)
  Var weights;  ///< (rows, S); no gradient goes through it
};

/// The mean of the values, weighted by softmax(score(query, key)). Row i of the query (rows,
/// features) attends to sequence rows[i]. A sequence without a step gives zeros.
Attention1 attend_step(const Var& query, const Attended& to, const Index* rows);

}  // namespace unroll
