// Models as Keras's JSON.
#pragma once

#include "src/io/json.h"
#include "unroll/model.h"

namespace unroll::io {

/// What keras.Model.to_json() gives: {"module", "class_name", "config", "registered_name", ...}.
/// Throws: Error (unsupported) for a layer or cell of a user's own class.
Json model_to_json(const Model& model);

}  // namespace unroll::io
