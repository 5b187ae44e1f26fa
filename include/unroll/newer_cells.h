// Newer recurrences: minGRU, minLSTM, LRU, QRNN, SRU, IndRNN; and echo state networks.
//
//   Symbol h = MinGRU(64, {.return_sequences = true})(x);     // wherever a GRU could stand
//   Sequential model{RNN({LRUCell(64), SRUCell(64)}), Dense(1)};
//
// All but ESN multiply the whole sequence with their kernel at once: what is left to be done step
// after step is arithmetic on single numbers of the state. So they train several times faster than
// a GRU on long sequences, and still take one step at a time (unroll/stream.h).
//
// They are layers as those of unroll/recurrent.h are: the same words, masks, states, and dropout of
// the inputs.
#pragma once

#include "unroll/recurrent.h"

namespace unroll {

/// Options of MinGRU and its cell.
struct MinGRUOptions {
  Activation activation = "linear";  ///< of the candidate
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;  ///< share of the inputs dropped while training, the same at every step
  Index seed = -1;     ///< of the dropout; -1: the model's
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Options of MinLSTM and its cell: those of MinGRU.
using MinLSTMOptions = MinGRUOptions;

/// Options of LRU and its cell.
struct LRUOptions {
  Index state_size = 0;  ///< complex numbers of the state; 0: as many as units
  double r_min = 0;      ///< eigenvalues begin uniformly in the ring between these radii
  double r_max = 1;
  double max_phase = 6.283185307179586;  ///< and at angles between 0 and this, in radians
  double dropout = 0;
  Index seed = -1;
  Regularizer activity_regularizer = {};
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Options of QRNN and its cell.
struct QRNNOptions {
  Index window = 2;  ///< steps of the input that the gates of one step see: k of the paper
  Activation activation = "tanh";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;
  Index seed = -1;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Options of SRU and its cell.
struct SRUOptions {
  bool highway = true;      ///< the input goes past the state, as much as the reset gate lets it
  double highway_bias = 0;  ///< what the reset gate's bias begins with
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = random_uniform(-1, 1);
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;
  Index seed = -1;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Options of IndRNN and its cell. `recurrent_constraint = max_norm(r)` holds each |u| to r at
/// most; the paper takes the T-th root of 2 for sequences of T steps.
struct IndRNNOptions {
  Activation activation = "relu";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer recurrent_initializer = random_uniform(0, 1);
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer recurrent_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint recurrent_constraint = {};
  Constraint bias_constraint = {};
  double dropout = 0;
  Index seed = -1;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Options of ESN and its cell.
struct ESNOptions {
  double connectivity = 0.1;     ///< share of the recurrent weights that are not 0
  double leaky = 1;              ///< share of a step that is new; below 1 the state lags behind
  double spectral_radius = 0.9;  ///< the recurrent weights' largest |eigenvalue|
  Activation activation = "tanh";
  bool use_bias = true;
  Initializer kernel_initializer = random_uniform(-0.5, 0.5);
  Initializer bias_initializer = random_uniform(-0.5, 0.5);
  Regularizer activity_regularizer = {};
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool unroll = false;
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Cells of the layers below; of the options, those about whole sequences do not matter.
Cell MinGRUCell(Index units, const MinGRUOptions& options = {});
Cell MinLSTMCell(Index units, const MinLSTMOptions& options = {});
Cell LRUCell(Index units, const LRUOptions& options = {});
Cell QRNNCell(Index units, const QRNNOptions& options = {});
Cell SRUCell(Index units, const SRUOptions& options = {});
Cell IndRNNCell(Index units, const IndRNNOptions& options = {});
Cell ESNCell(Index units, const ESNOptions& options = {});

/// A GRU whose gate and candidate do not look at the state:
///   z = sigmoid(x Wz + bz)   h' = (1 - z) h + z activation(x Wh + bh)
/// Weights: kernel (features, 2 units) of z, h; bias (2 units).
/// Source: Feng et al., "Were RNNs All We Needed?", 2024.
class MinGRU : public Recurrent {
 public:
  explicit MinGRU(Index units, const MinGRUOptions& options = {});
};

/// An LSTM likewise, its forget and input gates scaled to sum to 1, without output gate:
///   f, i = sigmoid(x W + b)   h' = (f h + i activation(x Wh + bh)) / (f + i)
/// Weights: kernel (features, 3 units) of f, i, h; bias (3 units).
/// Source: Feng et al., "Were RNNs All We Needed?", 2024.
class MinLSTM : public Recurrent {
 public:
  explicit MinLSTM(Index units, const MinLSTMOptions& options = {});
};

/// Linear recurrent unit: a state of N complex numbers, each turned and shrunk by its own lambda.
///   lambda = exp(-exp(nu) + i exp(theta))   c' = lambda c + exp(gamma) (x B)   y = Re(C c') + x D
/// gamma begins where inputs of variance 1 give states of variance 1.
/// States: (batch, 2 N), real parts before imaginary ones. Weights: kernel B (features, 2 N), nu,
/// theta, gamma (N), output_kernel C (2 N, units; what multiplies imaginary parts has the other
/// sign), skip_kernel D (features, units).
/// Linear in time: put a layer that is not (a Dense with an activation) behind it.
/// Source: Orvieto et al., "Resurrecting Recurrent Neural Networks for Long Sequences", 2023.
class LRU : public Recurrent {
 public:
  explicit LRU(Index units, const LRUOptions& options = {});
};

/// Gates from a convolution over the last `window` steps, fo-pooling:
///   z = activation(X Wz + bz)   f, o = sigmoid(X W + b)   c' = f c + (1 - f) z   y = o c'
/// where X has the inputs of those steps side by side, the oldest first; zeros before the first.
/// States: c (batch, units), and with window > 1 the last inputs (batch, (window - 1) features).
/// Weights: kernel (window features, 3 units) of z, f, o; bias (3 units).
/// Source: Bradbury et al., "Quasi-Recurrent Neural Networks", 2017.
class QRNN : public Recurrent {
 public:
  explicit QRNN(Index units, const QRNNOptions& options = {});
};

/// Simple recurrent unit:
///   f = sigmoid(x Wf + vf c + bf)   r = sigmoid(x Wr + vr c + br)
///   c' = f c + (1 - f) (x W)        y = r c' + (1 - r) s x
/// where s = sqrt(1 + 2 exp(highway_bias)) keeps the variance of x; features that are not as many
/// as units are multiplied with weights of their own first. Weights: kernel (features, 3 units) of
/// W, Wf, Wr, or (features, 4 units) with those; recurrent_kernel (2, units), bias (2 units).
/// Source: Lei et al., "Simple Recurrent Units for Highly Parallelizable Recurrence", 2018.
class SRU : public Recurrent {
 public:
  explicit SRU(Index units, const SRUOptions& options = {});
};

/// A SimpleRNN whose units see nothing of each other's past: h' = activation(x W + u h + b).
/// Weights: kernel (features, units), recurrent_kernel (1, units), bias (units).
/// Source: Li et al., "Independently Recurrent Neural Network (IndRNN)", 2018.
class IndRNN : public Recurrent {
 public:
  explicit IndRNN(Index units, const IndRNNOptions& options = {});
};

/// A reservoir of an echo state network: sparse recurrent weights that are drawn, never trained.
///   h' = (1 - leaky) h + leaky activation(x W + h R + b)
/// Weights, none trainable: kernel (features, units), recurrent_kernel (units, units), bias
/// (units). What is trained is a readout: fit_readout of unroll/readout.h, or fit.
/// Source: Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks",
/// 2001; Jaeger et al., 2007 (leaky units).
class ESN : public Recurrent {
 public:
  explicit ESN(Index units, const ESNOptions& options = {});
};

/// h_t = a_t h_{t-1} + b_t, number by number: for linear cells of your own that are layers.
/// a, b (time, ...); h0 of a step's shape, or an empty Var: zeros. Gives every h.
/// Throws: Error (shape).
Var linear_scan(const Var& a, const Var& b, const Var& h0 = {});

}  // namespace unroll
