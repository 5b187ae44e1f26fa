// ConvLSTM1D and ConvLSTM2D: an LSTM over rows or pictures, whose products are convolutions.
//
//   Symbol frames = Input({.shape = {unknown, 32, 32, 1}});       // (batch, time, height, width,
//   channels) Symbol next = ConvLSTM2D(16, {3, 3}, {.padding = "same", .return_sequences =
//   true})(frames);
#pragma once

#include "unroll/recurrent.h"

namespace unroll {

/// Options of both, in Keras's order. A list of one size stands for as many as there are axes.
struct ConvLSTMOptions {
  Shape strides = {1};
  std::string padding = "valid";  ///< valid or same; of the input's convolution
  std::string data_format = "channels_last";
  Shape dilation_rate = {1};
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
  double dropout = 0;  ///< share of the inputs dropped while training, the same at every step
  double recurrent_dropout = 0;  ///< likewise of the state
  Index seed = -1;               ///< of both; -1: the model's
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool zero_output_for_mask = false;
  std::string name = {};
};

/// Shapes: (batch, time, width, channels) -> (batch, new width, filters), or with return_sequences
/// (batch, time, new width, filters). States: h, c, each (batch, new width, filters). Gates i, f,
/// c, o along the last axis. Weights: kernel (kernel_size, channels, 4 filters), recurrent_kernel
/// (kernel_size, filters, 4 filters), bias (4 filters).
/// Throws: Error (value) for arguments out of range; when built, Error (shape).
/// Source: Shi et al., "Convolutional LSTM network", 2015.
class ConvLSTM1D : public Recurrent {
 public:
  ConvLSTM1D(Index filters, Index kernel_size, const ConvLSTMOptions& options = {});
};

/// The same for pictures: (batch, time, height, width, channels); kernels (kernel_size..., ...).
class ConvLSTM2D : public Recurrent {
 public:
  ConvLSTM2D(Index filters, const Shape& kernel_size, const ConvLSTMOptions& options = {});
};

}  // namespace unroll
