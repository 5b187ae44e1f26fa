#include "src/io/layer_reader.h"

#include <algorithm>

#include "src/io/keras_values.h"
#include "src/io/options_reader.h"
#include "src/io/registry.h"
#include "src/model/model_impl.h"
#include "src/model/nested.h"
#include "unroll/layers.h"

namespace unroll::io {

namespace {

/// Layers within layers: Bidirectional(RNN(StackedRNNCells(...))) is three deep.
constexpr int deepest = 16;
/// Layers and calls of one text; what walks a graph goes as deep as the graph is long.
constexpr Index most_layers = 10'000;

/// Throws: Error (format) for an entry that nobody here reads.
void expect_keys(const JsonAt& place, std::initializer_list<std::string_view> known) {
  for (const auto& [name, ignored] : place.object().value().items()) {
    if (std::ranges::find(known, name) == known.end()) throw place.at(name).refusal("not known");
  }
}

/// What Keras says of an object beside its class and options, compiling included.
void expect_object(const JsonAt& place) {
  expect_keys(place,
              {"module", "class_name", "config", "registered_name", "build_config", "name",
               "inbound_nodes", "shared_object_id", "compile_config", "keras_version", "backend"});
}

std::optional<std::string> name_at(const JsonAt& place) {
  const auto config = place.find("config");
  for (const auto& object : {config, std::optional(place)}) {
    const auto name = object ? object->find("name") : std::nullopt;
    if (name && !name->is_null()) return name->text();
  }
  return std::nullopt;
}

/// Bidirectional gives its layers these prefixes when it is built.
std::string without_direction(const std::string& name) {
  for (const std::string_view prefix : {"forward_", "backward_"}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

}  // namespace

// --- picks ---

namespace {

std::optional<Index> end_at(const JsonAt& slice, const char* name) {
  const auto end = slice.find(name);
  if (!end || end->is_null()) return std::nullopt;
  return end->whole();
}

Pick pick_at(const JsonAt& place, Index size) {
  if (!place.is_object()) return place.whole();
  if (place.at("class_name").text() != "__slice__") throw place.refusal("neither place nor slice");
  const JsonAt slice = place.at("config");
  const auto start = end_at(slice, "start"), stop = end_at(slice, "stop"),
             step = end_at(slice, "step");
  if (step.value_or(1) != 1) throw slice.at("step").refusal("a slice in steps", {.want = "1"});
  if (stop) return range(start.value_or(0), *stop);
  if (!start || *start == 0) return all;
  if (size != unknown) return range(*start, size);
  throw slice.refusal("a slice without an end of an axis of unknown size");
}

}  // namespace

Picks picks_at(const JsonAt& place, const Shape& input) {
  const auto items = place.find("items");  // {"class_name": "__tuple__", "items": [...]}
  const JsonAt list = items ? *items : place;
  const auto size_of = [&](std::size_t axis) {
    return static_cast<int>(axis) < input.rank() ? input[static_cast<int>(axis)] : unknown;
  };
  if (!list.is_list()) return {pick_at(list, size_of(0))};
  if (list.size() > Shape::max_rank) throw list.refusal("more than 8 picks");
  Picks picks;
  for (std::size_t i = 0; i < list.size(); ++i) picks.push_back(pick_at(list.at(i), size_of(i)));
  return picks;
}

// --- components ---

bool LayerReader::is_model(const JsonAt& place) {
  const auto name = place.find("class_name");
  if (!name || !name->is_text()) return false;
  return name->text() == "Sequential" || name->text() == "Functional" || name->text() == "Model";
}

void LayerReader::count(const JsonAt& place) {
  if (++counted_ > most_layers) {
    throw place.refusal("too many layers and calls",
                        {.want = "at most " + std::to_string(most_layers)});
  }
}

std::shared_ptr<LayerImpl> LayerReader::layer(const JsonAt& place,
                                              const std::optional<JsonAt>& call) {
  return std::dynamic_pointer_cast<LayerImpl>(component(place, false, call));
}

std::shared_ptr<Component> LayerReader::component(const JsonAt& place, bool cell,
                                                  const std::optional<JsonAt>& call) {
  count(place);
  // One object that stands in several places.
  const auto id = place.find("shared_object_id");
  if (id && !id->value().is_number_unsigned()) throw id->refusal("not an object's number");
  const bool known = id && shared_.contains(id->value().get<std::uint64_t>());
  if (known) {
    const auto same = shared_.at(id->value().get<std::uint64_t>());
    const bool is_cell = std::dynamic_pointer_cast<LayerImpl>(same) == nullptr;
    if (is_cell != cell) throw id->refusal("another kind of object");
    return same;
  }
  if (++depth_ > deepest) throw place.refusal("layers nested too deeply");
  auto result = made(place, cell, call);
  --depth_;
  if (const auto name = name_at(place)) result->name = *name;
  if (id) shared_[id->value().get<std::uint64_t>()] = result;
  return result;
}

std::shared_ptr<Component> LayerReader::made(const JsonAt& place, bool cell,
                                             const std::optional<JsonAt>& call) {
  const JsonAt class_at = place.at("class_name"), config = place.at("config").object();
  const std::string& class_name = class_at.text();
  expect_object(place);
  if (is_model(place) && !cell) return Layer(model(place)).shared_impl();
  const auto registered = place.find("registered_name");
  const bool own =
      registered && registered->is_text() && registered->text().find('>') != std::string::npos;
  if (own || (cell ? !is_cell(class_name) : !is_layer(class_name))) {
    throw class_at.refusal(cell ? "no such cell" : "no such layer",
                           {.hint = "unroll help layers lists what there is"});
  }
  if (class_name != "InputLayer") note_dtype(config);
  if (class_name == "GetItem") {
    return GetItem(picks_at(config.at("key"), {})).shared_impl();
  }
  OptionsReader options(config, class_name, call, [&](const JsonAt& inner, bool inner_cell) {
    if (is_model(inner)) throw inner.refusal("a model inside of a layer");
    auto part = component(inner, inner_cell);
    if (class_name == "Bidirectional") part->name = without_direction(part->name);
    return part;
  });
  auto result = refusing_at(place, [&] { return make_component(class_name, options); });
  options.check_all_read();
  const auto trainable = config.find("trainable");
  if (!trainable || trainable->is_null() || trainable->flag()) return result;
  if (auto* frozen = dynamic_cast<LayerImpl*>(result.get())) {
    frozen->set_trainable(false);
  } else {
    frozen_.push_back(result);  // a cell, which has no weights yet
  }
  return result;
}

void LayerReader::note_dtype(const JsonAt& config) {
  const auto place = config.find("dtype");
  if (!place || place->is_null()) return;
  const DType found = dtype_at(*place);
  if (dtype && *dtype != found) {
    throw place->refusal("layers of several precisions",
                         {.got = std::string(to_string(found)),
                          .want = std::string(to_string(*dtype)) + ", as the layers before"});
  }
  dtype = found;
}

void LayerReader::note_trainable(const JsonAt& config, const Model& model) {
  const auto trainable = config.find("trainable");
  if (!trainable || trainable->is_null() || trainable->flag()) return;
  for (const Layer& layer : model.layers()) layer.impl().set_trainable(false);
}

void LayerReader::freeze() const {
  for (const auto& cell : frozen_) {
    for (Parameter* parameter : cell->parameters()) parameter->trainable = false;
  }
}

// --- building ---

void LayerReader::build(Layer& layer, const JsonAt& place, const std::vector<Shape>& inputs) {
  auto* nested = dynamic_cast<NestedModel*>(&layer.impl());
  if (nested != nullptr && nested->model()->graph == nullptr && !inputs.empty()) {
    build_sequence(nested->model()->sequence, place.at("config").at("layers"), inputs[0]);
  }
  budget.build(layer, place, inputs);
}

void LayerReader::build_sequence(std::vector<Layer>& layers, const JsonAt& places, Shape shape) {
  WeightBudget::check_size(shape, places);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].class_name() == "InputLayer") continue;
    const JsonAt place = places.at(i);
    build(layers[i], place, {shape});
    const auto outputs = layers[i].impl().output_shapes(std::span(&shape, 1));
    if (outputs.size() != 1) throw place.refusal("a layer of several outputs in a Sequential");
    shape = outputs[0];
  }
}

// --- models ---

Model LayerReader::model(const JsonAt& place) {
  const JsonAt class_at = place.at("class_name");
  expect_object(place);
  if (class_at.text() == "Sequential") return sequential(place);
  if (is_model(place)) {
    expect_keys(place.at("config"),
                {"name", "trainable", "dtype", "layers", "input_layers", "output_layers"});
    return read_functional(*this, place);
  }
  throw class_at.refusal("no such model", {.want = "Sequential or Functional",
                                           .hint = "a class of your own has no description"});
}

Model LayerReader::sequential(const JsonAt& place) {
  const JsonAt config = place.at("config");
  // Early versions of Keras had the list alone.
  const JsonAt list = config.is_list() ? config : config.at("layers");
  if (config.is_object()) {
    expect_keys(config, {"name", "trainable", "dtype", "layers", "build_input_shape"});
  }
  std::vector<Layer> layers;
  std::optional<Shape> shape;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const JsonAt entry = list.at(i);
    const auto early = entry.at("config").find("batch_input_shape");
    layers.emplace_back(layer(entry));
    const bool input = layers.back().class_name() == "InputLayer";
    if (input && i > 0) throw entry.refusal("an InputLayer behind other layers");
    if (input) {
      shape = layers[0].impl().output_shapes({})[0];
    } else if (early && i == 0) {
      shape = sizes_at(*early, true);
    }
  }
  const auto build_shape = [&](const std::optional<JsonAt>& of, const char* name) {
    const auto given = of ? of->find(name) : std::nullopt;
    const bool sizes =
        given && given->is_list() && given->size() > 0 && !given->at(std::size_t{0}).is_list();
    if (sizes && !shape) shape = sizes_at(*given, true);
  };
  build_shape(config, "build_input_shape");
  build_shape(place.find("build_config"), "input_shape");
  if (shape && shape->empty()) throw place.refusal("a shape without a batch");
  if (shape) build_sequence(layers, list, *shape);
  const std::string name = name_at(place).value_or("sequential");
  return refusing_at(place, [&]() -> Model {
    Sequential model(layers, name);
    if (shape && !layers.empty()) model.build(*shape);
    note_trainable(config, model);
    return model;
  });
}

}  // namespace unroll::io
