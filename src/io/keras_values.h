// Initial values, penalties, bounds and precisions as Keras writes them into JSON.
#pragma once

#include <optional>

#include "src/io/json_at.h"
#include "unroll/initializers.h"

namespace unroll::io {

/// {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {...}, ...}
Json to_json(const Initializer& initializer);
/// null for none, else {"module": "keras.regularizers", "class_name": "L2", ...}
Json to_json(const Regularizer& regularizer);
Json to_json(const Constraint& constraint);
/// {"module": "keras", "class_name": "DTypePolicy", ...}
Json to_json(DType dtype);

/// Of such an object, or of a name alone. Throws: Error (format).
Initializer initializer_at(const JsonAt& place);
Regularizer regularizer_at(const JsonAt& place);
Constraint constraint_at(const JsonAt& place);
/// float32 or float64. Throws: Error (format) for another precision.
DType dtype_at(const JsonAt& place);

/// Sizes as a list, or one number for a list of one; null for `unknown` where `nulls` says so.
/// Throws: Error (format) for more than 8.
Shape sizes_at(const JsonAt& place, bool nulls = false);
Json to_json(const Shape& shape, bool nulls = false);

}  // namespace unroll::io
