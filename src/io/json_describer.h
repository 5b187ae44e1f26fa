// Options of layers and cells as JSON, in Keras's words.
#pragma once

#include <nlohmann/json.hpp>

#include "unroll/layer.h"

namespace unroll::io {

/// {"class_name": "Dense", "name": "dense", "config": {"units": 1, ...}}
/// Throws: Error (unsupported) for a class that is not unroll's own.
nlohmann::ordered_json to_json(Component& component);

/// The layer of such an object, not built yet.
/// Throws: Error (format) for a class, an option or a value that this version does not know.
std::shared_ptr<LayerImpl> layer_from_json(const nlohmann::json& object);

}  // namespace unroll::io
