#include "src/io/options_writer.h"

#include "src/io/keras_values.h"

namespace unroll::io {

namespace {

/// None of Python's slice() is given: everything; else the positions.
Json slice(const Json& start, const Json& stop) {
  return {{"class_name", "__slice__"},
          {"config", {{"start", start}, {"stop", stop}, {"step", nullptr}}}};
}

}  // namespace

void OptionsWriter::field(std::string_view name, bool& value) {
  const bool with_the_call = name == "use_causal_mask" || name == "return_attention_scores";
  if (!with_the_call) {
    at(name) = value;
  } else if (value) {
    call[std::string(name)] = value;
  }
}

void OptionsWriter::field(std::string_view name, Index& value) {
  // Not every layer of Keras writes a seed that is none, but all read one.
  if (name == "seed" && value < 0) return;
  if (name == "value_dim" && value == unknown) {
    at(name) = config["key_dim"];
  } else {
    at(name) = value;
  }
}

void OptionsWriter::field(std::string_view name, double& value) {
  const bool unlimited = name == "max_value" && value < 0;
  at(name) = unlimited ? Json() : Json(value);
}

void OptionsWriter::field(std::string_view name, std::string& value) {
  at(name) = name == "merge_mode" && value == "none" ? Json() : Json(value);
}

void OptionsWriter::field(std::string_view name, Activation& value) { at(name) = value.name(); }
void OptionsWriter::field(std::string_view name, Initializer& value) { at(name) = to_json(value); }
void OptionsWriter::field(std::string_view name, Regularizer& value) {
  // Not every layer of Keras writes this one, but all read it.
  if (value || name != "activity_regularizer") at(name) = to_json(value);
}
void OptionsWriter::field(std::string_view name, Constraint& value) { at(name) = to_json(value); }

void OptionsWriter::field(std::string_view name, Shape& value) {
  const bool none = value.empty() && (name == "shared_axes" || name == "output_shape");
  // Keras's Softmax and RMSNormalization have one axis as a number, LayerNormalization a list.
  const bool number = name == "axis" && value.rank() == 1 && class_name_ != "LayerNormalization";
  if (none) {
    at(name) = nullptr;
  } else if (number) {
    at(name) = value[0];
  } else {
    at(name) = to_json(value, name == "batch_shape");
  }
}

void OptionsWriter::field(std::string_view, Picks& value) {
  key = Json::array();
  for (const Pick& pick : value) {
    if (pick.whole()) {
      key.push_back(slice(nullptr, nullptr));
    } else if (pick.one()) {
      key.push_back(pick.first());
    } else {
      key.push_back(slice(pick.first(), pick.last()));
    }
  }
}

void OptionsWriter::field(std::string_view name, std::shared_ptr<Component>& value) {
  at(name) = value == nullptr ? Json() : inner_(*value);
}

void OptionsWriter::field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) {
  Json list = Json::array();
  for (const auto& component : value) list.push_back(inner_(*component));
  at(name) = std::move(list);
}

}  // namespace unroll::io
