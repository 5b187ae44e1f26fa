// A small graph on one lane, to be asked for values and gradients.
#pragma once

#include <string>
#include <vector>

#include "src/model/lane.h"
#include "unroll/layers.h"

namespace unroll {

/// Numbers that look random and are the same every time, from -spread to spread.
Tensor noise(const Shape& shape, std::uint64_t stream, double spread = 1,
             DType dtype = DType::float64);

/// Runs a graph over given inputs, forward and back from fixed gradients of the outputs.
class Rig {
 public:
  struct Options {
    bool training = false;
    DType dtype = DType::float64;
    std::uint64_t seed = 5;  ///< of random numbers
  };

  /// `values`: of the inputs, batch first. All weights get new numbers, none of them zero.
  Rig(const Symbols& inputs, const Symbols& outputs, std::vector<Tensor> values,
      const Options& options);

  /// The outputs, batch first, computed without a record.
  std::vector<Tensor> outputs();
  /// Masks of the outputs, (rows, time) of uint8; empty where there is none.
  std::vector<Tensor> output_masks();
  /// Gradients of loss() for the inputs that are real numbers, then for the trainable weights.
  std::vector<Tensor> gradients();
  /// The numbers that gradients() speaks of; they may be changed.
  std::vector<Tensor> variables();
  /// The outputs, each number times a fixed one, summed.
  double loss();
  /// Says that variables() have been changed.
  void changed();

  const Graph& graph() const noexcept { return graph_; }

 private:
  void run(bool recording);
  Tensor gradient_of(const Parameter& weight);

  std::vector<Tensor> values_;
  Options options_;
  Graph graph_;
  Lane lane_;
  LaneGradient gradient_;
  FlatWeights flat_;
  std::vector<Var> inputs_, outputs_;
};

/// The outputs of a layer's use, each by itself.
Symbols outputs_of(const Symbol& used);
/// The largest |a - b|; infinite where shapes differ or one is not a number.
double distance(const Tensor& a, const Tensor& b);
/// The largest |a|.
double magnitude(const Tensor& a);

/// Checks gradients() against central differences of loss(). Step 1e-5; the error of each is
/// compared with its own size, or with 1e-3 where that is larger. Returns the worst.
double gradient_error(Rig& rig);

/// Remembers a gradient check: the worst of all is printed when the program ends.
void note_gradient_error(const std::string& of, double error);

}  // namespace unroll
