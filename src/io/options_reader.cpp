#include "src/io/options_reader.h"

#include <algorithm>
#include <array>

#include "src/io/keras_values.h"
#include "src/io/registry.h"

namespace unroll::io {

namespace {

/// Options that are divided by, or that weights are made from.
bool counts(std::string_view name) {
  constexpr std::array<std::string_view, 15> names{
      "window",        "units",       "input_dim", "output_dim", "n",
      "filters",       "kernel_size", "strides",   "groups",     "pool_size",
      "dilation_rate", "num_heads",   "key_dim",   "value_dim",  "size"};
  return std::ranges::find(names, name) != names.end();
}

/// What an option that no layer of ours has may say.
enum class Allowed { anything, nothing, off, seed, channels_last };

struct Extra {
  std::string_view name;
  Allowed allowed;
};

/// Options of Keras that are left out here, or that change nothing that this library computes.
constexpr std::array<Extra, 25> extras{{
    {"name", Allowed::anything},
    {"trainable", Allowed::anything},
    {"dtype", Allowed::anything},  // the three are read for every layer
    {"activity_regularizer", Allowed::nothing},
    {"quantization_config", Allowed::nothing},
    {"lora_rank", Allowed::nothing},
    {"seed", Allowed::seed},
    {"noise_shape", Allowed::nothing},
    {"data_format", Allowed::channels_last},
    {"sparse", Allowed::off},
    {"ragged", Allowed::off},
    {"optional", Allowed::off},
    {"batch_input_shape", Allowed::anything},  // of Keras 2; Sequential reads it
    {"input_length", Allowed::anything},
    {"implementation", Allowed::anything},
    {"time_major", Allowed::off},
    {"unroll", Allowed::anything},
    {"rms_scaling", Allowed::off},
    {"synchronized", Allowed::anything},
    {"renorm", Allowed::off},
    {"renorm_clipping", Allowed::nothing},
    {"renorm_momentum", Allowed::anything},
    {"attention_axes", Allowed::nothing},
    {"flash_attention", Allowed::off},
    {"causal", Allowed::off},
}};

const char* wanted(Allowed allowed) {
  switch (allowed) {
    case Allowed::nothing:
      return "null";
    case Allowed::off:
      return "false";
    case Allowed::seed:
      return "a whole number or null";
    case Allowed::channels_last:
      return "\"channels_last\"";
    default:
      return "";
  }
}

bool fits(const JsonAt& place, Allowed allowed) {
  switch (allowed) {
    case Allowed::anything:
      return true;
    case Allowed::nothing:
      return place.is_null();
    case Allowed::off:
      return place.is_null() || !place.flag();
    case Allowed::seed:
      return place.is_null() || place.value().is_number_integer();
    case Allowed::channels_last:
      return place.is_null() || place.text() == "channels_last";
  }
  return false;
}

/// Throws: Error (format) unless the axes are 1, 2, ... in some order.
void expect_permutation(const JsonAt& place, const Shape& axes) {
  std::vector<Index> sorted(axes.begin(), axes.end());
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] == static_cast<Index>(i) + 1) continue;
    throw place.refusal("not an order of axes",
                        {.got = axes.to_string(), .want = "every axis once, from 1 on"});
  }
}

}  // namespace

std::optional<JsonAt> OptionsReader::find(std::string_view name) {
  seen_.insert(std::string(name));
  auto found = config_.find(name);
  const auto also_called = [&](const char* other) {
    if (found) return;
    found = config_.find(other);
    if (found) seen_.insert(other);
  };
  // Keras 2's words.
  if (name == "batch_shape") also_called("batch_input_shape");
  if (name == "negative_slope" && class_name_ == "LeakyReLU") also_called("alpha");
  if (!found && must_be_given(class_name_, name)) {
    throw config_.refusal("\"" + std::string(name) + "\" of " + class_name_ + " is missing",
                          {.got = "no such option"});
  }
  return found;
}

std::optional<JsonAt> OptionsReader::given(std::string_view name) {
  auto found = find(name);
  if (found && found->is_null()) found.reset();
  return found;
}

void OptionsReader::field(std::string_view name, bool& value) {
  const bool with_the_call = name == "use_causal_mask" || name == "return_attention_scores";
  if (with_the_call) {
    const auto found = call_ ? call_->find(name) : std::nullopt;
    if (found && !found->is_null()) value = found->flag();
  } else if (const auto found = find(name)) {
    value = found->flag();
  }
}

void OptionsReader::field(std::string_view name, Index& value) {
  const auto found = given(name);
  if (!found) return;
  // Keras has a list of one for some of them.
  const bool list = found->is_list() && found->size() == 1;
  const JsonAt number = list ? found->at(std::size_t{0}) : *found;
  value = number.whole();
  const bool axis = name == "axis" || name == "axes";
  const Index least = counts(name) ? 1 : (axis ? -Shape::max_rank : 0);
  if (value < least) {
    throw number.refusal("out of range", {.want = std::to_string(least) + " or more"});
  }
}

void OptionsReader::field(std::string_view name, double& value) {
  if (const auto found = find(name)) {
    // ReLU without a largest value: -1 stands for it.
    value = found->is_null() && name == "max_value" ? -1 : found->number();
  }
}

void OptionsReader::field(std::string_view name, std::string& value) {
  if (const auto found = find(name)) {
    value = found->is_null() && name == "merge_mode" ? "none" : found->text();
  }
}

void OptionsReader::field(std::string_view name, Activation& value) {
  auto found = find(name);
  if (!found) return;
  // A function that Keras serialized as an object.
  if (found->is_object()) found = found->at("config");
  value = found->is_null() ? Activation("linear")
                           : refusing_at(*found, [&] { return parse_activation(found->text()); });
}

void OptionsReader::field(std::string_view name, Initializer& value) {
  if (const auto found = given(name)) value = initializer_at(*found);
}

void OptionsReader::field(std::string_view name, Regularizer& value) {
  if (const auto found = given(name)) value = regularizer_at(*found);
}

void OptionsReader::field(std::string_view name, Constraint& value) {
  if (const auto found = given(name)) value = constraint_at(*found);
}

void OptionsReader::field(std::string_view name, Shape& value) {
  const auto found = given(name);
  if (!found) return;
  value = sizes_at(*found, name == "batch_shape");
  if (name == "batch_shape" && value.empty()) throw found->refusal("a shape without a batch");
  if (name == "dims") expect_permutation(*found, value);
  const bool axes = name == "axis" || name == "shared_axes";
  const bool open = name == "batch_shape" || name == "target_shape";
  const Index least = counts(name) ? 1 : (open ? -1 : (axes ? -Shape::max_rank : 0));
  for (const Index size : value) {
    if (size >= least) continue;
    throw found->refusal("out of range",
                         {.got = value.to_string(), .want = std::to_string(least) + " or more"});
  }
}

void OptionsReader::field(std::string_view name, Picks&) {
  // GetItem has its picks in its calls, and is made from those.
  throw config_.refusal("no option " + std::string(name));
}

void OptionsReader::field(std::string_view name, std::shared_ptr<Component>& value) {
  const auto found = given(name);
  // Bidirectional makes its backward layer itself; nothing else can do without its inner layer.
  if (!found && name != "backward_layer") throw config_.at(name).refusal("no layer");
  if (found && found->is_list() && name == "cell") {
    throw found->refusal("cells without a class", {.want = "StackedRNNCells"});
  }
  value = found ? inner_(*found, name == "cell") : nullptr;
}

void OptionsReader::field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) {
  const auto found = find(name);
  value.clear();
  for (std::size_t i = 0; i < found->size(); ++i) value.push_back(inner_(found->at(i), true));
  if (value.empty()) throw found->refusal("no cells");
}

void OptionsReader::check_all_read() const {
  for (const auto& [name, ignored] : config_.value().items()) {
    if (seen_.contains(name)) continue;
    const JsonAt place = config_.at(name);
    const auto known = std::ranges::find(extras, name, &Extra::name);
    if (known == extras.end()) {
      throw place.refusal("no such option of " + class_name_);
    }
    if (!fits(place, known->allowed)) {
      throw place.refusal("an option of Keras that unroll does not have",
                          {.want = wanted(known->allowed)});
    }
  }
}

}  // namespace unroll::io
