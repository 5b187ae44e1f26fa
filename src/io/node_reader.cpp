#include "src/io/node_reader.h"

#include <algorithm>
#include <array>

#include "src/io/registry.h"

namespace unroll::io {

namespace {

bool is_operation(const std::string& class_name) {
  return class_name == "GetItem" || class_name == "NotEqual" || class_name == "Any";
}

std::size_t position_at(const JsonAt& place) {
  const Index number = place.whole();
  if (number < 0) throw place.refusal("a negative position");
  return static_cast<std::size_t>(number);
}

/// Adds a tensor, or the tensors of a list.
void collect(const JsonAt& place, std::vector<TensorAt>& tensors) {
  if (is_tensor(place)) {
    tensors.push_back(tensor_at(place));
  } else if (place.is_list()) {
    for (std::size_t i = 0; i < place.size(); ++i) {
      if (!is_tensor(place.at(i))) throw place.at(i).refusal("not a tensor");
      tensors.push_back(tensor_at(place.at(i)));
    }
  } else if (!place.is_null()) {
    throw place.refusal("not a tensor");
  }
}

/// How many arguments a layer takes by place.
std::size_t places_of(const std::string& class_name) {
  if (class_name == "MultiHeadAttention") return 3;
  return is_recurrent(class_name) || is_operation(class_name) ? 2 : 1;
}

void read_args(const JsonAt& args, const std::string& class_name, CallAt& call) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const JsonAt argument = args.at(i);
    if (i >= places_of(class_name)) {
      throw argument.refusal("more arguments than " + class_name + " takes");
    }
    if (i == 1 && is_operation(class_name)) {
      call.second = argument;
    } else {
      collect(argument, call.inputs);
    }
  }
}

void set_mask(CallAt& call, std::size_t i, const JsonAt& place) {
  if (place.is_null()) return;
  if (call.masks.size() <= i) call.masks.resize(i + 1);
  call.masks[i] = tensor_at(place);
}

void read_masks(const JsonAt& kwargs, CallAt& call) {
  if (const auto mask = kwargs.find("mask")) {
    const bool several = mask->is_list() && !is_tensor(*mask);
    for (std::size_t i = 0; several && i < mask->size(); ++i) set_mask(call, i, mask->at(i));
    if (!several) set_mask(call, 0, *mask);
  }
  constexpr std::array<const char*, 3> names{"query_mask", "value_mask", "key_mask"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const auto mask = kwargs.find(names[i])) set_mask(call, i, *mask);
  }
  if (call.masks.size() > std::max<std::size_t>(call.inputs.size(), 1)) {
    throw kwargs.refusal("more masks than inputs");
  }
}

void read_kwargs(const JsonAt& kwargs, const std::string& class_name, CallAt& call) {
  // In the order of the layers' arguments, not of the text.
  for (const char* name : {"inputs", "sequences", "sequence", "x", "query", "value", "key"}) {
    if (const auto tensors = kwargs.find(name)) collect(*tensors, call.inputs);
  }
  if (const auto states = kwargs.find("initial_state")) collect(*states, call.inputs);
  read_masks(kwargs, call);
  constexpr std::array<std::string_view, 12> read{
      "inputs", "sequences",     "sequence", "x",          "query",      "value",
      "key",    "initial_state", "mask",     "query_mask", "value_mask", "key_mask"};
  const bool attention = class_name.ends_with("Attention");
  for (const auto& [name, value] : kwargs.object().value().items()) {
    if (std::ranges::find(read, name) != read.end() || value.is_null()) continue;
    const JsonAt place = kwargs.at(name);
    const bool option = name == "use_causal_mask" || name == "return_attention_scores";
    if (attention && option) continue;
    if (class_name == "Any" && (name == "axis" || name == "keepdims")) continue;
    if (name == "training" && !place.flag()) continue;  // Keras notes its default
    throw place.refusal("an argument that " + class_name + " does not take here");
  }
}

/// [["embedding", 0, 0, {...}], ...]
void read_nested_lists(const JsonAt& list, const std::string& class_name, CallAt& call) {
  call.nested_lists = true;
  if (is_tensor(list)) {
    call.inputs.push_back(tensor_at(list));
  } else {
    collect(list, call.inputs);
  }
  for (const TensorAt& input : call.inputs) {
    if (input.place.size() < 4) continue;
    const JsonAt kwargs = input.place.at(std::size_t{3});
    if (kwargs.object().value().empty()) continue;
    if (call.kwargs) throw kwargs.refusal("arguments of the call for a second time");
    call.kwargs = kwargs;
  }
  if (call.kwargs) read_kwargs(*call.kwargs, class_name, call);
}

}  // namespace

bool is_tensor(const JsonAt& place) {
  if (place.is_list()) {
    const auto& list = place.value();
    return (list.size() == 3 || list.size() == 4) && list[0].is_string() && list[1].is_number();
  }
  const auto name = place.find("class_name");
  return name && name->is_text() && name->text() == "__keras_tensor__";
}

TensorAt tensor_at(const JsonAt& place) {
  if (!is_tensor(place)) throw place.refusal("not a tensor");
  const JsonAt history = place.is_list() ? place : place.at("config").at("keras_history");
  return {place, history.at(std::size_t{0}).text(), position_at(history.at(1)),
          position_at(history.at(2))};
}

CallAt call_at(const JsonAt& place, const std::string& class_name) {
  CallAt call{.place = place};
  if (place.is_list()) {
    read_nested_lists(place, class_name, call);
  } else {
    read_args(place.at("args"), class_name, call);
    const JsonAt kwargs = place.at("kwargs");
    call.kwargs = kwargs;
    read_kwargs(kwargs, class_name, call);
  }
  if (call.inputs.empty()) throw place.refusal("a call without inputs");
  return call;
}

}  // namespace unroll::io
