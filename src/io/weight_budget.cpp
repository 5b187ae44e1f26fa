#include "src/io/weight_budget.h"

#include <fmt/format.h>

#include <algorithm>

namespace unroll::io {

namespace {

/// Numbers in one row of one value.
constexpr double most_elements = 1 << 28;

double size_of_axis(Index size) { return static_cast<double>(std::max<Index>(size, 1)); }

double row_elements(const Shape& shape) {
  double elements = 1;
  for (int axis = 1; axis < shape.rank(); ++axis) elements *= size_of_axis(shape[axis]);
  return elements;
}

double features_of(const Shape& shape) { return shape.empty() ? 1 : size_of_axis(shape[-1]); }

double number_in(const Json& config, const char* name, double otherwise = 1) {
  const auto found = config.find(name);
  return found != config.end() && found->is_number() ? found->get<double>() : otherwise;
}

/// The product of an option that is a size or a list of sizes.
double sizes_in(const Json& config, const char* name) {
  const auto found = config.find(name);
  if (found == config.end() || !found->is_array()) return number_in(config, name);
  double product = 1;
  for (const Json& size : *found) product *= size.is_number() ? size.get<double>() : 1;
  return product;
}

double gates_of(const std::string& class_name) {
  if (class_name.starts_with("LSTM")) return 4;
  return class_name.starts_with("GRU") ? 3 : 1;
}

/// Of cells whose recurrence has no matrix; 0 for all others.
double scanned_weights(const std::string& class_name, const Json& config, double features) {
  const double units = number_in(config, "units");
  const auto is = [&](const char* name) { return class_name.starts_with(name); };
  if (is("LRU")) {
    const double given = number_in(config, "state_size", 0);
    return 2 * (given > 0 ? given : units) * (features + units) + features * units;
  }
  if (is("QRNN")) return 3 * number_in(config, "window", 2) * features * units;
  if (is("MinLSTM") || is("SRU")) return 3 * features * units;
  if (is("MinGRU")) return 2 * features * units;
  return is("IndRNN") ? features * units : 0;
}

double attention_weights(const Json& config, const std::vector<Shape>& inputs) {
  const double heads = number_in(config, "num_heads"), key = number_in(config, "key_dim");
  const double value = number_in(config, "value_dim", key);
  const double query = features_of(inputs[0]);
  const double values = inputs.size() > 1 ? features_of(inputs[1]) : 1;
  const double keys = inputs.size() > 2 ? features_of(inputs[2]) : values;
  return heads * (query * key + keys * key + values * value + value);
}

/// A lower bound of the numbers that a layer's weights have. `inner`: levels below it that count.
double least_weights(const Json& layer, const std::vector<Shape>& inputs, int inner = 4) {
  const auto name = layer.find("class_name"), options = layer.find("config");
  const bool described =
      name != layer.end() && name->is_string() && options != layer.end() && options->is_object();
  if (!described || inputs.empty()) return 0;
  const Json& config = *options;
  const auto& class_name = name->text();
  const double features = features_of(inputs[0]), units = number_in(config, "units");
  if (class_name == "Embedding" || class_name == "ReversibleEmbedding") {
    return number_in(config, "input_dim") * number_in(config, "output_dim");
  }
  if (class_name == "MultiHeadAttention") return attention_weights(config, inputs);
  if (class_name.ends_with("Normalization")) return features;
  if (class_name.starts_with("ConvLSTM")) {
    const double filters = number_in(config, "filters");
    return 4 * filters * sizes_in(config, "kernel_size") * (features + filters);
  }
  if (class_name.starts_with("Conv")) {
    const double channels = std::max(1.0, features / number_in(config, "groups"));
    return sizes_in(config, "kernel_size") * channels * number_in(config, "filters");
  }
  if (class_name == "Dense") return features * units;
  if (const double scanned = scanned_weights(class_name, config, features); scanned > 0) {
    return scanned;
  }
  double sum = 0;
  if (config.contains("units")) sum = gates_of(class_name) * units * (units + features);
  for (const char* part : {"layer", "backward_layer", "cell"}) {
    const auto found = config.find(part);
    if (found != config.end() && inner > 0) sum += least_weights(*found, inputs, inner - 1);
  }
  // Within a stack only the first cell sees the input.
  const auto cells = config.find("cells");
  for (std::size_t i = 0; cells != config.end() && inner > 0 && i < cells->size(); ++i) {
    const std::vector<Shape> seen = i == 0 ? inputs : std::vector<Shape>{{unknown, unknown, 1}};
    sum += least_weights((*cells)[i], seen, inner - 1);
  }
  return sum;
}

}  // namespace

void WeightBudget::build(Layer& layer, const JsonAt& place, const std::vector<Shape>& inputs) {
  if (!layer.built()) {
    const auto spend = [&](double numbers) {
      if (numbers <= left_) return;
      throw place.refusal("layer \"" + layer.name() + "\" needs more weights than there may be",
                          {.got = fmt::format("{:g} numbers or more", numbers),
                           .want = "at most " + std::to_string(most_) + " in all layers"});
    };
    spend(least_weights(place.value(), inputs));
    refusing_at(place, [&] { layer.impl().build_once(inputs); });
    const auto made = static_cast<double>(layer.count_params());
    spend(made);
    left_ -= made;
  }
  const auto shapes = refusing_at(place, [&] { return layer.impl().output_shapes(inputs); });
  for (const Shape& shape : shapes) check_size(shape, place);
}

void WeightBudget::check_size(const Shape& shape, const JsonAt& place) {
  if (shape.rank() >= 1 && row_elements(shape) <= most_elements) return;
  throw place.refusal("values of an absurd size", {.got = shape.to_string()});
}

}  // namespace unroll::io
