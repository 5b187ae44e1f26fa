// A readout in closed form: the last layer of a model by ridge regression, as echo state networks
// are trained.
//
//   Sequential model{InputLayer({.shape = {unknown, 1}}),
//                    ESN(300, {.spectral_radius = 0.95, .return_sequences = true}), Dense(1)};
//   fit_readout(model, x, y, {.alpha = 1e-6, .washout = 100});
//   Tensor next = model.predict(x);
//
// It works behind any layers, trained or not: it finds the best linear layer for what they give.
#pragma once

#include "unroll/model.h"

namespace unroll {

struct RidgeOptions {
  /// Penalty on the squared weights, per sample: times the number of samples it stands beside the
  /// sums of squares. The bias is not penalised.
  double alpha = 1e-6;
  /// Steps at the beginning of every sequence that are not learned from: until the reservoir has
  /// forgotten that it began with zeros. Only for sequences.
  Index washout = 0;
  Index batch_size = 32;  ///< rows that run at once
};

/// Weights of y = x kernel + bias, in float64.
struct RidgeFit {
  Tensor kernel;  ///< (features, units)
  Tensor bias;    ///< (units)
};

/// The weights that make sum |x kernel + bias - y|^2 / samples + alpha |kernel|^2 least.
/// x (samples, features), y (samples, units), of float32 or float64; computed in float64 by a
/// Cholesky factorisation.
/// Throws: Error (shape); Error (value) for numbers that are not finite, an alpha that is negative,
/// and where the features do not determine the weights (alpha 0).
RidgeFit ridge(const Tensor& x, const Tensor& y, double alpha = 1e-6);

/// Sets the weights of a model's last layer, a Dense without activation, to those that predict y
/// best from x; the other layers stay as they are. The model need not be compiled.
/// Shapes: x as the model's input; y (batch, units), or (batch, time, units) where the last layer
/// gives sequences. Throws: Error (unsupported) where the last layer is another; Error (value) for
/// a washout that leaves no step; and what ridge throws.
void fit_readout(Model& model, const Tensor& x, const Tensor& y, const RidgeOptions& options = {});

}  // namespace unroll
