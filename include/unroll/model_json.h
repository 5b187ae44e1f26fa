// Models as text: Keras's own JSON, and copies of models.
//
//   std::string text = to_json(model);               // keras.models.model_from_json(text) reads it
//   Model again = model_from_json(text);             // built, with new weights
//   again.set_weights(model.get_weights());
//
// The text is what model.to_json() of Keras 3 gives: the layers, their options, how they are
// connected, which of them train. It holds no weights and nothing of compile(); those are in a
// bundle (unroll/bundle.h). Texts of Keras 2 are read too.
#pragma once

#include <string>
#include <string_view>

#include "unroll/model.h"

namespace unroll {

/// The model as Keras writes it. A Sequential need not be built.
/// Throws: Error (unsupported) for a layer or cell of a user's own class, which has no description.
std::string to_json(const Model& model);

struct ModelJsonOptions {
  /// A model of more weights is refused before memory is taken for them.
  Index most_weights = Index{1} << 28;
};

/// The model of such a text: not compiled, its weights new; Keras's compile_config is passed over.
/// Built, unless the text is that of a Sequential that was not.
/// Throws: Error (format) for text that is no JSON, and for what is not understood or out of range,
/// with its place as a JSON pointer: "no such option, at /config/layers/1/config/bogus".
Model model_from_json(std::string_view text, const ModelJsonOptions& options = {});

/// A model of the same layers, names and connections with weights of its own, not compiled. The
/// weights begin anew by the seed that it will be compiled with: the same one gives the same
/// numbers as it gave the original. Throws: as to_json.
Model clone_model(const Model& model);

}  // namespace unroll
