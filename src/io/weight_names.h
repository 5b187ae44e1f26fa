// The weights of a model by name, as files have them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "unroll/model.h"

namespace unroll::io {

/// The layers of a built model, each once, inputs too; without those that stand before its inputs,
/// which do not run. Throws: Error (value) for a model that is not built.
std::vector<std::shared_ptr<LayerImpl>> layers_of(const Model& model);

/// The names of a layer's weights: "gru/kernel"; of several of one name the later ones are "…_1",
/// "…_2".
std::vector<std::string> weight_names(const LayerImpl& layer);

}  // namespace unroll::io
