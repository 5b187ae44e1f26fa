// unroll trace: what a layer of a saved model does at every step of an input.
#include "unroll/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "apps/commands.h"
#include "apps/flags.h"
#include "apps/language_bundle.h"
#include "apps/output.h"
#include "src/io/file.h"
#include "src/io/json.h"
#include "unroll/csv.h"
#include "unroll/sequences.h"
#include "unroll/text_json.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags {
  CommonFlags common;
  std::string model, layer, part, text, numbers;
  std::string plot, csv;
  bool lines = false;
};

/// What the model reads, and a word for each step.
struct Given {
  Data x;
  std::vector<std::string> steps;
};

/// Inputs beside the one that is traced: nothing, in the shape they want.
void fill_others(const Model& model, Data& x) {
  for (std::size_t i = x.size(); i < model.inputs().size(); ++i) {
    Shape shape = model.inputs()[i].shape();
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (axis == 0 || shape[axis] == unknown) shape.set(axis, 1);
    }
    x.push_back(Rows(Tensor(shape)));
  }
}

Given of_text(const Bundle& bundle, const Flags& flags) {
  const auto known =
      std::ranges::find(bundle.properties, "encoder", &std::pair<std::string, std::string>::first);
  if (known == bundle.properties.end()) {
    throw Error(ErrorKind::value, flags.model + ": the model in it reads no text",
                {.hint = "--numbers FILE.csv gives it numbers, a row a step"});
  }
  const TextEncoder encoder = text_encoder_from_json(known->second);
  std::vector<std::int32_t> ids = encoder.encode(flags.text);
  if (ids.empty()) {
    throw Error(ErrorKind::value, "--text: an empty text", {.want = "at least one token"});
  }
  // As Keras pads: in front, and what is too long loses its beginning.
  const Index length = bundle.model.inputs()[0].shape()[1];
  const std::int32_t padding = encoder.padding().value_or(0);
  Given given;
  if (length != unknown) {
    const auto size = static_cast<std::size_t>(length);
    if (ids.size() > size) ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(size));
    given.steps.assign(size - ids.size(), "");
    ids.insert(ids.begin(), size - ids.size(), padding);
  }
  for (std::size_t i = given.steps.size(); i < ids.size(); ++i) {
    given.steps.emplace_back(encoder.piece(ids[i]));
  }
  const auto count = static_cast<Index>(ids.size());
  given.x.push_back(Rows(Tensor::of<std::int32_t>({1, count}, ids)));
  return given;
}

/// All columns of numbers, a row a step.
Given of_numbers(const Flags& flags) {
  const Table table = read_csv(flags.numbers);
  const std::vector<std::string> names = table.number_columns();
  if (names.empty() || table.rows() == 0) {
    throw Error(ErrorKind::value, flags.numbers + ": no numbers to read");
  }
  const Tensor steps = table.columns(names);
  Given given;
  given.x.push_back(Rows(steps.reshape({1, steps.shape()[0], steps.shape()[1]})));
  return given;
}

std::string recurrent_layer(const Model& model) {
  std::string last;
  for (const Layer& layer : model.layers()) {
    const std::string_view kind = layer.class_name();
    if (kind == "SimpleRNN" || kind == "GRU" || kind == "LSTM" || kind == "RNN" ||
        kind == "Bidirectional") {
      return layer.name();
    }
    last = layer.name();
  }
  return last;
}

Json json_of(const Trace& seen, const Given& given) {
  Json parts = Json::array();
  for (const TracePart& part : seen.parts) {
    const Tensor numbers = part.values.to(DType::float32);
    std::vector<Json> values;
    for (const float value : numbers.values<float>()) {
      values.push_back(std::isnan(value) ? Json(nullptr) : Json(static_cast<double>(value)));
    }
    std::vector<Index> shape;
    for (int axis = 0; axis < numbers.shape().rank(); ++axis)
      shape.push_back(numbers.shape()[axis]);
    parts.push_back({{"name", part.name}, {"shape", shape}, {"values", values}});
  }
  Json stuck = Json::array();
  for (const Saturation& one : saturation(seen)) {
    stuck.push_back({{"part", one.part}, {"low", one.low}, {"high", one.high}});
  }
  return {{"layer", seen.layer}, {"steps", given.steps}, {"parts", parts}, {"saturation", stuck}};
}

std::string overview(const Trace& seen) {
  std::string text = fmt::format("layer \"{}\"\n  {:<22}{:>18}   {}\n", seen.layer, "part", "shape",
                                 "within 5 % of its ends");
  const std::vector<Saturation> stuck = saturation(seen);
  for (const TracePart& part : seen.parts) {
    const auto found = std::ranges::find(stuck, part.name, &Saturation::part);
    const std::string ends =
        found == stuck.end()
            ? std::string("-")
            : fmt::format("{:.1f} % low, {:.1f} % high", 100 * found->low, 100 * found->high);
    text += fmt::format("  {:<22}{:>18}   {}\n", part.name, part.values.shape().to_string(), ends);
  }
  return text;
}

int run(const Flags& flags, const std::string& line) {
  if (flags.text.empty() == flags.numbers.empty()) {
    throw Error(ErrorKind::value, "unroll trace: what shall the model read?",
                {.got = flags.text.empty() ? "nothing" : "both --text and --numbers",
                 .want = "--text TEXT or --numbers FILE.csv"});
  }
  for (const std::string& path : {flags.plot, flags.csv}) {
    if (!path.empty()) check_writable(path);
  }
  const Bundle bundle = load_bundle(flags.model);
  Given given = flags.numbers.empty() ? of_text(bundle, flags) : of_numbers(flags);
  fill_others(bundle.model, given.x);
  const Trace seen = trace(
      bundle.model, flags.layer.empty() ? recurrent_layer(bundle.model) : flags.layer, given.x);
  const std::string part = flags.part.empty() ? seen.parts[0].name : flags.part;
  TraceView view{.row = 0, .steps = {}, .command = line};
  const Shape& shape = seen[part].shape();
  if (shape.rank() == 3 && shape[1] == static_cast<Index>(given.steps.size())) {
    view.steps = given.steps;
  }
  if (flags.common.json) {
    write_out(json_of(seen, given).dump(2) + "\n");
  } else {
    write_out(overview(seen));
    if (shape.rank() == 3) {
      write_out("\n" + heat_map(seen, part, view).text(std::min(terminal_columns(), 1000), 40));
    }
  }
  if (!flags.csv.empty()) io::write_file(flags.csv, to_csv(seen, view));
  if (!flags.plot.empty()) {
    if (flags.lines) {
      unit_lines(seen, part, view).save(flags.plot);
    } else {
      heat_map(seen, part, view).save(flags.plot);
    }
    if (!flags.common.quiet) say("picture: " + flags.plot);
  }
  return 0;
}

}  // namespace

Command trace_command(const std::string& line) {
  auto flags = std::make_shared<Flags>();
  Command command("trace", "Shows what a layer of a saved model does at every step of an input.",
                  "  unroll trace sentiment.unroll --text \"Not bad at all\" --plot hidden.svg\n"
                  "  unroll trace model.unroll --numbers series.csv --part update_gate");
  command.group("model");
  command.text("MODEL", flags->model, "", "a file that a command of unroll wrote").required();
  command.text("--layer", flags->layer, "NAME", "which layer (default: the first recurrent one)");
  command.text("--part", flags->part, "NAME",
               "hidden, cell, update_gate, ...: what is drawn (default: the first)");
  command.group("input");
  command.text("--text", flags->text, "TEXT", "for models that read text");
  command.text("--numbers", flags->numbers, "FILE", "a CSV table: a row a step, all its numbers");
  command.group("output");
  command.text("--plot", flags->plot, "FILE", "units against steps as colours: .png or .svg");
  command.toggle("--lines", flags->lines, "draw a line a unit instead");
  command.text("--csv", flags->csv, "FILE", "all parts as a table, a row a step");
  add_common(command, flags->common);
  command.action([flags, line] { return run(*flags, line); });
  return command;
}

}  // namespace unroll::apps
