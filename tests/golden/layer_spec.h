// Layers made from what the reference data says of them: {class_name, kwargs}.
#pragma once

#include <nlohmann/json.hpp>

#include "unroll/layers.h"

namespace unroll::golden {

using Json = nlohmann::ordered_json;

/// Throws: Skip where there is no such class, or it lacks an argument that is given.
std::shared_ptr<LayerImpl> make_layer(const Json& spec);

/// Sizes of a JSON list as a shape.
Shape shape_of(const Json& sizes);

}  // namespace unroll::golden
