// Pictures of models: boxes for layers, arrows for what goes from one to the next.
//
//   plot_model(model, "model.svg", {.show_shapes = true});
//   std::string text = to_dot(model);              // for other programs that read Graphviz's dot
//
// Graphviz draws, as a process of its own; no shell is involved.
#pragma once

#include <string>

#include "unroll/model.h"

namespace unroll {

/// Options of both, in Keras's order.
struct PlotModelOptions {
  bool show_shapes = false;
  bool show_layer_names = true;
  std::string rankdir = "TB";  ///< where the arrows point: TB, BT, LR or RL
  bool expand_nested = false;  ///< models within the model are drawn as what they are made of
  int dpi = 200;               ///< pixels an inch, of PNG
  bool show_layer_activations = false;
  bool show_trainable = false;
};

/// The model in Graphviz's language: a box a layer, however often it is used; dashed arrows for
/// masks that are given. A Sequential begins with its first layer.
/// Throws: Error (value) for a model that is not built, and for options out of range.
std::string to_dot(const Model& model, const PlotModelOptions& options = {});

/// Writes a picture: .svg, .png or .pdf by Graphviz, or .dot, its language, without it. An old file
/// is replaced at once or not at all.
/// Throws: Error (value) for another ending; Error (file) where it cannot be written; Error
/// (unsupported) where Graphviz is missing or fails.
void plot_model(const Model& model, const std::string& path, const PlotModelOptions& options = {});

/// Any graph in that language as such a file. Throws: as plot_model.
void save_dot(const std::string& dot, const std::string& path);

}  // namespace unroll
