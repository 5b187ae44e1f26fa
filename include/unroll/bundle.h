// Bundles: a trained model in one file, `.unroll`.
//
//   save_bundle({.model = model, .scalers = {{"input", scaler}}, .sample = test.x.tensor()},
//               "model.unroll");
//   Bundle again = load_bundle("model.unroll");
//   Tensor y = again.model.predict(x);              // the same bytes as before
//
// A bundle is a safetensors file, which many programs read: the weights, and in its header the
// layers, their options and how they are connected, the scalers, and whatever the task noted. It
// also holds a few inputs with the outputs that the model gave for them; loading runs them again
// and refuses a model that gives others. docs/formats/bundle.md describes every byte.
//
// Nothing in a bundle is ever executed: the layers are unroll's own, named by their classes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/model.h"
#include "unroll/scalers.h"
#include "unroll/stream.h"

namespace unroll {

/// A model and what is needed to use it.
struct Bundle {
  Model model;
  std::vector<std::pair<std::string, Scaler>> scalers = {};          ///< by name
  std::vector<std::pair<std::string, std::string>> properties = {};  ///< what the task notes
  /// Numbers that the task keeps, by name.
  std::vector<std::pair<std::string, Tensor>> tensors = {};
  /// Inputs, a few rows of each, that are run again when the bundle is loaded; none: no such check.
  Tensors sample = {};
  /// How the file keeps the kernels of products. Fewer bits than float32 round them: a model that
  /// has been loaded computes with the rounded ones, and PackedModel(model, {.weights = weights})
  /// takes them as they are.
  WeightType weights = WeightType::float32;

  /// Throws: Error (format) where there is no such entry.
  const Scaler& scaler(std::string_view name) const;
  const std::string& property(std::string_view name) const;
  const Tensor& tensor(std::string_view name) const;
};

/// Writes a bundle. The old file is replaced when the new one is complete and on the disk, or not
/// at all. Throws: Error (file) where it cannot be written; Error (unsupported) for a layer or cell
/// of a
///   user's own class, whose code no file can hold; Error (value) for a model that is not built.
void save_bundle(const Bundle& bundle, const std::string& path);

/// Reads a bundle.
/// Throws: Error (file) where it cannot be read; Error (format) for bytes that are no bundle,
/// naming
///   what is wrong, and for a model that gives other outputs than when it was saved.
Bundle load_bundle(const std::string& path);

/// The same in memory; refusals call the bytes `name`.
std::string write_bundle(const Bundle& bundle);
Bundle parse_bundle(std::string_view bytes, std::string_view name = "bundle");

}  // namespace unroll
