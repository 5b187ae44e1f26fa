#include "src/io/model_reader.h"

#include "src/io/layer_reader.h"

namespace unroll::io {

Model read_model(const JsonAt& place, Index most_weights) {
  LayerReader reader(most_weights);
  Model model = reader.model(place);
  reader.freeze();
  if (reader.dtype.value_or(DType::float32) == DType::float32) return model;
  if (!model.built()) {
    throw place.refusal("a Sequential in float64 that is not built",
                        {.want = "an InputLayer, or \"build_input_shape\""});
  }
  model.set_dtype(*reader.dtype);
  return model;
}

}  // namespace unroll::io
