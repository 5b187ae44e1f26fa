#include "unroll/plot_model.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "src/base/process.h"
#include "src/io/file.h"
#include "src/layers/listener.h"
#include "src/model/model_impl.h"
#include "src/model/nested.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr const char* line_colour = "#4a5a70";
constexpr const char* box_colour = "#f4f7fb";
constexpr const char* faint_colour = "#76839a";

/// Text within Graphviz's HTML-like labels.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return result;
}

/// A text in quotes.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + "\"";
}

/// The activation among a layer's options.
class ActivationOf final : public Listener {
 public:
  std::string name;
  using Listener::field;
  void field(std::string_view option, Activation& value) override {
    if (option == "activation") name = value.name();
  }
};

std::string shapes_text(const std::vector<Shape>& shapes) {
  if (shapes.size() == 1) return shapes[0].to_string();
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? "[" : ", ") + shape.to_string();
  return text + "]";
}

void add_once(std::string& list, const std::string& text) {
  if (list.find(text) == std::string::npos) list += (list.empty() ? "" : " and ") + text;
}

class DotWriter {
 public:
  explicit DotWriter(const PlotModelOptions& options) : options_(options) {}

  std::string write(const ModelImpl& model) {
    text_ = "digraph " + quoted(model.name) + " {\n";
    text_ += "  graph [rankdir=" + options_.rankdir + ", dpi=" + std::to_string(options_.dpi) +
             ", nodesep=0.3, ranksep=0.35, fontname=\"Helvetica\", fontsize=10]\n";
    text_ += std::string("  node [shape=box, style=\"rounded,filled\", color=\"") + line_colour +
             "\", fillcolor=\"" + box_colour +
             "\", fontname=\"Helvetica\", fontsize=11, margin=\"0.1,0.04\", height=0.3]\n";
    text_ += std::string("  edge [color=\"") + line_colour + "\", arrowsize=0.6]\n";
    draw(model, "  ");
    for (const auto& [from, to, dashed] : arrows_) {
      text_ += "  " + from + " -> " + to + (dashed ? " [style=dashed]" : "") + "\n";
    }
    return text_ + "}\n";
  }

 private:
  /// The boxes at which something begins and ends: one for each input and output, or one for all.
  struct Ends {
    std::vector<std::string> inputs, outputs;

    static const std::string& pick(const std::vector<std::string>& ends, std::size_t i) {
      return ends[std::min(i, ends.size() - 1)];
    }
  };
  using Boxes = std::map<const LayerImpl*, Ends>;

  Ends draw(const ModelImpl& model, const std::string& indent) {
    const Graph& graph = model.built_graph();
    Boxes boxes;
    for (const GraphStep& step : graph.steps()) {
      const bool hidden = model.sequential && step.inputs.empty();
      if (!hidden && !boxes.contains(step.layer)) {
        boxes[step.layer] = box(graph, *step.layer, indent);
      }
    }
    for (const GraphStep& step : graph.steps()) {
      if (!step.inputs.empty()) connect(*step.node, boxes);
    }
    return ends_of(model, boxes);
  }

  static Ends ends_of(const ModelImpl& model, const Boxes& boxes) {
    const Graph& graph = *model.graph;
    Ends ends;
    for (const Symbol& output : graph.output_symbols()) {
      const auto found = boxes.find(output.node()->layer.get());
      if (found == boxes.end()) continue;
      ends.outputs.push_back(
          Ends::pick(found->second.outputs, static_cast<std::size_t>(output.output())));
    }
    if (model.sequential) {
      const auto first =
          graph.steps().size() > 1 ? boxes.find(graph.steps()[1].layer) : boxes.end();
      if (first != boxes.end()) ends.inputs = first->second.inputs;
      return ends;
    }
    for (const Symbol& input : graph.input_symbols()) {
      ends.inputs.push_back(boxes.at(input.node()->layer.get()).inputs[0]);
    }
    return ends;
  }

  Ends box(const Graph& graph, LayerImpl& layer, const std::string& indent) {
    const std::string number = std::to_string(boxes_++);
    const auto* nested = dynamic_cast<const NestedModel*>(&layer);
    // A Sequential without layers has nothing to be drawn as.
    const bool expand =
        options_.expand_nested && nested != nullptr && nested->graph().steps().size() > 1;
    if (!expand) {
      const std::string id = "layer_" + number;
      text_ += indent + id + " [label=<" + label(graph, layer) + ">]\n";
      return {{id}, {id}};
    }
    text_ += indent + "subgraph cluster_" + number + " {\n";
    text_ += indent + "  label=" + quoted(layer.name) +
             "; labeljust=l; style=\"rounded,dashed\"; color=\"" + faint_colour +
             "\"; fontcolor=\"" + faint_colour + "\"\n";
    const Ends ends = draw(*nested->model(), indent + "  ");
    text_ += indent + "}\n";
    return ends;
  }

  void connect(const GraphNode& node, const Boxes& boxes) {
    const Ends& to = boxes.at(node.layer.get());
    const auto arrow = [&](const Symbol& from, std::size_t i, bool dashed) {
      const auto found = boxes.find(from.node()->layer.get());
      if (found == boxes.end()) return;  // the input of a Sequential
      const std::string& source =
          Ends::pick(found->second.outputs, static_cast<std::size_t>(from.output()));
      const Arrow made{source, Ends::pick(to.inputs, i), dashed};
      if (std::ranges::find(arrows_, made) == arrows_.end()) arrows_.push_back(made);
    };
    for (std::size_t i = 0; i < node.inputs.size(); ++i) arrow(node.inputs[i], i, false);
    for (std::size_t i = 0; i < node.masks.size(); ++i) {
      if (node.masks[i]) arrow(node.masks[i], i, true);
    }
  }

  std::string label(const Graph& graph, LayerImpl& layer) const {
    const std::string class_name(layer.class_name());
    std::string rows = options_.show_layer_names
                           ? "<b>" + escaped(layer.name) + "</b> " + faint(class_name)
                           : "<b>" + escaped(class_name) + "</b>";
    if (options_.show_layer_activations) {
      ActivationOf activation;
      layer.describe(activation);
      if (!activation.name.empty()) rows += "<br/>" + faint("activation " + activation.name);
    }
    if (options_.show_shapes) rows += shape_rows(graph, layer);
    const std::vector<Parameter*> weights = layer.parameters();
    if (options_.show_trainable && !weights.empty()) {
      const bool trains = std::ranges::any_of(weights, &Parameter::trainable);
      rows += "<br/>" + faint(trains ? "trainable" : "frozen");
    }
    return rows;
  }

  static std::string shape_rows(const Graph& graph, const LayerImpl& layer) {
    std::string in, out;
    for (const GraphStep& step : graph.steps()) {
      if (step.layer != &layer) continue;
      std::vector<Shape> inputs;
      if (!step.inputs.empty()) {
        for (const Symbol& input : step.node->inputs) inputs.push_back(input.shape());
      }
      if (!inputs.empty()) add_once(in, shapes_text(inputs));
      add_once(out, shapes_text(step.node->shapes));
    }
    return (in.empty() ? "" : "<br/>" + faint("in " + in)) + "<br/>" + faint("out " + out);
  }

  static std::string faint(const std::string& text) {
    return std::string("<font color=\"") + faint_colour + "\" point-size=\"9\">" + escaped(text) +
           "</font>";
  }

  struct Arrow {
    std::string from, to;
    bool dashed;
    bool operator==(const Arrow&) const = default;
  };

  const PlotModelOptions& options_;
  std::string text_;
  std::vector<Arrow> arrows_;
  int boxes_ = 0;
};

void check(const PlotModelOptions& options) {
  constexpr std::array<std::string_view, 4> directions{"TB", "BT", "LR", "RL"};
  if (std::ranges::find(directions, options.rankdir) == directions.end()) {
    throw Error(ErrorKind::value, "plot_model: no such rankdir",
                {.got = "\"" + options.rankdir + "\"", .want = "TB, BT, LR or RL"});
  }
  if (options.dpi < 10 || options.dpi > 2400) {
    throw Error(ErrorKind::value, "plot_model: dpi is out of range",
                {.got = std::to_string(options.dpi), .want = "10 to 2400"});
  }
}

std::string drawn(const std::string& dot, const std::string& kind) {
  std::optional<std::string> picture = base::run_process({"dot", "-T" + kind}, dot, "GV");
  if (picture) return *std::move(picture);
  throw Error(ErrorKind::unsupported, "a picture of a model needs Graphviz, which is not installed",
              {.hint = "apt-get install graphviz, or write a .dot file"});
}

}  // namespace

std::string to_dot(const Model& model, const PlotModelOptions& options) {
  check(options);
  return DotWriter(options).write(model.impl());
}

void plot_model(const Model& model, const std::string& path, const PlotModelOptions& options) {
  save_dot(to_dot(model, options), path);
}

void save_dot(const std::string& dot, const std::string& path) {
  if (path.ends_with(".dot")) return io::write_file(path, dot);
  for (const std::string kind : {"svg", "png", "pdf"}) {
    if (path.ends_with("." + kind)) return io::write_file(path, drawn(dot, kind));
  }
  throw Error(ErrorKind::value, path + ": no such kind of picture",
              {.want = "a path that ends in .svg, .png, .pdf or .dot"});
}

}  // namespace unroll
