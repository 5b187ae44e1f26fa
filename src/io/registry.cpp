#include "src/io/registry.h"

#include <algorithm>
#include <array>

#include "src/io/json.h"
#include "unroll/error.h"
#include "unroll/layer_list.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll {

namespace {

constexpr std::array<std::string_view, 61> layers{
    "Activation",
    "Add",
    "AdditiveAttention",
    "Attention",
    "AttentionDecoder",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "Cropping1D",
    "Dense",
    "Dot",
    "Dropout",
    "ELU",
    "ESN",
    "Embedding",
    "Flatten",
    "GRU",
    "GaussianNoise",
    "GetItem",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling1D",
    "IndRNN",
    "InputLayer",
    "LRU",
    "LSTM",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "MinGRU",
    "MinLSTM",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Permute",
    "QRNN",
    "RMSNormalization",
    "RNN",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "ReversibleEmbedding",
    "SRU",
    "SimpleRNN",
    "Softmax",
    "SpatialDropout1D",
    "Subtract",
    "TimeDistributed",
    "UpSampling1D",
    "ZeroPadding1D",
};
constexpr std::array<std::string_view, 11> cells{
    "ESNCell",     "GRUCell",  "IndRNNCell", "LRUCell",       "LSTMCell",       "MinGRUCell",
    "MinLSTMCell", "QRNNCell", "SRUCell",    "SimpleRNNCell", "StackedRNNCells"};

/// Notes each option's value before anybody sets one: its default.
class DefaultsReader final : public Describer {
 public:
  explicit DefaultsReader(std::string_view class_name) : class_name_(class_name) {}

  std::vector<OptionText> options;

  void field(std::string_view name, bool& value) override { add(name, value ? "true" : "false"); }
  void field(std::string_view name, Index& value) override {
    add(name, value < 0 && name != "axis" && name != "axes" ? "null" : std::to_string(value));
  }
  void field(std::string_view name, double& value) override {
    const bool unlimited = name == "max_value" && value < 0;
    add(name, unlimited ? "null" : io::Json(value).dump());
  }
  void field(std::string_view name, std::string& value) override { add(name, quoted(value)); }
  void field(std::string_view name, Activation& value) override { add(name, quoted(value.name())); }
  void field(std::string_view name, Initializer& value) override {
    add(name, quoted(value.name()));
  }
  void field(std::string_view name, Regularizer&) override { add(name, "null"); }
  void field(std::string_view name, Constraint&) override { add(name, "null"); }
  void field(std::string_view name, Shape& value) override {
    std::string text;
    for (const Index size : value) text += (text.empty() ? "" : ", ") + std::to_string(size);
    add(name, value.empty() ? "null" : "[" + text + "]");
  }
  void field(std::string_view name, Picks&) override { add(name, ""); }
  void field(std::string_view name, std::shared_ptr<Component>& value) override {
    add(name, "null");
    // Whatever layer it is, the options around it are the same.
    if (name != "backward_layer") value = any(name == "cell" ? "SimpleRNNCell" : "SimpleRNN");
  }
  void field(std::string_view name, std::vector<std::shared_ptr<Component>>& value) override {
    add(name, "");
    value.push_back(any("SimpleRNNCell"));
  }

 private:
  static std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }
  static std::shared_ptr<Component> any(std::string_view class_name) {
    DefaultsReader ignored(class_name);
    return io::make_component(class_name, ignored);
  }
  void add(std::string_view name, std::string value) {
    if (io::must_be_given(class_name_, name)) value.clear();
    options.push_back({std::string(name), std::move(value)});
  }

  std::string_view class_name_;
};

}  // namespace

std::vector<std::string> layer_names() { return {layers.begin(), layers.end()}; }

std::vector<std::string> cell_names() { return {cells.begin(), cells.end()}; }

std::vector<OptionText> options_of(std::string_view class_name) {
  DefaultsReader reader(class_name);
  if (!io::is_layer(class_name) && !io::is_cell(class_name)) {
    std::string known;
    for (const std::string& name : layer_names()) known += (known.empty() ? "" : ", ") + name;
    for (const std::string& name : cell_names()) known += ", " + name;
    throw Error(ErrorKind::value, "no such layer",
                {.got = "\"" + std::string(class_name) + "\"", .want = "one of " + known});
  }
  static_cast<void>(io::make_component(class_name, reader));
  return std::move(reader.options);
}

std::string signature(std::string_view class_name) {
  std::string text;
  // What must be given stands first, as arguments do.
  for (const bool given : {true, false}) {
    for (const OptionText& option : options_of(class_name)) {
      if (option.value.empty() != given) continue;
      text += (text.empty() ? "" : ", ") + option.name;
      if (!given) text += " = " + option.value;
    }
  }
  return std::string(class_name) + "(" + text + ")";
}

namespace io {

bool is_layer(std::string_view class_name) {
  return std::ranges::find(layers, class_name) != layers.end();
}

bool is_cell(std::string_view class_name) {
  return std::ranges::find(cells, class_name) != cells.end();
}

bool is_recurrent(std::string_view class_name) {
  constexpr std::array<std::string_view, 14> names{
      "SimpleRNN", "GRU",    "LSTM", "RNN",    "Bidirectional", "ConvLSTM1D", "ConvLSTM2D",
      "ESN",       "IndRNN", "LRU",  "MinGRU", "MinLSTM",       "QRNN",       "SRU"};
  return std::ranges::find(names, class_name) != names.end();
}

std::shared_ptr<Component> make_component(std::string_view class_name, Describer& options) {
  if (is_cell(class_name)) return make_cell(class_name, options);
  if (!is_layer(class_name)) return nullptr;
  std::shared_ptr<Component> made = make_plain_layer(class_name, options);
  if (made == nullptr) made = make_recurrent_layer(class_name, options);
  return made;
}

bool must_be_given(std::string_view class_name, std::string_view option) {
  constexpr std::array<std::string_view, 17> names{
      "units",  "filters",   "kernel_size", "input_dim", "output_dim",   "rate",
      "stddev", "n",         "dims",        "layer",     "target_shape", "cell",
      "cells",  "num_heads", "key_dim",     "key",       "batch_shape"};
  return std::ranges::find(names, option) != names.end() ||
         (class_name == "Activation" && option == "activation");
}

}  // namespace io

}  // namespace unroll
