// Layers made from what the reference data says of them: {class_name, kwargs}.
#pragma once

#include "tests/golden/json.h"
#include "unroll/layers.h"

namespace unroll::golden {

/// Throws: Skip where there is no such class, or it lacks an argument that is given.
std::shared_ptr<LayerImpl> make_layer(const Json& spec);

}  // namespace unroll::golden
