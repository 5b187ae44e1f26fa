#include "src/io/keras_values.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace unroll::io {

namespace {

Json object_of(const char* module, std::string_view class_name, Json config) {
  return {{"module", module},
          {"class_name", class_name},
          {"config", std::move(config)},
          {"registered_name", nullptr}};
}

/// Keras's class of a kind, "GlorotUniform": among its names the one that is no function's.
std::string_view class_of(InitializerKind kind) {
  for (const auto& [name, known] : initializer_names) {
    if (known == kind && name[0] >= 'A' && name[0] <= 'Z') return name;
  }
  return "Zeros";
}

constexpr std::array<const char*, 3> modes{"fan_in", "fan_out", "fan_avg"};
constexpr std::array<const char*, 3> distributions{"truncated_normal", "untruncated_normal",
                                                   "uniform"};

/// What Keras calls the two numbers of a kind; null for one that it does not have.
std::array<const char*, 2> parameters_of(InitializerKind kind) {
  switch (kind) {
    case InitializerKind::constant:
      return {"value", nullptr};
    case InitializerKind::random_uniform:
      return {"minval", "maxval"};
    case InitializerKind::random_normal:
    case InitializerKind::truncated_normal:
      return {"mean", "stddev"};
    case InitializerKind::orthogonal:
    case InitializerKind::identity:
      return {"gain", nullptr};
    case InitializerKind::variance_scaling:
      return {"scale", nullptr};
    default:
      return {nullptr, nullptr};
  }
}

bool draws(InitializerKind kind) {
  return kind != InitializerKind::zeros && kind != InitializerKind::ones &&
         kind != InitializerKind::constant && kind != InitializerKind::identity;
}

/// The class and the options of {"class_name": ..., "config": {...}}, or a name alone.
struct Named {
  JsonAt name;
  std::optional<JsonAt> config;
};

Named named_at(const JsonAt& place) {
  if (place.is_text()) return {place, std::nullopt};
  return {place.at("class_name"), place.find("config")};
}

/// Throws: Error (format) for options that are not in the list.
void expect_keys(const std::optional<JsonAt>& config, std::initializer_list<const char*> keys) {
  if (!config) return;
  for (const auto& [name, ignored] : config->object().value().items()) {
    const bool known = std::ranges::any_of(
        keys, [&name = name](const char* key) { return key != nullptr && name == key; });
    if (!known) throw config->at(name).refusal("no such option");
  }
}

double number_of(const std::optional<JsonAt>& config, const char* name, double otherwise) {
  if (!config || name == nullptr) return otherwise;
  const auto found = config->find(name);
  return found ? found->number() : otherwise;
}

/// The place of a word in a list.
template <std::size_t N>
std::size_t choice_of(const std::optional<JsonAt>& config, const char* name,
                      const std::array<const char*, N>& words, std::size_t otherwise) {
  const auto found = config ? config->find(name) : std::nullopt;
  if (!found) return otherwise;
  std::string want;
  for (std::size_t i = 0; i < N; ++i) {
    if (found->text() == words[i]) return i;
    want += (i > 0 ? ", " : "") + std::string(words[i]);
  }
  // What Keras 2 called the truncated one.
  if (found->text() == "normal") return 0;
  throw found->refusal("no such " + std::string(name), {.want = want});
}

Initializer with_seed_of(const Initializer& initializer, const std::optional<JsonAt>& config) {
  const auto seed = config ? config->find("seed") : std::nullopt;
  if (!seed || seed->is_null()) return initializer;
  const Index number = seed->whole();
  if (number < 0) throw seed->refusal("a negative seed");
  return initializer.with_seed(static_cast<std::uint32_t>(number));
}

}  // namespace

// --- initializers ---

Json to_json(const Initializer& initializer) {
  const InitializerKind kind = initializer.kind();
  Json config = Json::object();
  const auto names = parameters_of(kind);
  if (names[0] != nullptr) config[names[0]] = initializer.a();
  if (names[1] != nullptr) config[names[1]] = initializer.b();
  if (kind == InitializerKind::variance_scaling) {
    const auto both = static_cast<std::size_t>(initializer.b());
    config["mode"] = modes[both / 3];
    config["distribution"] = distributions[both % 3];
  }
  if (draws(kind)) {
    config["seed"] = initializer.seed() < 0 ? Json() : Json(initializer.seed());
  }
  return object_of("keras.initializers", class_of(kind), config);
}

Initializer initializer_at(const JsonAt& place) {
  const Named given = named_at(place);
  const InitializerKind kind =
      refusing_at(given.name, [&] { return parse_initializer(given.name.text()); }).kind();
  const auto names = parameters_of(kind);
  const bool scaling = kind == InitializerKind::variance_scaling;
  // The axes are those that Keras would take by itself; "dtype" is a habit of Keras 2.
  expect_keys(given.config, {names[0], names[1], "seed", "input_axes", "output_axes", "dtype",
                             scaling ? "mode" : nullptr, scaling ? "distribution" : nullptr});
  for (const char* axes : {"input_axes", "output_axes"}) {
    const auto found = given.config ? given.config->find(axes) : std::nullopt;
    if (found && !found->is_null()) throw found->refusal("axes of its own", {.want = "null"});
  }
  const Initializer plain(kind);
  const double a = number_of(given.config, names[0], plain.a());
  double b = number_of(given.config, names[1], plain.b());
  if (scaling) {
    b = 3.0 * static_cast<double>(choice_of(given.config, "mode", modes, 0)) +
        static_cast<double>(choice_of(given.config, "distribution", distributions, 0));
  }
  return with_seed_of(Initializer(kind, a, b), given.config);
}

// --- regularizers ---

Json to_json(const Regularizer& regularizer) {
  if (!regularizer) return nullptr;
  Json config = Json::object();
  if (regularizer.l1 != 0) config["l1"] = regularizer.l1;
  if (regularizer.l2 != 0) config["l2"] = regularizer.l2;
  const char* name = config.size() == 2 ? "L1L2" : (regularizer.l1 != 0 ? "L1" : "L2");
  return object_of("keras.regularizers", name, config);
}

Regularizer regularizer_at(const JsonAt& place) {
  if (place.is_null()) return {};
  const Named given = named_at(place);
  const std::string& name = given.name.text();
  const bool first = name == "L1" || name == "l1", second = name == "L2" || name == "l2";
  const bool both = name == "L1L2" || name == "l1_l2";
  if (!first && !second && !both) {
    throw given.name.refusal("no such regularizer", {.want = "L1, L2 or L1L2"});
  }
  expect_keys(given.config, {second ? nullptr : "l1", first ? nullptr : "l2"});
  // L1L2 of nothing is none; the others have 0.01.
  const double otherwise = both && given.config ? 0 : 0.01;
  return {second ? 0 : number_of(given.config, "l1", otherwise),
          first ? 0 : number_of(given.config, "l2", otherwise)};
}

// --- constraints ---

namespace {

struct ConstraintClass {
  ConstraintKind kind;
  const char* name;
  bool min_value, max_value, rate, axis;
};
constexpr std::array<ConstraintClass, 4> constraint_classes{{
    {ConstraintKind::max_norm, "MaxNorm", false, true, false, true},
    {ConstraintKind::non_neg, "NonNeg", false, false, false, false},
    {ConstraintKind::unit_norm, "UnitNorm", false, false, false, true},
    {ConstraintKind::min_max_norm, "MinMaxNorm", true, true, true, true},
}};

const ConstraintClass& class_of(ConstraintKind kind) {
  return *std::ranges::find(constraint_classes, kind, &ConstraintClass::kind);
}

}  // namespace

Json to_json(const Constraint& constraint) {
  if (!constraint) return nullptr;
  const ConstraintClass& known = class_of(constraint.kind);
  Json config = Json::object();
  if (known.min_value) config["min_value"] = constraint.min_value;
  if (known.max_value) config["max_value"] = constraint.max_value;
  if (known.rate) config["rate"] = constraint.rate;
  if (known.axis) {
    const bool one = constraint.axis.rank() == 1;
    config["axis"] = one ? Json(constraint.axis[0]) : to_json(constraint.axis);
  }
  return object_of("keras.constraints", known.name, config);
}

Constraint constraint_at(const JsonAt& place) {
  if (place.is_null()) return {};
  const Named given = named_at(place);
  Constraint constraint =
      refusing_at(given.name, [&] { return parse_constraint(given.name.text()); });
  if (!constraint) return constraint;
  const ConstraintClass& known = class_of(constraint.kind);
  expect_keys(given.config,
              {known.min_value ? "min_value" : nullptr, known.max_value ? "max_value" : nullptr,
               known.rate ? "rate" : nullptr, known.axis ? "axis" : nullptr});
  constraint.min_value = number_of(given.config, "min_value", constraint.min_value);
  constraint.max_value = number_of(given.config, "max_value", constraint.max_value);
  constraint.rate = number_of(given.config, "rate", constraint.rate);
  const auto axis = given.config ? given.config->find("axis") : std::nullopt;
  if (axis) constraint.axis = sizes_at(*axis);
  return constraint;
}

// --- precisions, sizes ---

Json to_json(DType dtype) {
  return object_of("keras", "DTypePolicy", {{"name", to_string(dtype)}});
}

DType dtype_at(const JsonAt& place) {
  const JsonAt name = place.is_text() ? place : place.at("config").at("name");
  if (name.text() == "float32") return DType::float32;
  if (name.text() == "float64") return DType::float64;
  throw name.refusal("a precision that models do not compute in",
                     {.want = "\"float32\" or \"float64\"",
                      .hint = "in Keras: keras.config.set_dtype_policy(\"float32\"), then build "
                              "and save the model again"});
}

Shape sizes_at(const JsonAt& place, bool nulls) {
  if (!place.is_list()) return {place.whole()};
  if (place.size() > Shape::max_rank) throw place.refusal("more than 8 sizes");
  Shape shape;
  for (std::size_t i = 0; i < place.size(); ++i) {
    const JsonAt size = place.at(i);
    const bool open = nulls && size.is_null();
    shape.push_back(open ? unknown : size.whole());
    if (nulls && !open && shape[-1] < 0) throw size.refusal("a negative size");
  }
  return shape;
}

Json to_json(const Shape& shape, bool nulls) {
  Json list = Json::array();
  for (const Index size : shape) {
    list.push_back(nulls && size == unknown ? Json() : Json(size));
  }
  return list;
}

}  // namespace unroll::io
