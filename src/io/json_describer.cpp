#include "src/io/json_describer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "unroll/error.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll::io {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// Layers within layers: Bidirectional(RNN(StackedRNNCells(...))) is three deep.
constexpr int deepest = 8;

// --- writing ---

class Writer : public Describer {
 public:
  ordered_json config = ordered_json::object();

  void field(std::string_view name, bool& value) override { config[std::string(name)] = value; }
  void field(std::string_view name, Index& value) override { config[std::string(name)] = value; }
  void field(std::string_view name, double& value) override { config[std::string(name)] = value; }
  void field(std::string_view name, std::string& value) override {
    config[std::string(name)] = value;
  }
  void field(std::string_view name, Activation& value) override {
    config[std::string(name)] = value.name();
  }
  void field(std::string_view name, Initializer& value) override {
    config[std::string(name)] = {
        {"name", value.name()},
        {"a", value.a()},
        {"b", value.b()},
        {"seed", value.seed() < 0 ? ordered_json() : ordered_json(value.seed())}};
  }
  void field(std::string_view name, Regularizer& value) override {
    if (!value) {
      config[std::string(name)] = nullptr;
    } else {
      config[std::string(name)] = {{"l1", value.l1}, {"l2", value.l2}};
    }
  }
  void field(std::string_view name, Constraint& value) override {
    if (!value) {
      config[std::string(name)] = nullptr;
      return;
    }
    config[std::string(name)] = {
        {"name", to_string(value.kind)},
        {"min_value", value.min_value},
        {"max_value", value.max_value},
        {"rate", value.rate},
        {"axis", std::vector<Index>(value.axis.begin(), value.axis.end())}};
  }
  void field(std::string_view name, Shape& value) override {
    ordered_json sizes = ordered_json::array();
    for (const Index size : value) {
      sizes.push_back(size == unknown ? ordered_json() : ordered_json(size));
    }
    config[std::string(name)] = sizes;
  }
  void field(std::string_view name, Picks& value) override {
    ordered_json picks = ordered_json::array();
    for (const Pick& pick : value) {
      if (pick.whole()) {
        picks.push_back("all");
      } else if (pick.one()) {
        picks.push_back(pick.first());
      } else {
        picks.push_back({pick.first(), pick.last()});
      }
    }
    config[std::string(name)] = picks;
  }
  void field(std::string_view name, std::shared_ptr<Component>& value) override {
    config[std::string(name)] = value == nullptr ? ordered_json() : inner(*value);
  }
  void field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) override {
    ordered_json list = ordered_json::array();
    for (const auto& component : value) list.push_back(inner(*component));
    config[std::string(name)] = list;
  }

 private:
  /// Inner layers are not told apart by name; Bidirectional renames its own.
  static ordered_json inner(Component& component) {
    ordered_json object = to_json(component);
    object.erase("name");
    return object;
  }
};

// --- reading ---

class Reader : public Describer {
 public:
  Reader(const json& config, std::string title, int depth)
      : config_(config), title_(std::move(title)), depth_(depth) {}

  void field(std::string_view name, bool& value) override {
    if (const json* found = find(name)) {
      value = checked(*found, found->is_boolean(), name, "true or false").get<bool>();
    }
  }
  void field(std::string_view name, Index& value) override {
    const json* found = find(name);
    if (found == nullptr) return;
    value = whole(*found, name);
    checked(*found, value >= 1 || !counts(name), name, "1 or more");
  }
  void field(std::string_view name, double& value) override {
    if (const json* found = find(name)) value = number(*found, name);
  }
  void field(std::string_view name, std::string& value) override {
    if (const json* found = find(name)) value = text(*found, name);
  }
  void field(std::string_view name, Activation& value) override {
    if (const json* found = find(name)) value = parse_activation(text(*found, name));
  }
  void field(std::string_view name, Initializer& value) override {
    const json* found = find(name);
    if (found == nullptr) return;
    check_keys(*found, name, {"name", "a", "b", "seed"});
    const Initializer kind = parse_initializer(text((*found)["name"], name));
    value = Initializer(kind.kind(), number((*found)["a"], name), number((*found)["b"], name));
    const json& seed = (*found)["seed"];
    if (seed.is_null()) return;
    const Index own = whole(seed, name);
    checked(seed, own >= 0, name, "a seed of 0 or more");
    value = value.with_seed(static_cast<std::uint32_t>(own));
  }
  void field(std::string_view name, Regularizer& value) override {
    const json* found = find(name);
    if (found == nullptr || found->is_null()) return;
    check_keys(*found, name, {"l1", "l2"});
    value = {number((*found)["l1"], name), number((*found)["l2"], name)};
  }
  void field(std::string_view name, Constraint& value) override {
    const json* found = find(name);
    if (found == nullptr || found->is_null()) return;
    check_keys(*found, name, {"name", "min_value", "max_value", "rate", "axis"});
    value = parse_constraint(text((*found)["name"], name));
    value.min_value = number((*found)["min_value"], name);
    value.max_value = number((*found)["max_value"], name);
    value.rate = number((*found)["rate"], name);
    const json& axes = (*found)["axis"];
    checked(axes, axes.is_array() && axes.size() <= Shape::max_rank, name, "a list of axes");
    value.axis = Shape();
    for (const json& axis : axes) value.axis.push_back(whole(axis, name));
  }
  void field(std::string_view name, Shape& value) override {
    const json* found = find(name);
    if (found == nullptr) return;
    const bool fits = found->is_array() && found->size() <= Shape::max_rank;
    checked(*found, fits, name, "a list of at most 8 sizes");
    Shape shape;
    const Index least = counts(name) ? 1 : 0;
    for (const json& size : *found) {
      shape.push_back(size.is_null() ? unknown : whole(size, name));
      checked(size, size.is_null() ? least == 0 : shape[-1] >= least, name,
              least == 0 ? "sizes of 0 or more, or null" : "sizes of 1 or more");
    }
    value = shape;
  }
  void field(std::string_view name, Picks& value) override {
    const json* found = find(name);
    if (found == nullptr) return;
    const bool fits = found->is_array() && found->size() <= Shape::max_rank;
    checked(*found, fits, name, "a list of at most 8 picks");
    value.clear();
    for (const json& pick : *found) value.push_back(pick_of(pick, name));
  }
  void field(std::string_view name, std::shared_ptr<Component>& value) override {
    const json* found = find(name);
    const bool absent = found == nullptr || found->is_null();
    // Bidirectional makes its backward layer itself; nothing else can do without its inner layer.
    if (absent && name != "backward_layer") throw lacks(name);
    value = absent ? nullptr : component(*found, name);
  }
  void field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) override {
    const json* found = find(name);
    if (found == nullptr) throw lacks(name);
    checked(*found, found->is_array() && !found->empty(), name, "a list of one or more");
    value.clear();
    for (const json& one : *found) value.push_back(component(one, name));
  }

  /// Throws: Error (format) for an option that nobody asked for: a newer version wrote it, and what
  /// it means must not be guessed.
  void check_all_read() const {
    for (const auto& [name, ignored] : config_.items()) {
      if (seen_.contains(name)) continue;
      throw Error(ErrorKind::format, title_ + ": no such option", {.got = "\"" + name + "\""});
    }
  }

 private:
  /// Options that are divided by, or that weights are made from.
  static bool counts(std::string_view name) {
    constexpr std::array<std::string_view, 11> names{
        "units",   "input_dim", "output_dim", "n",      "filters",      "kernel_size",
        "strides", "pool_size", "size",       "groups", "dilation_rate"};
    return std::ranges::find(names, name) != names.end();
  }

  void check_keys(const json& value, std::string_view name,
                  std::initializer_list<const char*> keys) const {
    const bool all =
        value.is_object() && value.size() == keys.size() &&
        std::ranges::all_of(keys, [&](const char* key) { return value.contains(key); });
    std::string want;
    for (const char* key : keys) want += (want.empty() ? "an object of " : ", ") + std::string(key);
    checked(value, all, name, want.c_str());
  }

  /// An option that an older version did not write keeps its default.
  const json* find(std::string_view name) {
    seen_.insert(std::string(name));
    const auto found = config_.find(name);
    return found == config_.end() ? nullptr : &*found;
  }

  Error lacks(std::string_view name) const {
    return Error(ErrorKind::format, title_ + ": " + std::string(name) + " is missing");
  }

  const json& checked(const json& value, bool good, std::string_view name, const char* want) const {
    if (good) return value;
    throw Error(ErrorKind::format, title_ + ": " + std::string(name) + " has another form",
                {.got = value.is_primitive() ? value.dump(-1, ' ', true) : value.type_name(),
                 .want = want});
  }
  std::string text(const json& value, std::string_view name) const {
    return checked(value, value.is_string(), name, "a text").get<std::string>();
  }
  double number(const json& value, std::string_view name) const {
    const double result = value.is_number() ? value.get<double>() : NAN;
    checked(value, std::isfinite(result), name, "a number");
    return result;
  }
  Index whole(const json& value, std::string_view name) const {
    constexpr std::int64_t largest = std::int64_t{1} << 31;
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() < largest
                          : value.is_number_integer() && value.get<std::int64_t>() > -largest;
    return checked(value, fits, name, "a whole number below 2^31").get<Index>();
  }
  Pick pick_of(const json& value, std::string_view name) const {
    if (value.is_array() && value.size() == 2) {
      return range(whole(value[0], name), whole(value[1], name));
    }
    if (value.is_string() && value.get<std::string>() == "all") return all;
    return whole(value, name);
  }
  std::shared_ptr<Component> component(const json& value, std::string_view name) const;

  const json& config_;
  std::string title_;
  int depth_;
  std::set<std::string> seen_;
};

/// A layer, or where `cells` says so a cell.
std::shared_ptr<Component> from_json(const json& object, int depth, bool cells) {
  const bool whole_object = object.is_object() && object.contains("class_name") &&
                            object["class_name"].is_string() && object.contains("config") &&
                            object["config"].is_object() &&
                            (!object.contains("name") || object["name"].is_string());
  if (!whole_object || depth > deepest) {
    throw Error(ErrorKind::format, "a layer is not described",
                {.got = whole_object ? "layers nested too deeply" : object.type_name(),
                 .want = R"({"class_name": ..., "name": ..., "config": {...}})"});
  }
  const auto class_name = object["class_name"].get<std::string>();
  Reader reader(object["config"], class_name, depth);
  std::shared_ptr<Component> made = make_plain_layer(class_name, reader);
  if (made == nullptr) made = make_recurrent_layer(class_name, reader);
  if (made == nullptr && cells) made = make_cell(class_name, reader);
  if (made == nullptr) {
    throw Error(ErrorKind::format, "no such layer", {.got = "class \"" + class_name + "\""});
  }
  reader.check_all_read();
  made->name = object.value("name", "");
  return made;
}

std::shared_ptr<Component> Reader::component(const json& value, std::string_view name) const {
  const bool cell = name.starts_with("cell");
  auto made = from_json(value, depth_ + 1, cell);
  const bool is_cell = std::dynamic_pointer_cast<CellImpl>(made) != nullptr;
  if (is_cell == cell) return made;
  throw Error(ErrorKind::format, title_ + ": " + std::string(name) + " is something else",
              {.got = std::string(made->class_name()), .want = cell ? "a cell" : "a layer"});
}

/// Whether a class is unroll's own, so that it can be made again from its name.
bool known(std::string_view class_name, const ordered_json& config) {
  const json copy = json::parse(config.dump());
  Reader reader(copy, std::string(class_name), 0);
  return make_plain_layer(class_name, reader) != nullptr ||
         make_recurrent_layer(class_name, reader) != nullptr ||
         make_cell(class_name, reader) != nullptr;
}

}  // namespace

ordered_json to_json(Component& component) {
  Writer writer;
  component.describe(writer);
  const std::string class_name(component.class_name());
  if (!known(class_name, writer.config)) {
    throw Error(ErrorKind::unsupported,
                "a bundle cannot hold a layer or cell of your own class " + class_name,
                {.hint = "save its weights with get_weights(), and make it again in your program"});
  }
  return {{"class_name", class_name}, {"name", component.name}, {"config", writer.config}};
}

std::shared_ptr<LayerImpl> layer_from_json(const json& object) {
  return std::dynamic_pointer_cast<LayerImpl>(from_json(object, 0, false));
}

}  // namespace unroll::io
