// Layers and cells from Keras's JSON, and what the layers of one text have in common.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "src/io/json_at.h"
#include "src/io/weight_budget.h"
#include "unroll/model.h"

namespace unroll::io {

/// Reads the layers of one text, nested models and all.
class LayerReader {
 public:
  explicit LayerReader(Index most_weights) : budget(most_weights) {}

  /// A layer, not built yet; or where `cell` says so a cell. `call`: the keyword arguments of its
  /// first call. Throws: Error (format).
  std::shared_ptr<Component> component(const JsonAt& place, bool cell = false,
                                       const std::optional<JsonAt>& call = std::nullopt);
  std::shared_ptr<LayerImpl> layer(const JsonAt& place,
                                   const std::optional<JsonAt>& call = std::nullopt);
  /// A model of any kind.
  Model model(const JsonAt& place);
  /// Whether this is one.
  static bool is_model(const JsonAt& place);

  /// The layers of a Sequential, built one after another for rows of this shape.
  void build_sequence(std::vector<Layer>& layers, const JsonAt& places, Shape shape);
  /// Builds one layer for its inputs.
  void build(Layer& layer, const JsonAt& place, const std::vector<Shape>& inputs);

  /// Stops the weights of the cells that the text says are frozen. Once, when all are built.
  void freeze() const;
  /// Freezes a whole model where its config says so.
  void note_trainable(const JsonAt& config, const Model& model);

  /// Throws: Error (format) for the text that has more than anybody writes.
  void count(const JsonAt& place);

  WeightBudget budget;
  /// Of all layers, where any says it.
  std::optional<DType> dtype;

 private:
  std::shared_ptr<Component> made(const JsonAt& place, bool cell,
                                  const std::optional<JsonAt>& call);
  void note_dtype(const JsonAt& config);
  Model sequential(const JsonAt& place);

  std::map<std::uint64_t, std::shared_ptr<Component>> shared_;
  std::vector<std::shared_ptr<Component>> frozen_;
  int depth_ = 0;
  Index counted_ = 0;
};

/// A Functional model of such a place. Throws: Error (format).
Model read_functional(LayerReader& reader, const JsonAt& place);

/// GetItem's picks for an input of a shape, which may be unknown: an open end needs a known size.
Picks picks_at(const JsonAt& place, const Shape& input);

}  // namespace unroll::io
