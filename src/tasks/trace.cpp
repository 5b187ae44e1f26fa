#include "unroll/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "src/model/lane.h"
#include "src/model/model_impl.h"
#include "src/recurrent/inside.h"
#include "unroll/error.h"

namespace unroll {

namespace {

const GraphStep& step_of(const Graph& graph, const LayerImpl& layer) {
  const auto found = std::ranges::find_if(
      graph.steps(), [&](const GraphStep& step) { return step.layer == &layer; });
  if (found != graph.steps().end()) return *found;
  throw Error(ErrorKind::value, "trace: the layer is not one of the model's own",
              {.got = "\"" + layer.name + "\""});
}

TracePart part_of(Inside&& inside, const std::string& prefix) {
  return {prefix + inside.name, std::move(inside.values), inside.low, inside.high};
}

/// What a value holds, batch first.
Tensor tensor_of(Var value) {
  if (value.time_first()) value = swap_first_axes(value);
  Tensor copy(value.shape(), value.dtype());
  std::memcpy(copy.raw(), value.data<std::byte>(), static_cast<std::size_t>(copy.bytes()));
  return copy;
}

/// The parts of a recurrent layer, or of both that a Bidirectional has; none of any other.
void add_insides(const Component& layer, const Var& x, const Mask& mask, const std::string& prefix,
                 std::vector<TracePart>& parts) {
  if (const auto* walker = dynamic_cast<const WalkerImpl*>(&layer)) {
    for (Inside& one : inside(*walker, x, mask)) parts.push_back(part_of(std::move(one), prefix));
  } else if (layer.class_name() == "Bidirectional") {
    add_insides(*layer.children()[0], x, mask, "forward_", parts);
    add_insides(*layer.children()[1], x, mask, "backward_", parts);
  }
}

/// One row of a part as (time, units).
Tensor steps_of(const TracePart& part, const TraceView& view) {
  const Shape& shape = part.values.shape();
  if (shape.rank() != 3) {
    throw Error(ErrorKind::shape, "trace: \"" + part.name + "\" has no steps",
                {.got = shape.to_string(), .want = "(rows, time, units)"});
  }
  if (view.row < 0 || view.row >= shape[0]) {
    throw Error(ErrorKind::value, "trace: no such row",
                {.got = std::to_string(view.row), .want = fmt::format("0 to {}", shape[0] - 1)});
  }
  if (!view.steps.empty() && static_cast<Index>(view.steps.size()) != shape[1]) {
    throw Error(ErrorKind::shape, "trace: not a word for each step",
                {.got = std::to_string(view.steps.size()), .want = std::to_string(shape[1])});
  }
  const Index count = shape[1] * shape[2];
  Tensor row({shape[1], shape[2]});
  const Tensor numbers = part.values.to(DType::float32);
  std::copy_n(numbers.floats() + view.row * count, count, row.floats());
  return row;
}

std::string title_of(const Trace& trace, std::string_view part) {
  return fmt::format("{} of \"{}\"", part, trace.layer);
}

/// A word that stands in a field of a CSV table.
std::string field(const std::string& word) {
  if (word.find_first_of(",\"\n\r") == std::string::npos) return word;
  std::string quoted = "\"";
  for (const char c : word) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

const TracePart& Trace::part(std::string_view name) const {
  const auto found =
      std::ranges::find_if(parts, [&](const TracePart& one) { return one.name == name; });
  if (found != parts.end()) return *found;
  std::string names;
  for (const TracePart& one : parts) names += (names.empty() ? "" : ", ") + one.name;
  throw Error(ErrorKind::value, "trace: layer \"" + layer + "\" has no such part",
              {.got = "\"" + std::string(name) + "\"", .want = "one of " + names});
}

const Tensor& Trace::operator[](std::string_view name) const { return part(name).values; }

Trace trace(const Model& model, std::string_view name, const Data& x) {
  const Layer layer = model.get_layer(name);
  ModelImpl& impl = model.impl();
  const Graph& graph = impl.built_graph();
  const GraphStep& step = step_of(graph, layer.impl());
  impl.ready(false).check(x, nullptr);
  for (const auto& each : graph.layers()) each->prepare(impl.dtype, false);
  const Index rows = x[0].count();
  std::vector<Index> numbers(static_cast<std::size_t>(rows));
  for (Index i = 0; i < rows; ++i) numbers[static_cast<std::size_t>(i)] = i;
  Lane lane(graph, impl.dtype);
  lane.start({}, 0, rows, nullptr, nullptr);
  lane.gather(x, numbers);
  lane.forward();
  Trace trace{.layer = std::string(name), .parts = {}};
  if (!step.inputs.empty()) {
    const Var& in = lane.value(step.inputs[0]);
    if (in.rank() == 3) {
      const Var x_first = in.time_first() ? in : swap_first_axes(in);
      add_insides(*step.layer, x_first, lane.mask_of_slot(step.inputs[0]), "", trace.parts);
    }
  }
  for (std::size_t i = 0; trace.parts.empty() && i < step.outputs; ++i) {
    const std::string number = step.outputs > 1 ? "_" + std::to_string(i) : "";
    trace.parts.push_back({"output" + number, tensor_of(lane.value(step.first_output + i))});
  }
  return trace;
}

std::vector<Saturation> saturation(const Trace& trace) {
  std::vector<Saturation> result;
  for (const TracePart& part : trace.parts) {
    if (part.low == part.high) continue;
    const double near = 0.05 * (part.high - part.low);
    Index low = 0, high = 0, count = 0;
    for (const float value : part.values.values<float>()) {
      if (std::isnan(value)) continue;
      ++count;
      low += static_cast<double>(value) < part.low + near;
      high += static_cast<double>(value) > part.high - near;
    }
    const auto share = [&](Index some) {
      return count == 0 ? 0 : static_cast<double>(some) / static_cast<double>(count);
    };
    result.push_back({part.name, share(low), share(high)});
  }
  return result;
}

Plot unit_lines(const Trace& trace, std::string_view name, const TraceView& view) {
  const Tensor steps = steps_of(trace.part(name), view);
  const Index time = steps.shape()[0], units = steps.shape()[1];
  PlotOptions options{.title = title_of(trace, name),
                      .x_label = "step",
                      .y_label = std::string(name),
                      .command = view.command};
  for (Index unit = 0; unit < units; ++unit) {
    Tensor line({time});
    for (Index t = 0; t < time; ++t) line.floats()[t] = steps.floats()[t * units + unit];
    options.lines.push_back({"unit " + std::to_string(unit), std::move(line)});
  }
  return Plot(std::move(options));
}

HeatMap heat_map(const Trace& trace, std::string_view name, const TraceView& view) {
  const TracePart& part = trace.part(name);
  const Tensor steps = steps_of(part, view);
  const Index time = steps.shape()[0], units = steps.shape()[1];
  Tensor grid({units, time});
  for (Index unit = 0; unit < units; ++unit) {
    for (Index t = 0; t < time; ++t) {
      grid.floats()[unit * time + t] = steps.floats()[t * units + unit];
    }
  }
  const bool bounded = part.low != part.high;
  const double none = std::numeric_limits<double>::quiet_NaN();
  return HeatMap({.title = title_of(trace, name),
                  .values = grid,
                  .columns = view.steps,
                  .x_label = view.steps.empty() ? "step" : "",
                  .y_label = "unit",
                  .scale_label = std::string(name),
                  .low = bounded ? part.low : none,
                  .high = bounded ? part.high : none,
                  .command = view.command});
}

std::string to_csv(const Trace& trace, const TraceView& view) {
  std::vector<Tensor> columns;
  std::string text = view.steps.empty() ? "step" : "step,word";
  for (const TracePart& part : trace.parts) {
    columns.push_back(steps_of(part, view));
    for (Index unit = 0; unit < columns.back().shape()[1]; ++unit) {
      text += fmt::format(",{}_{}", part.name, unit);
    }
  }
  text += '\n';
  for (Index t = 0; t < columns[0].shape()[0]; ++t) {
    text += std::to_string(t);
    if (!view.steps.empty()) text += "," + field(view.steps[static_cast<std::size_t>(t)]);
    for (const Tensor& part : columns) {
      const Index units = part.shape()[1];
      for (Index unit = 0; unit < units; ++unit) {
        const float value = part.floats()[t * units + unit];
        text += std::isnan(value) ? "," : fmt::format(",{}", value);
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace unroll
