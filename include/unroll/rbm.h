// A restricted Boltzmann machine: units that are seen, hidden units, and one set of weights between
// them that is used in both directions.
//
//   RBM machine({.visible = 784, .hidden = 128});
//   machine.fit(digits, {.epochs = 10});              // (rows, 784), 0 to 1
//   Tensor again = machine.reconstruct(digits);       // through the hidden units and back
//   Layer first = machine.dense();                    // a Dense layer that begins with its weights
//
//   hidden    p(h = 1 | v) = sigmoid(v W + b)
//   visible   Bernoulli: p(v = 1 | h) = sigmoid(h W' + a)    Gaussian, variance 1: mean h W' + a
//   energy    E(v, h) = -v W h - b h - a v  (Bernoulli), or |v - a|^2 / 2 - v W h - b h  (Gaussian)
//   learning  contrastive divergence: the weights follow <v h> of the data less <v h> after k steps
//             of sampling that begin at the data (CD-k), or where they last ended (persistent)
//
// Source: Smolensky, 1986; Hinton, "Training products of experts by minimizing contrastive
// divergence", 2002; Tieleman, 2008 (persistent); Hinton, "A practical guide to training restricted
// Boltzmann machines", 2010.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "unroll/model.h"

namespace unroll {

struct RBMOptions {
  Index visible = 0;      ///< required
  Index hidden = 0;       ///< required
  bool gaussian = false;  ///< visible units are real numbers of variance 1 rather than 0 or 1
  std::uint64_t seed = 0;
};

struct RBMFitOptions {
  Index epochs = 10;
  Index batch_size = 32;
  double learning_rate = 0.05;  ///< for Gaussian units about a tenth of that
  double momentum = 0.5;        ///< 0.9 from the sixth epoch on
  double weight_decay = 1e-4;
  Index k = 1;              ///< steps of sampling
  bool persistent = false;  ///< the sampling goes on from batch to batch
  Progress progress = {};
  std::function<bool()> interrupted = {};  ///< asked after every batch; true ends it there
};

/// A handle: copies are the same machine. Threads: one at a time.
class RBM {
 public:
  /// Throws: Error (value) for sizes that are not positive.
  explicit RBM(const RBMOptions& options);

  /// Learns rows (rows, visible) of float32: 0 to 1 for Bernoulli units, where a number between is
  /// a probability; of mean 0 and variance 1 for Gaussian ones. The history has
  /// "reconstruction_error", the mean squared difference after one way there and back, by epoch.
  /// Throws: Error (shape) for other rows; Error (value) for numbers outside what the units can be,
  ///   and for options outside their range.
  History fit(const Tensor& x, const RBMFitOptions& options = {});

  /// p(h = 1 | v): (rows, visible) -> (rows, hidden).
  Tensor hidden(const Tensor& v) const;
  /// What the visible units are expected to be: (rows, hidden) -> (rows, visible).
  Tensor visible(const Tensor& h) const;
  /// There and back, without chance: visible(hidden(v)).
  Tensor reconstruct(const Tensor& v) const;
  /// There and back with hidden units that are drawn, `steps` times: a sample of what the machine
  /// believes. The last way back gives expectations. The same seed, the same sample.
  Tensor sample(const Tensor& v, Index steps, std::uint64_t seed = 0) const;
  /// -log of the unnormalised probability of each row: (rows, visible) -> (rows), float64. Lower is
  /// more probable.
  Tensor free_energy(const Tensor& v) const;

  /// W (visible, hidden), a (visible), b (hidden).
  std::vector<Tensor> get_weights() const;
  /// Throws: Error (shape).
  void set_weights(const std::vector<Tensor>& weights);
  /// Dense(hidden, sigmoid) that begins with these weights; it is built, and trains on its own
  /// copy.
  Layer dense(const std::string& name = {}) const;

 private:
  struct Impl;
  class Contrast;
  std::shared_ptr<Impl> impl_;
};

}  // namespace unroll
