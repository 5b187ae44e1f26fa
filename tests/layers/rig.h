// A layer on a tape of its own, without a model: what the tests of this room run layers with.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {

/// Some rows of a batch.
class TestCall final : public Call {
 public:
  TestCall(Tape& tape, Index rows, Index first_row, bool training) {
    tape_ = &tape;
    rows_ = rows;
    first_row_ = first_row;
    training_ = training;
    seed_ = 7;
    step_ = 3;
  }

  Var use(const Parameter& parameter) override {
    Var& leaf = leaves_[&parameter];
    if (!leaf) leaf = tape_->variable(parameter.value());
    return leaf;
  }
  void add_sparse(const Parameter&, const Var&, const Var&) override {}
  std::span<Tensor> states(const Component&) override { return states_; }
  void set_states(std::span<Tensor> states) { states_ = states; }

  void add_mask(const Mask& mask) { masks_.push_back(mask); }
  Mask out_mask(std::size_t i = 0) const { return i < out_masks_.size() ? out_masks_[i] : Mask{}; }

 private:
  std::map<const Parameter*, Var> leaves_;
  std::span<Tensor> states_;
};

/// Numbers between -1 and 1 that follow from the seed.
Tensor noise(const Shape& shape, std::uint64_t seed, DType dtype = DType::float64);
/// A mask (batch, time) from rows of 0 and 1.
Tensor mask_of(const Shape& shape, std::initializer_list<int> kept);

/// What a layer is tried with.
struct Example {
  std::string name;
  std::function<Layer()> make;
  std::vector<Tensor> inputs;      ///< float64, batch first
  std::vector<Tensor> masks = {};  ///< of the first inputs; an empty one: none
  bool training = false;
};

/// One run of an example's layer.
struct Outcome {
  std::vector<Tensor> outputs;   ///< batch first
  std::vector<Tensor> d_inputs;  ///< of sum_i sum(output_i * noise_i)
  std::vector<Tensor> d_weights;
  double loss = 0;
  Mask mask;  ///< of output 0; its numbers lie in `kept`
  std::vector<std::uint8_t> kept;
};

struct How {
  bool time_first = false;
  Index first_row = 0, last_row = -1;  ///< a lane; -1: to the end
  bool gradients = false;
  std::span<Tensor> states = {};  ///< of the whole batch, for a stateful layer
};

/// Makes the layer's weights of the example's precision, with numbers that are not all alike.
void fill_weights(const Layer& layer, DType dtype);
/// Builds a new layer for the example, with weights filled.
Layer built(const Example& example, DType dtype = DType::float64);
Outcome run(const Layer& layer, const Example& example, const How& how = {});

/// The largest relative distance between gradients and central differences, weights and inputs.
double worst_gradient(const Example& example, bool time_first = false);

/// The text of the refusal that f ends with; empty where there is none.
template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace unroll
