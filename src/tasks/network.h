// The networks that forecasts are made with.
#pragma once

#include <string>

#include "unroll/model.h"

namespace unroll::tasks {

/// A recurrent layer and Dense(1) over windows (batch, window, 1), and the layer's name for people.
struct Network {
  Model model;
  std::string label;  ///< "GRU(50)"
};

/// Throws: Error (value) unless `kind` is simple_rnn, gru or lstm.
Network network(const std::string& kind, Index units, Index window);
/// SimpleRNN(50, relu) > Dense(1).
Network lesson_network(Index window);

}  // namespace unroll::tasks
