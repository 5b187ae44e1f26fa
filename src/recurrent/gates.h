// The gates of an LSTM, from what its products have left, as one entry on the tape.
#pragma once

#include "unroll/autograd.h"

namespace unroll {

struct GateActivations {
  Activation activation, recurrent_activation;
};

struct LSTMState {
  Var h, c;
};

/// a = x + r, (..., 4 units) in the order i, f, c, o: c' = f c + i g, h' = o activation(c').
/// `c` has (..., units).
LSTMState lstm_gates(const Var& x, const Var& r, const Var& c, const GateActivations& kinds);

}  // namespace unroll
