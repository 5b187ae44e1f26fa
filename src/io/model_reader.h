// Models from Keras's JSON.
#pragma once

#include "src/io/json_at.h"
#include "unroll/model.h"

namespace unroll::io {

/// The model that a text of Keras 3 or Keras 2 describes; `most_weights` as in ModelJsonOptions.
/// Throws: Error (format), with the place of what is not understood.
Model read_model(const JsonAt& place, Index most_weights);

}  // namespace unroll::io
