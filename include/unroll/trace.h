// A look inside a trained model: what any layer gives for any input, step by step, and for
// recurrent layers their states and gates; as arrays, CSV and pictures.
//
//   Trace seen = trace(model, "rnn_layer", review);              // one review of 100 word numbers
//   const Tensor& hidden = seen["hidden"];                       // (1, 100, 16)
//   unit_lines(seen, "hidden").save("units.svg");                // a line a unit
//   heat_map(seen, "hidden", {.steps = words}).save("map.png");  // units against words
//   for (const Saturation& part : saturation(seen)) ...          // gates that are stuck
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unroll/model.h"
#include "unroll/plot.h"

namespace unroll {

/// One quantity of a layer. Masked steps of a recurrent layer are NaN.
struct TracePart {
  std::string name;
  Tensor values;  ///< float32 (rows, time, units), or the shape that the layer gives
  /// What its values lie between; both 0 where they have no bounds.
  double low = 0, high = 0;
};

/// What a layer did with some rows. Its parts:
///   SimpleRNN   hidden
///   GRU         hidden, update_gate, reset_gate, candidate
///   LSTM        hidden, cell, input_gate, forget_gate, candidate, output_gate
///   RNN         as the cell that it walks, if it is one of these
///   Bidirectional   the parts of both its layers: forward_hidden, backward_hidden, ...; the steps
///               are the input's, also of the layer that reads them from the end
///   any other   output
/// However the layer is called (return_sequences or not), its states are those of every step.
struct Trace {
  std::string layer;
  std::vector<TracePart> parts;

  /// Throws: Error (value) that lists the names.
  const Tensor& operator[](std::string_view part) const;
  const TracePart& part(std::string_view name) const;
};

/// Runs the model on x up to a layer. Recurrent layers begin with states of zero.
/// Throws: Error (value) where there is no such layer, or the model is not built; Error (shape)
///   where data and model do not fit.
Trace trace(const Model& model, std::string_view layer, const Data& x);

/// How much of a quantity lies within 5 % of the ends of what it can be: gates that are always
/// open or shut, units that no longer learn.
struct Saturation {
  std::string part;
  double low = 0;   ///< share of the values near the lower end, 0 to 1
  double high = 0;  ///< and near the upper end
};
/// Of the parts that have bounds, over all rows, steps and units that are not masked.
std::vector<Saturation> saturation(const Trace& trace);

/// How a part is drawn or written.
struct TraceView {
  Index row = 0;
  std::vector<std::string> steps = {};  ///< a word a step; none: their numbers
  std::string command = {};             ///< kept in the picture's metadata
};
/// Values against steps, a line a unit. Throws: Error (value) for no such part or row; Error
///   (shape) for another number of words, and for a part that has no steps.
Plot unit_lines(const Trace& trace, std::string_view part, const TraceView& view = {});
/// Units against steps, as colours. Throws: as unit_lines.
HeatMap heat_map(const Trace& trace, std::string_view part, const TraceView& view = {});
/// A table of one row of the data: step, word, then every part's units as columns
/// ("hidden_0", ...); masked values are empty. Throws: as unit_lines.
std::string to_csv(const Trace& trace, const TraceView& view = {});

}  // namespace unroll
