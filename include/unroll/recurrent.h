// Recurrent layers: SimpleRNN, GRU, LSTM, RNN(cell), Bidirectional; and cells of your own.
//
//   Symbol h = LSTM(64, {.return_sequences = true})(x);         // (batch, time, features) -> (...,
//   64) auto [y, state_h, state_c] = LSTM(64, {.return_state = true})(x).unpack<3>(); Symbol d =
//   LSTM(64, {.return_sequences = true})(target, {state_h, state_c});
//
// A cell is one time step, written in ordinary operations; RNN walks it through time. It trains at
// once:
//
//   class MGUCell : public CellImpl { ... };
//   Sequential model{RNN(make<MGUCell>(32), {.return_sequences = true}), Dense(1)};
//
// Masked steps keep the state, and their output repeats the row's previous output (zeros before its
// first kept step), or is zero with zero_output_for_mask.
#pragma once

#include <utility>

#include "unroll/layer.h"

namespace unroll {

// --- cells ---

/// What a cell gives for one step.
struct Step {
  Var output;   ///< (batch, output size)
  Vars states;  ///< in the order of state_sizes()
};

/// One time step of a recurrent network. Derive from it to write a cell.
class CellImpl : public Component {
 public:
  /// Sizes of the states. States: each (batch, size).
  virtual std::vector<Index> state_sizes() const = 0;
  /// Size of the output; the first state's unless said otherwise.
  virtual Index output_size() const { return state_sizes()[0]; }
  /// Declares the weights, once. `features` is the size of a step of the input.
  virtual void build_cell(Index features) = 0;
  /// x (batch, features), states as state_sizes() says.
  virtual Step step(Call& call, const Var& x, const Vars& states) = 0;
  /// A cell of the same options with weights of its own: what Bidirectional needs; null if there is
  /// no such.
  virtual std::shared_ptr<CellImpl> twin() const { return nullptr; }
};

using Cell = std::shared_ptr<CellImpl>;

/// make<MGUCell>(32): a cell of a class of your own.
template <class C, class... Arguments>
std::shared_ptr<C> make(Arguments&&... arguments) {
  return std::make_shared<C>(std::forward<Arguments>(arguments)...);
}

/// Options of SimpleRNN and its cell, in Keras's order.
struct SimpleRNNOptions {
  Activation activation = "tanh";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;  ///< share of the inputs dropped while training, the same at every step
  double recurrent_dropout = 0;  ///< likewise of the state
  Index seed = -1;               ///< of both dropouts; -1: the model's
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;  ///< the state of a row is kept for the next batch
  bool unroll = false;    ///< accepted, of no effect: there is no graph to unroll
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Options of GRU and its cell, in Keras's order.
struct GRUOptions {
  Activation activation = "tanh";
  Activation recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;
  double recurrent_dropout = 0;
  Index seed = -1;  ///< of both dropouts; -1: the model's
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool reset_after = true;  ///< the reset gate works after the product, not before
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Options of LSTM and its cell, in Keras's order.
struct LSTMOptions {
  Activation activation = "tanh";
  Activation recurrent_activation = "sigmoid";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = "orthogonal";
  Initializer bias_initializer = "zeros";
  bool unit_forget_bias = true;  ///< the forget gate's bias begins with 1
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;
  double recurrent_dropout = 0;
  Index seed = -1;  ///< of both dropouts; -1: the model's
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Cells of the three layers below; of the options, those about whole sequences do not matter.
Cell SimpleRNNCell(Index units, const SimpleRNNOptions& options = {});
Cell GRUCell(Index units, const GRUOptions& options = {});
Cell LSTMCell(Index units, const LSTMOptions& options = {});
/// Cells on top of one another as one; its states are theirs, from the first on.
Cell StackedRNNCells(std::vector<Cell> cells);

// --- layers ---

/// What the recurrent layers share: an input sequence, and optionally initial states.
/// Shapes: (batch, time, features) -> (batch, units), or (batch, time, units) with
/// return_sequences; with return_state the states follow, each (batch, size).
class Recurrent : public Layer {
 public:
  using Layer::Layer;
  using Layer::operator();
  /// With initial states; then a mask that travelled with x is not used, as in Keras.
  Symbol operator()(const Symbols& x, const Symbols& initial_state) const;
};

/// h' = activation(x W + b + h R). Weights: kernel (features, units), recurrent_kernel (units,
/// units), bias (units). Source: Elman, "Finding structure in time", 1990.
class SimpleRNN : public Recurrent {
 public:
  explicit SimpleRNN(Index units, const SimpleRNNOptions& options = {});
};

/// Gated recurrent unit; gates z, r, h along the last axis. Weights: kernel (features, 3 units),
/// recurrent_kernel (units, 3 units), bias (2, 3 units), or (3 units) without reset_after.
/// Source: Cho et al., 2014.
class GRU : public Recurrent {
 public:
  explicit GRU(Index units, const GRUOptions& options = {});
};

/// Long short-term memory; gates i, f, c, o along the last axis. States: h, c.
/// Weights: kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units).
/// Source: Hochreiter, Schmidhuber, 1997; Gers et al., 2000.
class LSTM : public Recurrent {
 public:
  explicit LSTM(Index units, const LSTMOptions& options = {});
};

struct RNNOptions {
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  Regularizer activity_regularizer = {};
  std::string name = {};
};

/// Any cell walked through time.
class RNN : public Recurrent {
 public:
  explicit RNN(Cell cell, const RNNOptions& options = {});
  explicit RNN(std::vector<Cell> cells, const RNNOptions& options = {});
};

struct BidirectionalOptions {
  std::string merge_mode = "concat";  ///< concat, sum, mul, ave, or none: two outputs
  std::string name = {};
};

/// A recurrent layer and its twin that reads the sequence backwards.
/// Weights: all of the forward layer, then all of the backward layer.
/// Source: Schuster, Paliwal, 1997.
class Bidirectional : public Recurrent {
 public:
  /// The backward layer is made like `layer`, with weights of its own.
  /// Throws: Error (unsupported) where `layer` walks a cell of your own: give the backward layer
  /// then.
  explicit Bidirectional(const Recurrent& layer, const BidirectionalOptions& options = {});
  /// Throws: Error (value) unless the two walk in opposite directions and return the same things.
  Bidirectional(const Recurrent& layer, const Recurrent& backward_layer,
                const BidirectionalOptions& options = {});
};

/// A recurrent layer of Keras's class name; see make_plain_layer.
std::shared_ptr<LayerImpl> make_recurrent_layer(std::string_view class_name, Describer& options);
/// A cell of Keras's class name.
Cell make_cell(std::string_view class_name, Describer& options);

}  // namespace unroll
