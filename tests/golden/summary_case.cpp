// summary/: the tables of models that are described in words. Where the words are Python, the model
// is built from them; a description in prose is built here, by hand.
#include <fstream>
#include <sstream>

#include "tests/golden/cases.h"
#include "tests/golden/options.h"
#include "tests/golden/python_text.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"

namespace unroll::golden {

namespace {

/// Blanks at the ends of lines, and empty lines at the end of the text, do not count.
std::string stripped(std::istream& text) {
  std::string result;
  for (std::string line; std::getline(text, line);) {
    line.erase(line.find_last_not_of(" \r") + 1);
    result += line + "\n";
  }
  while (result.ends_with("\n\n")) result.pop_back();
  return result;
}

Shape input_shape(const Json& call) {
  const Json& kwargs = call.at("kwargs");
  return shape_of(call.at("args").empty() ? kwargs.at("shape") : call.at("args")[0]);
}

/// Sequential([...]), and whether "compiled with NAME and fitted" follows.
Model sequential_of(const std::string& text) {
  std::size_t end = 0;
  const Json call = read_python(text, end);
  std::vector<Layer> layers;
  Shape input;
  for (const Json& item : call.at("args").at(0)) {
    if (item.at("call") == "Input") {
      input = input_shape(item);
      layers.push_back(InputLayer({.shape = input}));
    } else {
      layers.emplace_back(make_layer(layer_of_call(item)));
    }
  }
  Sequential model(layers);
  const std::string rest = text.substr(end), word = "compiled with ";
  const std::size_t at = rest.find(word);
  if (at == std::string::npos) return model;
  std::istringstream after(rest.substr(at + word.size()));
  std::string optimizer;
  after >> optimizer;
  model.compile({.optimizer = parse_or_skip(parse_optimizer, optimizer), .loss = "mse"});
  if (rest.find("fitted") != std::string::npos) {
    constexpr Index rows = 2;
    Shape y = model.outputs()[0].shape();
    y.set(0, rows);
    model.fit(Tensor(input.with(0, rows)), Tensor(y));
  }
  return model;
}

/// "[:, -1, :]"
Picks picks_of(const std::string& text) {
  Picks picks;
  std::istringstream inside(text.substr(1, text.find(']') - 1));
  for (std::string part; std::getline(inside, part, ',');) {
    const bool whole = part.find(':') != std::string::npos;
    if (whole && part.find_first_of("0123456789") != std::string::npos) {
      throw Skip("no ranges in descriptions of models");
    }
    picks.push_back(whole ? Pick(all) : Pick(static_cast<Index>(std::stoll(part))));
  }
  return picks;
}

/// Input(...) -> LAYER -> [:, -1, :] -> LAYER
Model chain_of(const std::string& text) {
  Symbol input, symbol;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t first = text.find_first_not_of(' ', at);
    std::size_t end = first;
    if (text[first] == '[') {
      symbol = GetItem(picks_of(text.substr(first)))(symbol);
      end = text.find(']', first) + 1;
    } else {
      const Json call = read_python(text, end);
      if (call.at("call") == "Input") {
        input = symbol = Input({.shape = input_shape(call)});
      } else {
        symbol = Layer(make_layer(layer_of_call(call)))(symbol);
      }
    }
    const std::size_t arrow = text.find("->", end);
    if (arrow == std::string::npos) break;
    at = arrow + 2;
  }
  return Model({.inputs = {input}, .outputs = {symbol}});
}

/// "two token inputs, Embedding/LSTM encoder with states into LSTM decoder, Dense(1000)": the names
/// and sizes are those of the recorded table.
Model translator() {
  const Symbol source = Input({.shape = {unknown}, .name = "enc_in"});
  const Symbol target = Input({.shape = {unknown}, .name = "dec_in"});
  const auto [encoded, h, c] =
      LSTM(128, {.return_state = true})(Embedding(1000, 64, {.mask_zero = true})(source))
          .unpack<3>();
  const Symbol decoded = LSTM(128, {.return_sequences = true})(
      Embedding(1000, 64, {.mask_zero = true})(target), {h, c});
  return Model({.inputs = {source, target}, .outputs = {Dense(1000)(decoded)}});
}

Model model_of(const std::string& words) {
  if (words.starts_with("Sequential(")) return sequential_of(words);
  if (words.starts_with("Input(")) return chain_of(words);
  if (words.starts_with("two token inputs, Embedding/LSTM encoder with states into LSTM decoder")) {
    return translator();
  }
  throw Skip("no model described as \"" + words + "\"");
}

SummaryOptions options_of(const Json& variant) {
  SummaryOptions options{.columns = variant.value("terminal_columns", Index{80})};
  for (const auto& [name, value] : variant.at("kwargs").items()) {
    if (name == "line_length") {
      options.line_length = value.get<Index>();
    } else if (name == "show_trainable") {
      options.show_trainable = value.get<bool>();
    } else {
      throw Skip("no option " + name + " of summary");
    }
  }
  return options;
}

}  // namespace

void run_summary(const Json& spec, const Json& variant, const std::filesystem::path& recorded,
                 Comparison& comparison) {
  const Model model = model_of(spec.at("model").get<std::string>());
  std::ifstream file(recorded);
  if (!file) return comparison.fail("there is no file " + recorded.filename().string());
  std::istringstream text(model.summary(options_of(variant)));
  comparison.same("table", stripped(text), stripped(file));
  const Json params = spec.value("count_params", Json());
  if (!params.is_null() && model.built()) {
    comparison.close("count_params", static_cast<double>(model.count_params()), number_of(params),
                     {});
  }
}

}  // namespace unroll::golden
