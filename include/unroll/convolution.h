// Layers with a window that slides over time or a picture: convolutions and pooling, and their
// helpers that stretch, pad and crop. With Keras's arguments, order and defaults; channels come
// last.
//
//   Symbol h = Conv1D(64, 3, {.padding = "causal", .dilation_rate = 2, .activation = "relu"})(x);
//   Symbol y = LSTM(32)(MaxPooling1D({.pool_size = 2})(h));
//
// A length may be unknown. None of these layers hands a mask on, as in Keras.
#pragma once

#include "unroll/layers.h"

namespace unroll {

struct Conv1DOptions {
  Index strides = 1;
  std::string padding =
      "valid";  ///< valid, same, or causal: a step sees itself and what was before
  std::string data_format = "channels_last";
  Index dilation_rate = 1;
  Index groups = 1;  ///< channels and filters fall into so many parts that do not mix
  Activation activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
};
/// Each step of the result is a product of the steps under a window.
/// Shapes: (batch, time, channels) -> (batch, new time, filters). Weights: kernel (kernel_size,
/// channels / groups, filters), bias (filters).
/// Throws: Error (value) for arguments out of range; when built, Error (shape).
class Conv1D : public Layer {
 public:
  Conv1D(Index filters, Index kernel_size, const Conv1DOptions& options = {});
};

struct Conv2DOptions {
  Shape strides = {1, 1};
  std::string padding = "valid";  ///< valid or same
  std::string data_format = "channels_last";
  Shape dilation_rate = {1, 1};
  Index groups = 1;
  Activation activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
};
/// The same over two axes. Shapes: (batch, height, width, channels) -> (batch, new height, new
/// width, filters). Weights: kernel (kernel_size..., channels / groups, filters), bias (filters).
class Conv2D : public Layer {
 public:
  /// A list of one size stands for two that are equal.
  Conv2D(Index filters, const Shape& kernel_size, const Conv2DOptions& options = {});
};

struct Conv2DTransposeOptions {
  Shape strides = {1, 1};
  std::string padding = "valid";  ///< valid or same
  std::string data_format = "channels_last";
  Shape dilation_rate = {1, 1};
  Activation activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  std::string name = {};
};
/// The way back of a Conv2D, from a small picture to a larger one: each place of the input,
/// multiplied by the kernel, is added where that convolution's window would lie.
/// Shapes: (batch, height, width, channels) -> (batch, new height, new width, filters), where a new
/// size is size stride ("same"), or size stride + max(reach of the kernel - stride, 0) ("valid").
/// Weights: kernel (kernel_size..., filters, channels), bias (filters).
/// Throws: Error (value) for arguments out of range; when built, Error (shape).
/// Source: Dumoulin, Visin, "A guide to convolution arithmetic for deep learning", 2016.
class Conv2DTranspose : public Layer {
 public:
  Conv2DTranspose(Index filters, const Shape& kernel_size,
                  const Conv2DTransposeOptions& options = {});
};

struct Pooling1DOptions {
  Index pool_size = 2;
  Index strides = unknown;  ///< unknown: as pool_size
  std::string padding = "valid";
  std::string data_format = "channels_last";
  std::string name = {};
};
/// The largest of each window, channel by channel. Shapes: (batch, time, channels) -> (batch, new
/// time, channels).
class MaxPooling1D : public Layer {
 public:
  explicit MaxPooling1D(const Pooling1DOptions& options = {});
};
/// The mean of each window; zeros of padding "same" do not count.
class AveragePooling1D : public Layer {
 public:
  explicit AveragePooling1D(const Pooling1DOptions& options = {});
};

struct Pooling2DOptions {
  Shape pool_size = {2, 2};
  Shape strides = {};  ///< empty: as pool_size
  std::string padding = "valid";
  std::string data_format = "channels_last";
  std::string name = {};
};
/// Shapes: (batch, height, width, channels) -> (batch, new height, new width, channels).
class MaxPooling2D : public Layer {
 public:
  explicit MaxPooling2D(const Pooling2DOptions& options = {});
};
class AveragePooling2D : public Layer {
 public:
  explicit AveragePooling2D(const Pooling2DOptions& options = {});
};

struct GlobalPoolingOptions {
  std::string data_format = "channels_last";
  bool keepdims = false;  ///< the result keeps a time axis of 1
  std::string name = {};
};
/// The largest over time. Shapes: (batch, time, channels) -> (batch, channels).
class GlobalMaxPooling1D : public Layer {
 public:
  explicit GlobalMaxPooling1D(const GlobalPoolingOptions& options = {});
};
/// The mean over time, over the steps that a mask keeps; not a number for a row without any.
class GlobalAveragePooling1D : public Layer {
 public:
  explicit GlobalAveragePooling1D(const GlobalPoolingOptions& options = {});
};

/// Each step `size` times. Shapes: (batch, time, channels) -> (batch, size time, channels).
class UpSampling1D : public Layer {
 public:
  explicit UpSampling1D(Index size = 2, const NameOption& options = {});
};
/// Zeros before and after. Shapes: (batch, time, channels) -> (batch, before + time + after,
/// channels).
class ZeroPadding1D : public Layer {
 public:
  /// {before, after}, or one number for both.
  explicit ZeroPadding1D(const Shape& padding = {1, 1}, const NameOption& options = {});
};
/// Without the first and the last steps. Shapes: (batch, time, channels) -> (batch, time - first -
/// last, channels).
class Cropping1D : public Layer {
 public:
  /// {first, last}, or one number for both.
  explicit Cropping1D(const Shape& cropping = {1, 1}, const NameOption& options = {});
};

}  // namespace unroll
