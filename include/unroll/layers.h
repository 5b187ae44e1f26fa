// The plain layers, with Keras's arguments, order and defaults. Recurrent ones: unroll/recurrent.h.
//
//   Symbol y = Dense(10, {.activation = "softmax"})(Flatten()(x));
//
// Shapes are written (batch, ...) as Keras has them, whatever the order in memory.
#pragma once

#include <limits>

#include "unroll/layer.h"

namespace unroll {

struct InputOptions {
  Shape shape = {};            ///< of one row, without the batch; sizes may be unknown
  Index batch_size = unknown;  ///< fixed, for stateful layers
  std::string name = {};
};
/// Where rows enter a graph. Shapes: (batch, shape...).
Symbol Input(const InputOptions& options);
/// The same as the first entry of a Sequential.
class InputLayer : public Layer {
 public:
  explicit InputLayer(const InputOptions& options);
};

struct DenseOptions {
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
/// y = activation(x W + b) along the last axis.
/// Shapes: (batch, ..., features) -> (batch, ..., units). Weights: kernel (features, units), bias
/// (units).
class Dense : public Layer {
 public:
  explicit Dense(Index units, const DenseOptions& options = {});
};

struct EmbeddingOptions {
  Initializer embeddings_initializer = "uniform";
  Regularizer embeddings_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint embeddings_constraint = {};
  bool mask_zero = false;  ///< id 0 is padding: later layers skip it
  std::string name = {};
};
/// Ids to trainable vectors. Shapes: (batch, ...) ids -> (batch, ..., output_dim).
/// Weights: embeddings (input_dim, output_dim).
/// Throws when run: Error (value) for an id outside 0 .. input_dim - 1.
class Embedding : public Layer {
 public:
  Embedding(Index input_dim, Index output_dim, const EmbeddingOptions& options = {});
};

struct ReversibleEmbeddingOptions {
  bool tie_weights = true;  ///< the way back uses the same table
  Initializer embeddings_initializer = "uniform";
  Regularizer embeddings_regularizer = {};
  Constraint embeddings_constraint = {};
  bool mask_zero = false;    ///< id 0 is padding: later layers skip it
  bool reverse_bias = true;  ///< the way back adds a trained number for each id
  std::string name = {};
};
/// Ids to trainable vectors, and in another place of the same graph vectors back to logits of ids:
/// x E^T + b. Masked steps of the way back are zeros.
/// Shapes: (batch, time) ids -> (batch, time, output_dim); (batch, time, output_dim) -> (batch,
/// time, input_dim). Weights: embeddings (input_dim, output_dim); reverse_embeddings (output_dim,
/// input_dim), where not tied; reverse_bias (input_dim).
/// Throws when run: Error (value) for an id outside 0 .. input_dim - 1.
/// Source: Press, Wolf, "Using the output embedding to improve language models", 2017.
class ReversibleEmbedding : public Layer {
 public:
  ReversibleEmbedding(Index input_dim, Index output_dim,
                      const ReversibleEmbeddingOptions& options = {});
};

struct MaskingOptions {
  double mask_value = 0;
  std::string name = {};
};
/// Masks the steps whose features all equal mask_value, and makes them zero.
/// Shapes: (batch, time, features) -> the same.
class Masking : public Layer {
 public:
  explicit Masking(const MaskingOptions& options = {});
};

struct DropoutOptions {
  Index seed = -1;  ///< of the numbers drawn; -1: the model's
  std::string name = {};
};
/// While training, zeroes a share `rate` of the numbers and scales the rest by 1 / (1 - rate).
class Dropout : public Layer {
 public:
  explicit Dropout(double rate, const DropoutOptions& options = {});
};

struct NoiseOptions {
  Index seed = -1;  ///< of the numbers drawn; -1: the model's
  std::string name = {};
};
/// While training, drops whole channels of a row, the same at every step. Shapes: (batch, time,
/// channels) -> the same. Source: Tompson et al., "Efficient object localization using
/// convolutional networks", 2015.
class SpatialDropout1D : public Layer {
 public:
  explicit SpatialDropout1D(double rate, const NoiseOptions& options = {});
};
/// While training, adds normal numbers of this standard deviation.
class GaussianNoise : public Layer {
 public:
  explicit GaussianNoise(double stddev, const NoiseOptions& options = {});
};

struct NameOption {
  std::string name = {};
};
/// An activation as a layer of its own. The class is called ActivationLayer, as Activation names
/// the function; Keras's name, "Activation", is what summary() and files say.
class ActivationLayer : public Layer {
 public:
  explicit ActivationLayer(Activation activation, const NameOption& options = {});
};

struct LeakyReLUOptions {
  double negative_slope = 0.3;
  std::string name = {};
};
/// x where it is positive, else negative_slope x.
class LeakyReLU : public Layer {
 public:
  explicit LeakyReLU(const LeakyReLUOptions& options = {});
};
struct PReLUOptions {
  Initializer alpha_initializer = "zeros";
  Regularizer alpha_regularizer = {};
  Constraint alpha_constraint = {};
  Shape shared_axes = {};  ///< axes, from 1 on, that share their slopes: {1} for time
  std::string name = {};
};
/// x where it is positive, else alpha x. Weights: alpha, of the shape of a row.
/// Source: He et al., "Delving deep into rectifiers", 2015.
class PReLU : public Layer {
 public:
  explicit PReLU(const PReLUOptions& options = {});
};
struct ELUOptions {
  double alpha = 1;
  std::string name = {};
};
/// x where it is positive, else alpha (e^x - 1).
class ELU : public Layer {
 public:
  explicit ELU(const ELUOptions& options = {});
};
struct ReLUOptions {
  double max_value = std::numeric_limits<double>::infinity();
  double negative_slope = 0;
  double threshold = 0;
  std::string name = {};
};
/// x above the threshold, but at most max_value; else negative_slope (x - threshold).
class ReLU : public Layer {
 public:
  explicit ReLU(const ReLUOptions& options = {});
};
struct SoftmaxOptions {
  Shape axis = {-1};  ///< one or more: numbers that sum to 1 together
  std::string name = {};
};
class Softmax : public Layer {
 public:
  explicit Softmax(const SoftmaxOptions& options = {});
};

/// Shapes: (batch, a, b, ...) -> (batch, a b ...).
class Flatten : public Layer {
 public:
  explicit Flatten(const NameOption& options = {});
};
/// Shapes: (batch, ...) -> (batch, target_shape...); one size may be `unknown` and is worked out.
class Reshape : public Layer {
 public:
  explicit Reshape(const Shape& target_shape, const NameOption& options = {});
};
/// Shapes: (batch, features) -> (batch, n, features).
class RepeatVector : public Layer {
 public:
  explicit RepeatVector(Index n, const NameOption& options = {});
};
/// Shapes: (batch, d1, d2, ...) -> (batch, axes in the order of dims); dims count from 1, as in
/// Keras.
class Permute : public Layer {
 public:
  explicit Permute(const Shape& dims, const NameOption& options = {});
};

struct ConcatenateOptions {
  Index axis = -1;
  std::string name = {};
};
class Concatenate : public Layer {
 public:
  explicit Concatenate(const ConcatenateOptions& options = {});
};
/// Element by element over the inputs, which broadcast.
class Add : public Layer {
 public:
  explicit Add(const NameOption& options = {});
};
class Subtract : public Layer {
 public:
  explicit Subtract(const NameOption& options = {});
};
class Multiply : public Layer {
 public:
  explicit Multiply(const NameOption& options = {});
};
class Average : public Layer {
 public:
  explicit Average(const NameOption& options = {});
};
class Maximum : public Layer {
 public:
  explicit Maximum(const NameOption& options = {});
};
class Minimum : public Layer {
 public:
  explicit Minimum(const NameOption& options = {});
};
struct DotOptions {
  Index axes = -1;
  bool normalize = false;
  std::string name = {};
};
/// Products of two inputs summed along an axis. Shapes: two (batch, features) -> (batch, 1).
class Dot : public Layer {
 public:
  explicit Dot(const DotOptions& options = {});
};

struct LayerNormalizationOptions {
  Shape axis = {-1};  ///< one or more; not the batch
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  std::string name = {};
};
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, statistics over `axis`. Weights: gamma,
/// beta, of the sizes of those axes. Source: Ba, Kiros, Hinton, "Layer normalization", 2016.
class LayerNormalization : public Layer {
 public:
  explicit LayerNormalization(const LayerNormalizationOptions& options = {});
};

struct BatchNormalizationOptions {
  Index axis = -1;  ///< the last axis is the only one supported
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Initializer moving_mean_initializer = "zeros";
  Initializer moving_variance_initializer = "ones";
  Regularizer beta_regularizer = {};
  Regularizer gamma_regularizer = {};
  Constraint beta_constraint = {};
  Constraint gamma_constraint = {};
  std::string name = {};
};
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta per feature: statistics of the whole
/// batch while training (masked steps left out), moving averages otherwise. Source: Ioffe, Szegedy,
/// "Batch normalization", 2015.
class BatchNormalization : public Layer {
 public:
  explicit BatchNormalization(const BatchNormalizationOptions& options = {});
};

struct RMSNormalizationOptions {
  Shape axis = {-1};
  double epsilon = 1e-6;
  std::string name = {};
};
/// y = scale x / sqrt(mean(x^2) + epsilon), the mean over `axis`. Weights: scale, of the sizes of
/// those axes. Source: Zhang, Sennrich, "Root mean square layer normalization", 2019.
class RMSNormalization : public Layer {
 public:
  explicit RMSNormalization(const RMSNormalizationOptions& options = {});
};

/// Another layer applied to each step. Shapes: (batch, time, ...) -> (batch, time, ...).
class TimeDistributed : public Layer {
 public:
  explicit TimeDistributed(const Layer& layer, const NameOption& options = {});
};

/// The layer of h[{all, -1, all}].
class GetItem : public Layer {
 public:
  explicit GetItem(const Picks& picks, const NameOption& options = {});
};

/// A plain layer of Keras's class name whose options the describer fills; null for a class that is
/// not in this room. Throws: what the describer throws.
std::shared_ptr<LayerImpl> make_plain_layer(std::string_view class_name, Describer& options);

}  // namespace unroll
