// A model's layers and connections as JSON.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "unroll/model.h"

namespace unroll::io {

/// {"class": "Sequential", "name": ..., "layers": [...], "nodes": [...], "inputs": [[0, 0]],
/// "outputs": [[2, 0]]}; docs/formats/bundle.md describes it.
/// Throws: Error (unsupported) for a user's own layer; Error (value) for a model that is not built.
nlohmann::ordered_json to_json(const Model& model);

/// How many numbers the file holds for a layer.
using WeightCount = std::function<Index(const std::string& layer)>;

/// The model of such an object, built, its weights not set yet.
/// Throws: Error (format) for anything that is no model, and, before it is built, for a layer that
///   would need more weights than the file holds.
Model model_from_json(const nlohmann::json& object, const WeightCount& weights);

/// The layers of a model, each once, inputs too, and the names of a layer's weights in a file:
/// "gru/kernel"; of several of one name the later ones are "…_1", "…_2".
const std::vector<std::shared_ptr<LayerImpl>>& layers_of(const Model& model);
std::vector<std::string> weight_names(const LayerImpl& layer);

}  // namespace unroll::io
