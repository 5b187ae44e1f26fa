// The models of inference that bench/run measures, with weights that every peer makes alike.
#pragma once

#include <string>
#include <vector>

#include "bench/side.h"
#include "unroll/layers.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"

namespace unroll::bench {

inline void set_weights(Model& model) {
  std::vector<Tensor> weights = model.get_weights();
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const Shape& shape = weights[k].shape();
    weights[k] = Tensor::of<float>(shape, weight(shape.elements(), k));
  }
  model.set_weights(weights);
}

/// `layer`: simple_rnn, gru or lstm; gives its last step.
inline Model recurrent_model(const std::string& layer, Index features, Index units) {
  const Symbol x = Input({.shape = {unknown, features}});
  const Symbol y = layer == "gru"    ? GRU(units)(x)
                   : layer == "lstm" ? LSTM(units)(x)
                                     : SimpleRNN(units)(x);
  Model model({.inputs = {x}, .outputs = {y}});
  set_weights(model);
  return model;
}

}  // namespace unroll::bench
