// Keras's table of a model.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

#include "src/model/model_impl.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Characters on the screen, not bytes: continuation bytes do not count.
Index width_of(std::string_view text) {
  return static_cast<Index>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string with_commas(Index count) {
  std::string digits = std::to_string(count);
  for (auto at = static_cast<Index>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string readable_bytes(Index bytes) {
  static constexpr const char* units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  double size = static_cast<double>(bytes);
  int unit = 0;
  while (size >= 1024 && unit < 5) {
    size /= 1024;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof(text), "%.2f %s", size, units[unit]);
  return text;
}

std::string counted(std::string_view what, Index numbers) {
  return " " + std::string(what) + " params: " + with_commas(numbers) + " (" +
         readable_bytes(numbers * 4) + ")\n";
}

/// Breaks text into lines of at most `width`: at blanks, or inside a word that is too long, where
/// an ellipsis stands for the rest of the line.
std::vector<std::string> wrapped(const std::string& text, Index width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find(' ', at);
    if (end == std::string::npos) end = text.size();
    std::string word = text.substr(at, end - at);
    at = end + 1;
    const Index joined = line.empty() ? width_of(word) : width_of(line) + 1 + width_of(word);
    if (joined <= width) {
      line += (line.empty() ? "" : " ") + word;
      continue;
    }
    if (!line.empty()) lines.push_back(line);
    if (width_of(word) > width) word = word.substr(0, static_cast<std::size_t>(width - 1)) + "…";
    line = word;
  }
  lines.push_back(line);
  return lines;
}

struct Column {
  std::string title;
  bool right = false;
  bool centre = false;
  Index width = 0;
};

using Row = std::vector<std::string>;

class Table {
 public:
  /// `ends`: where each column ends, as a share of the line. Keras asks for columns that wide and
  /// leaves no room for padding and borders, which are then taken from all columns alike.
  Table(std::vector<Column> columns, const std::vector<double>& ends, Index line_length)
      : columns_(std::move(columns)) {
    const auto count = static_cast<Index>(columns_.size());
    Index begin = 0, excess = 2 * count + count + 1;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto end = static_cast<Index>(static_cast<double>(line_length) * ends[i]);
      const auto left = static_cast<double>(count - static_cast<Index>(i));
      const auto taken = static_cast<Index>(std::nearbyint(static_cast<double>(excess) / left));
      columns_[i].width = std::max<Index>(end - begin - taken, 1);
      excess -= taken;
      begin = end;
    }
  }

  void add(Row row) { rows_.push_back(std::move(row)); }

  std::string text() const {
    std::string out = rule("┏", "━", "┳", "┓");
    out += lines_of(titles(), "┃");
    out += rule("┡", "━", "╇", "┩");
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (i > 0) out += rule("├", "─", "┼", "┤");
      out += lines_of(rows_[i], "│");
    }
    return out + rule("└", "─", "┴", "┘");
  }

 private:
  Row titles() const {
    Row row;
    for (const Column& column : columns_) row.push_back(column.title);
    return row;
  }

  std::string rule(const char* left, const char* line, const char* middle,
                   const char* right) const {
    std::string out = left;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out += middle;
      for (Index k = 0; k < columns_[i].width + 2; ++k) out += line;
    }
    return out + right + "\n";
  }

  std::string lines_of(const Row& row, const char* border) const {
    std::vector<std::vector<std::string>> cells;
    std::size_t height = 1;
    for (std::size_t i = 0; i < row.size(); ++i) {
      // A heading is cut to one line; a cell is broken.
      const bool heading = border == std::string_view("┃");
      std::vector<std::string> lines = wrapped(row[i], columns_[i].width);
      if (heading && lines.size() > 1) lines.resize(1);
      height = std::max(height, lines.size());
      cells.push_back(std::move(lines));
    }
    std::string out;
    for (std::size_t line = 0; line < height; ++line) {
      out += border;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string text = line < cells[i].size() ? cells[i][line] : "";
        const Index blank = columns_[i].width - width_of(text);
        const Index before = columns_[i].right ? blank : (columns_[i].centre ? blank / 2 : 0);
        out += " " + std::string(static_cast<std::size_t>(before), ' ') + text +
               std::string(static_cast<std::size_t>(blank - before), ' ') + " " + border;
      }
      out += "\n";
    }
    return out;
  }

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

std::string shapes_text(const std::vector<Shape>& shapes) {
  if (shapes.size() == 1) return shapes[0].to_string();
  std::string text = "[";
  for (const Shape& shape : shapes) text += (text.size() > 1 ? ", " : "") + shape.to_string();
  return text + "]";
}

Index numbers_in(const Component& component, bool trainable_only) {
  Index count = 0;
  for (const Parameter* parameter : component.parameters()) {
    if (!trainable_only || parameter->trainable) count += parameter->elements();
  }
  return count;
}

std::string trainable_mark(const Component& component) {
  if (numbers_in(component, false) == 0) return "-";
  return numbers_in(component, true) > 0 ? "Y" : "N";
}

/// What Keras computes masks by, and lists among the layers where another layer reads the mask.
struct MaskOperation {
  std::string name;       ///< "not_equal"
  std::string_view type;  ///< "NotEqual"
  std::string shape;
  std::string source;     ///< "words[0][0]"
  std::size_t step = 0;   ///< of the layer that the mask comes with
  bool before = false;    ///< listed before that step, not after what is masked
  std::size_t after = 0;  ///< else: the step it is listed after
  bool read = false;
};

std::string reference(const Symbol& symbol) {
  return symbol.node()->layer->name + "[0][" + std::to_string(symbol.output()) + "]";
}

/// Which operations make the masks of a graph, and which layer reads which.
class MaskOperations {
 public:
  explicit MaskOperations(const Graph& graph)
      : graph_(graph), masks_(graph.slots(), none), readers_(graph.steps().size()) {
    std::vector<const GraphStep*> written;
    for (const GraphStep& step : graph.steps()) written.push_back(&step);
    std::ranges::sort(written, {}, [](const GraphStep* step) { return step->node->serial; });
    for (const GraphStep* step : written) visit(*step);
  }

  bool any() const {
    return std::ranges::any_of(operations_, [](const MaskOperation& one) { return one.read; });
  }
  /// ", not_equal[0][0]" for the masks that a step reads.
  std::string read_by(std::size_t step) const {
    std::string text;
    for (const std::size_t one : readers_[step]) text += ", " + operations_[one].name + "[0][0]";
    return text;
  }
  /// Calls f for those listed before, or after, a step.
  template <class F>
  void around(std::size_t step, bool before, F f) const {
    for (const MaskOperation& one : operations_) {
      const std::size_t place = one.before ? one.step : one.after;
      if (one.read && one.before == before && place == step) f(one);
    }
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  std::size_t number(const GraphStep& step) const {
    return static_cast<std::size_t>(&step - graph_.steps().data());
  }

  /// How many of its inputs' masks a layer reads; layers given states read none.
  static std::size_t masks_read(const GraphStep& step) {
    const std::string_view type = step.layer->class_name();
    for (const std::string_view attention :
         {"Attention", "AdditiveAttention", "MultiHeadAttention"}) {
      if (type == attention) return step.inputs.size();
    }
    for (const std::string_view reader :
         {"SimpleRNN", "GRU", "LSTM", "RNN", "ConvLSTM1D", "ConvLSTM2D", "Bidirectional",
          "TimeDistributed", "BatchNormalization", "GlobalAveragePooling1D", "Softmax"}) {
      if (type == reader) return step.inputs.size() == 1 ? 1 : 0;
    }
    return 0;
  }

  /// Whether the mask of its first input goes on with its first output.
  static bool hands_on(const GraphStep& step) {
    const bool sequence = step.node->shapes[0].rank() >= 3;
    const bool merges = step.inputs.size() > 1 && masks_read(step) == 0;
    switch (step.layer->mask_rule()) {
      case MaskRule::pass:
        return true;
      case MaskRule::own:
        return sequence && !merges;
      default:
        return false;
    }
  }

  void visit(const GraphStep& step) {
    if (step.inputs.empty()) return;
    const bool explicit_masks = !step.masks.empty();
    for (std::size_t i = 0; i < masks_read(step) && !explicit_masks; ++i) {
      const std::size_t mask = masks_[step.inputs[i]];
      if (mask != none) read(mask, step);
    }
    std::size_t& out = masks_[step.first_output];
    if (step.layer->makes_masks()) {
      out = make(step);
    } else if (hands_on(step)) {
      out = masks_[step.inputs[0]];
    }
  }

  void read(std::size_t mask, const GraphStep& reader) {
    MaskOperation& one = operations_[mask];
    readers_[number(reader)].push_back(mask);
    if (!one.read) {
      // Where Keras's walk through the graph meets it: after what the first reader reads.
      const GraphNode* masked = reader.node->inputs[0].node().get();
      const auto at = std::ranges::find_if(
          graph_.steps(), [&](const GraphStep& step) { return step.node.get() == masked; });
      one.after = number(*at);
      one.read = true;
    }
    // Masking first compares every number; the mask is made of that.
    if (one.type == "Any") operations_[mask - 1].read = true;
  }

  std::size_t make(const GraphStep& step) {
    const Symbol& input = step.node->inputs[0];
    const Shape& shape = input.shape();
    const auto name = [&](const char* base) {
      Index before = 0;
      for (const MaskOperation& one : operations_) before += one.name.starts_with(base) ? 1 : 0;
      return before == 0 ? std::string(base) : base + ("_" + std::to_string(before));
    };
    operations_.push_back(
        {name("not_equal"), "NotEqual", shape.to_string(), reference(input), number(step)});
    if (step.layer->class_name() == "Masking") {
      operations_.back().before = true;
      const std::string compared = operations_.back().name + "[0][0]";
      operations_.push_back(
          {name("any"), "Any", shape.without(-1).to_string(), compared, number(step)});
    }
    return operations_.size() - 1;
  }

  const Graph& graph_;
  std::vector<std::size_t> masks_;  // of each slot: the operation that made it
  std::vector<std::vector<std::size_t>> readers_;
  std::vector<MaskOperation> operations_;
};

/// Whether a graph is more than a chain: then the table says what is connected to what.
bool branches(const Graph& graph) {
  std::vector<int> uses(graph.slots(), 0);
  for (const GraphStep& step : graph.steps()) {
    if (step.inputs.size() > 1) return true;
    for (std::size_t slot : step.inputs) {
      if (++uses[slot] > 1) return true;
    }
  }
  return graph.inputs().size() > 1 || graph.outputs().size() > 1;
}

std::string connections(const GraphStep& step) {
  std::string text;
  for (const Symbol& input : step.node->inputs) {
    text += (text.empty() ? "" : ", ") + reference(input);
  }
  return text.empty() || step.inputs.empty() ? "-" : text;
}

}  // namespace

std::string Model::summary(const SummaryOptions& options) const {
  const ModelImpl& model = *impl_;
  const bool built = model.graph != nullptr;
  const bool functional = built && !model.sequential;
  const std::optional<MaskOperations> masks =
      functional ? std::optional<MaskOperations>(*model.graph) : std::nullopt;
  const bool connected = functional && (branches(*model.graph) || masks->any());
  std::vector<Column> columns{{"Layer (type)"}, {"Output Shape"}, {"Param #", true}};
  std::vector<double> ends{0.45, 0.80, 1.0};
  Index widest = 88;
  if (connected) {
    columns.push_back({"Connected to"});
    ends = {0.30, 0.56, 0.74, 1.0};
    widest = 108;
  }
  if (options.show_trainable) {
    columns.push_back({"Trainable", false, true});
    for (double& end : ends) end *= 0.9;
    ends.push_back(1.0);
    widest += 12;
  }
  const Index length =
      options.line_length > 0 ? options.line_length : std::min(widest, options.columns - 4);
  Table table(columns, ends, length);

  const auto row_of = [&](const LayerImpl& layer, const std::string& shape,
                          const std::string& params) {
    const std::string name = layer.name.empty() ? snake_case(layer.class_name()) : layer.name;
    return Row{name + " (" + std::string(layer.class_name()) + ")", shape, params};
  };
  if (built) {
    std::set<const LayerImpl*> seen;
    const auto add_operation = [&](const MaskOperation& one) {
      Row row{one.name + " (" + std::string(one.type) + ")", one.shape, "0", one.source};
      if (options.show_trainable) row.push_back("-");
      table.add(row);
    };
    for (std::size_t i = 0; i < model.graph->steps().size(); ++i) {
      const GraphStep& step = model.graph->steps()[i];
      const bool entry = step.inputs.empty();
      if (entry && model.sequential) continue;
      if (masks) masks->around(i, true, add_operation);
      const bool first = seen.insert(step.layer).second;
      Row row = row_of(*step.layer, shapes_text(step.node->shapes),
                       first ? with_commas(numbers_in(*step.layer, false)) : "0");
      if (connected) row.push_back(connections(step) + masks->read_by(i));
      if (options.show_trainable) row.push_back(trainable_mark(*step.layer));
      table.add(row);
      if (masks) masks->around(i, false, add_operation);
    }
  } else {
    for (const Layer& layer : model.sequence) {
      Row row = row_of(layer.impl(), "?", "0 (unbuilt)");
      if (options.show_trainable) row.push_back("-");
      table.add(row);
    }
  }

  const Index trainable = count_trainable(), all = count_params();
  const Index kept = model.trainer != nullptr ? model.trainer->optimizer_numbers() : 0;
  std::string text = "Model: \"" + model.name + "\"\n" + table.text();
  text += counted("Total", all + kept) + counted("Trainable", trainable) +
          counted("Non-trainable", all - trainable);
  if (kept > 0) text += counted("Optimizer", kept);
  return text;
}

}  // namespace unroll
