// The parts that attention layers are made of, each one entry on the tape.
//
// Letters: B rows, Tq queries, Tv values, H heads. Sequences (B, T, H size) or, time first, (T, B,
// H size): a head's numbers are a part of each step, and are read where they lie.
#pragma once

#include "unroll/layer.h"

namespace unroll {

/// q k^T for each row and head: (B, H, Tq, Tv).
Var dot_scores(const Var& q, const Var& k, Index heads);
/// sum_d scale_d tanh(q_d + k_d): (B, 1, Tq, Tv). `scale` (features) may be empty: 1.
Var additive_scores(const Var& q, const Var& k, const Var& scale);
/// weights (B, H, Tq, Tv) times values: a sequence of Tq steps that lies as v does.
Var weighted_values(const Var& weights, const Var& v, Index heads);

/// Which values a query may see: 1 or 0, (B, 1, Tq, Tv), sizes of 1 where they do not matter; empty
/// where everything is seen. An empty mask keeps all.
Var visible(Call& call, const Mask& queries, const Mask& values, bool causal, Index Tq, Index Tv);

/// Weights with a share of them dropped while training.
Var dropped_weights(Call& call, const Component& layer, const Var& weights, double rate,
                    Index seed);

/// The sizes of a sequence, however it lies.
Index rows_of(const Var& x);
Index steps_of(const Var& x);

}  // namespace unroll
