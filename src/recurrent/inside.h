// What happens inside a recurrent layer: its states and gates at every step.
#pragma once

#include <string>
#include <vector>

#include "src/recurrent/walker.h"

namespace unroll {

/// One quantity of a cell over a sequence.
struct Inside {
  std::string name;  ///< "hidden", "cell", "update_gate", ...
  Tensor values;     ///< float32 (rows, time, units); NaN at masked steps
  double low = 0;    ///< its least and greatest possible values; both 0: it has no bounds
  double high = 0;
};

/// Of SimpleRNN: hidden; of GRU: hidden, update_gate, reset_gate, candidate; of LSTM: hidden, cell,
/// input_gate, forget_gate, candidate, output_gate. Computed in float64, from states of zero, in
/// the order in which the layer walks. x (time, rows, features) lies as the layer reads it, of
/// float32 or float64. None for other cells.
std::vector<Inside> inside(const WalkerImpl& layer, const Var& x, const Mask& mask);

}  // namespace unroll
