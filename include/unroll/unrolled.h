// Recurrent models laid out in time: one layer a step, all with the same weights.
//
//   Model flat = unroll_in_time(model, 6);           // a feed-forward model, 6 steps deep
//   flat.predict(x);                                 // what model gives
//   plot_model(flat, "unrolled.svg");                // drawn: unroll/plot_model.h
//
// Backpropagation through time is ordinary backpropagation in that model; gradients_by_step shows
// what comes back to every step:
//
//   for (const StepGradients& layer : gradients_by_step(model, x, y)) ... layer.norms   // by step
#pragma once

#include <string>
#include <vector>

#include "unroll/model.h"

namespace unroll {

/// The model with every recurrent layer (SimpleRNN, GRU, LSTM, RNN of any cell) as `steps` layers
/// named after it, "simple_rnn_step_0" first, each of which takes one step of the input and the
/// states of the layer before. The weights are the model's own, not copies. The other layers
/// stay as they are, and see whole sequences.
/// Shapes: an input (None, None, features) becomes (None, steps, features).
/// Throws: Error (value) for fewer than 1 step, or where the model's inputs have another number of
///   steps; Error (unsupported) for masks, stateful layers and Bidirectional.
/// Cost: `steps` layers for each recurrent one; meant for looking and checking, not for speed.
Model unroll_in_time(const Model& model, Index steps);

/// What comes back to the states of one recurrent layer.
struct StepGradients {
  std::string layer;
  std::vector<Tensor> gradients;  ///< d loss / d h by step: (batch, units) each, the model's dtype
  std::vector<double> norms;      ///< their lengths over the whole batch, by step
};
/// d loss / d h_t of every recurrent layer of a compiled model, h its first state: all that a
/// change of h_t does to the loss, at once and through the steps after it. One batch; the weights
/// stay as they are. Layers in the order in which they run; steps in the order of time.
/// Throws: as unroll_in_time; Error (value) where the model is not compiled; Error (shape) where
///   data and model do not fit.
std::vector<StepGradients> gradients_by_step(const Model& model, const Data& x, const Data& y);

}  // namespace unroll
