#include "unroll/areas.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "unroll/convolution.h"
#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {

namespace {

/// Where a connection begins: an area, or the input.
constexpr int the_input = -1;

struct Connection {
  int from = the_input, to = 0;
  Layer weights;

  /// Whether it takes part in the first pass.
  bool upwards() const { return from < to; }
};

Error out_of_range(const std::string& what, Index got) {
  return Error(ErrorKind::value, "Areas: " + what,
               {.got = std::to_string(got), .want = "1 or more"});
}

}  // namespace

struct Areas::Impl {
  AreasOptions options;
  std::vector<Connection> connections;
  std::vector<Layer> sums, activations;  // by area
  std::optional<Layer> dropout, flatten, readout;

  int count() const { return static_cast<int>(options.areas.size()); }
  bool images() const { return options.input.rank() == 3; }
  const std::string& name(int area) const {
    static const std::string input = "input";
    return area == the_input ? input : options.areas[static_cast<std::size_t>(area)].name;
  }

  int find(const std::string& wanted) const {
    for (int area = the_input; area < count(); ++area) {
      if (name(area) == wanted) return area;
    }
    std::string names;
    for (int area = the_input; area < count(); ++area) {
      names += (names.empty() ? "" : ", ") + name(area);
    }
    throw Error(ErrorKind::value, "Areas: a link names no area",
                {.got = "\"" + wanted + "\"", .want = "one of " + names});
  }

  /// What a connection does to activations; one of those that reach an area adds its bias.
  Layer weights(int from, int to) const {
    const Index units = options.areas[static_cast<std::size_t>(to)].units;
    const bool bias = from == to - 1;
    const std::string made = fmt::format("{}_to_{}", name(from), name(to));
    if (!images()) return Dense(units, {.use_bias = bias, .name = made});
    Index strides = 1;
    for (int area = std::min(from, to) + 1; area <= std::max(from, to); ++area) {
      strides *= options.areas[static_cast<std::size_t>(area)].strides;
    }
    // A smaller kernel would leave places out.
    const Index size = std::max(options.kernel_size, strides);
    if (from <= to || strides == 1) {
      return Conv2D(units, {size},
                    {.strides = {strides}, .padding = "same", .use_bias = bias, .name = made});
    }
    return Conv2DTranspose(
        units, {size}, {.strides = {strides}, .padding = "same", .use_bias = bias, .name = made});
  }

  void connect(int from, int to) {
    if (to == the_input) {
      throw Error(ErrorKind::value, "Areas: nothing can feed the input",
                  {.got = "a link from \"" + name(from) + "\""});
    }
    for (const Connection& one : connections) {
      if (one.from != from || one.to != to) continue;
      throw Error(ErrorKind::value, "Areas: a connection is there twice",
                  {.got = name(from) + " to " + name(to),
                   .hint = "neighbours, lateral and feedback connections are made by themselves"});
    }
    connections.push_back({from, to, weights(from, to)});
  }

  void check() const {
    if (options.input.rank() != 1 && options.input.rank() != 3) {
      throw Error(
          ErrorKind::shape, "Areas: no such input",
          {.got = options.input.to_string(), .want = "(features) or (height, width, channels)"});
    }
    if (options.areas.empty()) throw Error(ErrorKind::value, "Areas: no areas");
    if (options.outputs < 1) throw out_of_range("no such number of outputs", options.outputs);
    if (options.kernel_size < 1) throw out_of_range("no such kernel_size", options.kernel_size);
    for (int area = 0; area < count(); ++area) {
      const Area& one = options.areas[static_cast<std::size_t>(area)];
      if (one.units < 1) throw out_of_range("no such size of \"" + one.name + "\"", one.units);
      if (one.strides < 1)
        throw out_of_range("no such strides of \"" + one.name + "\"", one.strides);
      if (find(one.name) == area) continue;
      throw Error(ErrorKind::value, "Areas: two things of one name",
                  {.got = "\"" + one.name + "\""});
    }
    check_pictures();
  }

  /// Going up by a stride and down again has to give the size that there was.
  void check_pictures() const {
    Shape size = images() ? Shape{options.input[0], options.input[1]} : Shape{1, 1};
    for (const Area& one : options.areas) {
      for (int axis = 0; axis < 2; ++axis) {
        if (size[axis] % one.strides != 0) {
          throw Error(ErrorKind::value,
                      "Areas: the strides of \"" + one.name + "\" do not divide what is below it",
                      {.got = std::to_string(one.strides) + " and " +
                              (images() ? size.to_string() : "a dense area")});
        }
        size.set(axis, size[axis] / one.strides);
      }
    }
  }

  void build() {
    for (int area = 0; area < count(); ++area) {
      connect(area - 1, area);
      if (options.lateral) connect(area, area);
      if (options.feedback && area + 1 < count()) connect(area + 1, area);
      const Area& one = options.areas[static_cast<std::size_t>(area)];
      sums.push_back(Add(NameOption{.name = one.name + "_sum"}));
      activations.push_back(ActivationLayer(one.activation, {.name = one.name}));
    }
    for (const AreaLink& link : options.links) connect(find(link.from), find(link.to));
    if (images()) flatten = Flatten({.name = "flatten"});
    if (options.dropout > 0) dropout = Dropout(options.dropout);
    readout = Dense(options.outputs, {.activation = options.readout, .name = "readout"});
  }

  using Activations = std::vector<Symbol>;  // by area

  /// One area after one pass; `before` is what the others had.
  Symbol update(int area, const Symbol& input, const Activations& before, bool first) const {
    Symbols arriving;
    for (const Connection& one : connections) {
      if (one.to != area || (first && !one.upwards())) continue;
      arriving.push_back(
          one.weights(one.from == the_input ? input : before[static_cast<std::size_t>(one.from)]));
    }
    const auto at = static_cast<std::size_t>(area);
    return activations[at](arriving.size() == 1 ? arriving[0] : sums[at](arriving));
  }

  Symbol read(const Symbol& last) const {
    Symbol x = last;
    if (dropout) x = (*dropout)(x);
    if (flatten) x = (*flatten)(x);
    return (*readout)(x);
  }

  Model model(Index passes, bool every) const {
    if (passes < 1) throw out_of_range("no such number of passes", passes);
    const Symbol input = Input({.shape = options.input, .name = "input"});
    Activations now(static_cast<std::size_t>(count()));
    Symbols outputs;
    for (Index pass = 0; pass < passes; ++pass) {
      const Activations before = now;
      for (int area = 0; area < count(); ++area) {
        now[static_cast<std::size_t>(area)] =
            update(area, input, pass == 0 ? now : before, pass == 0);
      }
      if (every || pass + 1 == passes) outputs.push_back(read(now.back()));
    }
    return Model({.inputs = {input}, .outputs = outputs, .name = "areas"});
  }

  /// Whether an arrow of the drawing leads into this pass, counted from 0.
  static bool drawn(const Connection& one, Index pass) { return pass > 0 || one.upwards(); }
  std::string to_dot(Index passes) const;
  std::vector<AreasConnection> legend(Index passes) const;
};

Areas::Areas(const AreasOptions& options) {
  auto impl = std::make_shared<Impl>();
  impl->options = options;
  impl->check();
  impl->build();
  impl_ = impl;
}

Model Areas::model(Index passes) const { return impl_->model(passes, false); }
Model Areas::model_of_every_pass(Index passes) const { return impl_->model(passes, true); }

// --- the graph in space ---

std::string Areas::Impl::to_dot(Index passes) const {
  // Okabe and Ito, 2008, and darker ones of the same hues.
  constexpr std::array colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00",
                                  "#56B4E9", "#555555", "#004A73", "#8A3D00", "#00664A"};
  if (passes < 1) throw out_of_range("no such number of passes", passes);
  const auto node = [](int area, Index pass) {
    return area == the_input ? std::string("input") : fmt::format("area_{}_{}", area, pass);
  };
  std::string text =
      "digraph areas {\n  graph [rankdir=LR, ranksep=0.9, nodesep=0.35, fontname=\"Helvetica\"]\n"
      "  node [shape=box, style=\"rounded,filled\", color=\"#808080\", fillcolor=\"#f4f6f8\", "
      "fontname=\"Helvetica\", fontsize=11]\n"
      "  edge [fontname=\"Helvetica\", fontsize=9, arrowsize=0.6]\n"
      "  input [label=\"input\", fillcolor=\"#ffffff\"]\n";
  for (Index pass = 0; pass < passes; ++pass) {
    text += fmt::format(
        "  subgraph cluster_{0} {{\n    label=\"pass {1}\"; color=\"#d0d0d0\"; "
        "style=rounded\n",
        pass, pass + 1);
    for (int area = count() - 1; area >= 0; --area) {
      std::string label;
      for (const char c : name(area)) {
        if (c == '"' || c == '\\') label += '\\';
        label += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
      }
      text += fmt::format("    {} [label=\"{}\"]\n", node(area, pass), label);
    }
    text += "  }\n";
  }
  for (Index pass = 0; pass < passes; ++pass) {
    for (std::size_t i = 0; i < connections.size(); ++i) {
      const Connection& one = connections[i];
      if (!drawn(one, pass)) continue;
      const Index begins = pass == 0 ? 0 : pass - 1;
      text += fmt::format("  {} -> {} [label=\"{}\", color=\"{}\", fontcolor=\"{}\"]\n",
                          node(one.from, begins), node(one.to, pass), i + 1,
                          colours[i % colours.size()], colours[i % colours.size()]);
    }
  }
  return text +
         fmt::format("  output [label=\"readout\", fillcolor=\"#ffffff\"]\n  {} -> output\n}}\n",
                     node(count() - 1, passes - 1));
}

std::vector<AreasConnection> Areas::Impl::legend(Index passes) const {
  if (passes < 1) throw out_of_range("no such number of passes", passes);
  // What the lowest area hears from above is read when it has come up again: so many passes build
  // every connection.
  model(count() + 1, false);
  std::vector<AreasConnection> legend;
  for (const Connection& one : connections) {
    AreasConnection line{.mark = static_cast<Index>(legend.size()) + 1,
                         .from = name(one.from),
                         .to = name(one.to),
                         .kind = "skip"};
    if (one.to == one.from + 1) line.kind = "bottom-up";
    if (one.to == one.from) line.kind = "lateral";
    if (one.to == one.from - 1) line.kind = "feedback";
    for (Index pass = 0; pass < passes; ++pass) line.drawn += drawn(one, pass);
    for (const Tensor& weight : one.weights.get_weights()) line.weights += weight.elements();
    legend.push_back(line);
  }
  return legend;
}

std::string Areas::to_dot(Index passes) const { return impl_->to_dot(passes); }
std::vector<AreasConnection> Areas::connections(Index passes) const {
  return impl_->legend(passes);
}

}  // namespace unroll
