// Functional models: layers by name, and calls in whatever order they can be made.
#include <algorithm>
#include <map>

#include "src/io/layer_reader.h"
#include "src/io/node_reader.h"
#include "src/io/registry.h"
#include "src/layers/listener.h"
#include "src/model/nested.h"
#include "unroll/layers.h"

namespace unroll::io {

namespace {

/// A mask of Keras's functional graphs, x != value: of steps of ids, or of steps whose features
/// are reduced by `any`.
struct MaskOf {
  Symbol x;
  double value = 0;
  bool any = false;

  bool operator==(const MaskOf& other) const {
    return x.node() == other.x.node() && x.output() == other.x.output() && value == other.value &&
           any == other.any;
  }
};

/// The number of a Masking layer, which it has as an option only.
class MaskValue final : public Listener {
 public:
  double value = 0;
  using Listener::field;
  void field(std::string_view, double& found) override { value = found; }
};

/// Where the mask that travels with a value began; none where it has none, or one of several.
std::optional<MaskOf> travelling(Symbol symbol) {
  for (;;) {
    const GraphNode& node = *symbol.node();
    LayerImpl& layer = *node.layer;
    if (node.inputs.empty()) return std::nullopt;
    if (!node.masks.empty() && node.masks[0]) return MaskOf{node.masks[0]};
    if (layer.class_name() == "Masking") {
      MaskValue option;
      layer.describe(option);
      return MaskOf{node.inputs[0], option.value, true};
    }
    if (layer.class_name() == "Embedding") {
      if (!layer.makes_masks()) return std::nullopt;
      return MaskOf{node.inputs[0]};
    }
    const bool sequence = is_recurrent(layer.class_name()) && symbol.output() == 0 &&
                          symbol.shape().rank() >= 3 && node.inputs.size() == 1;
    if (layer.mask_rule() != MaskRule::pass && !sequence) return std::nullopt;
    symbol = node.inputs[0];
  }
}

class FunctionalReader {
 public:
  FunctionalReader(LayerReader& layers, const JsonAt& place)
      : layers_(layers), place_(place), config_(place.at("config")) {}

  Model read() {
    const JsonAt list = config_.at("layers").list();
    entries_.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) add_entry(list.at(i));
    make_calls();
    const Symbols inputs = ends(config_.at("input_layers"));
    const Symbols outputs = ends(config_.at("output_layers"));
    check_inputs(inputs);
    const auto name = config_.find("name");
    const Model model = refusing_at(place_, [&] {
      return Model({.inputs = inputs,
                    .outputs = outputs,
                    .name = name && !name->is_null() ? name->text() : "functional"});
    });
    layers_.note_trainable(config_, model);
    return model;
  }

 private:
  /// A layer of the text, or an operation of Keras that makes a mask.
  struct Entry {
    JsonAt place;
    std::string class_name;
    std::optional<Layer> layer = {};
    std::vector<CallAt> calls = {};
    std::vector<Symbol> made = {};   ///< of a layer, call by call
    std::vector<MaskOf> masks = {};  ///< of an operation

    bool makes_mask() const { return class_name == "NotEqual" || class_name == "Any"; }
    std::size_t done() const { return makes_mask() ? masks.size() : made.size(); }
  };

  // --- layers ---

  void add_entry(const JsonAt& place) {
    Entry entry{.place = place, .class_name = place.at("class_name").text()};
    const auto own_name = place.find("name");
    const JsonAt name_at = own_name ? *own_name : place.at("config").at("name");
    const std::string& name = name_at.text();
    if (name.empty()) throw name_at.refusal("a layer without a name");
    if (!numbers_.try_emplace(name, entries_.size()).second) {
      throw name_at.refusal("a second layer of this name");
    }
    const auto nodes = place.find("inbound_nodes");
    for (std::size_t i = 0; nodes && i < nodes->size(); ++i) {
      layers_.count(place);
      entry.calls.push_back(call_at(nodes->at(i), entry.class_name));
      legacy_ = legacy_ || entry.calls.back().nested_lists;
    }
    if (!entry.makes_mask() && entry.class_name != "GetItem") make_layer(entry, name);
    entries_.push_back(std::move(entry));
  }

  void make_layer(Entry& entry, const std::string& name) {
    const auto call = entry.calls.empty() ? std::nullopt : entry.calls[0].kwargs;
    for (const CallAt& other : entry.calls) check_same_options(call, other);
    entry.layer = Layer(layers_.layer(entry.place, call));
    entry.layer->impl().name = name;
    if (entry.class_name != "InputLayer") return;
    if (!entry.calls.empty()) throw entry.calls[0].place.refusal("a call of an InputLayer");
    entry.made.push_back((*entry.layer)(Symbols()));
    WeightBudget::check_size(entry.made[0].shape(), entry.place);
  }

  /// What Keras takes with each call is an option of the layer here.
  static void check_same_options(const std::optional<JsonAt>& first, const CallAt& other) {
    for (const char* name : {"use_causal_mask", "return_attention_scores"}) {
      const auto value_in = [&](const std::optional<JsonAt>& kwargs) {
        const auto found = kwargs ? kwargs->find(name) : std::nullopt;
        return found && !found->is_null() && found->flag();
      };
      if (value_in(first) == value_in(other.kwargs)) continue;
      throw other.place.refusal(std::string(name) + " differs between the calls of one layer");
    }
  }

  // --- calls ---

  void make_calls() {
    for (bool any = true; any;) {
      any = false;
      for (Entry& entry : entries_) {
        while (entry.done() < entry.calls.size() && ready(entry.calls[entry.done()])) {
          make_call(entry, entry.calls[entry.done()]);
          any = true;
        }
      }
    }
    for (const Entry& entry : entries_) {
      if (entry.done() >= entry.calls.size()) continue;
      throw entry.calls[entry.done()].place.refusal(
          "a call whose inputs are never made",
          {.want = "outputs of calls that do not wait for it"});
    }
  }

  bool ready(const CallAt& call) const {
    const auto made = [&](const TensorAt& tensor) {
      const Entry& from = source(tensor);
      return position(tensor, from, call.nested_lists) < from.done();
    };
    return std::ranges::all_of(call.inputs, made) &&
           std::ranges::all_of(call.masks, [&](const auto& mask) { return !mask || made(*mask); });
  }

  const Entry& source(const TensorAt& tensor) const {
    const auto found = numbers_.find(tensor.layer);
    if (found != numbers_.end()) return entries_[found->second];
    throw tensor.place.refusal("no such layer", {.got = "\"" + tensor.layer + "\""});
  }

  /// Keras 2 counts the node that a model has of itself.
  static std::size_t position(const TensorAt& tensor, const Entry& from, bool counts_itself) {
    const bool less = counts_itself && tensor.node > 0 && LayerReader::is_model(from.place);
    return tensor.node - (less ? 1 : 0);
  }

  Symbol symbol(const TensorAt& tensor, bool counts_itself) const {
    const Entry& from = source(tensor);
    const std::size_t node = position(tensor, from, counts_itself);
    if (from.makes_mask()) throw tensor.place.refusal("a mask where a layer's output is wanted");
    if (node >= from.made.size()) throw tensor.place.refusal("no such call of the layer");
    const Symbol& made = from.made[node];
    if (tensor.output >= made.node()->shapes.size()) {
      throw tensor.place.refusal("no such output of the layer");
    }
    return Symbol(made.node(), static_cast<int>(tensor.output));
  }

  void make_call(Entry& entry, const CallAt& call) {
    if (entry.makes_mask()) {
      entry.masks.push_back(mask_of(entry, call));
      return;
    }
    Symbols inputs;
    std::vector<Shape> shapes;
    for (const TensorAt& input : call.inputs) {
      inputs.push_back(symbol(input, call.nested_lists));
      shapes.push_back(inputs.back().shape());
    }
    if (entry.class_name == "GetItem") make_item(entry, call, shapes[0]);
    layers_.build(*entry.layer, entry.place, shapes);
    const Symbols masks = explicit_masks(entry, call, inputs);
    entry.made.push_back(
        refusing_at(call.place, [&] { return entry.layer->connect(inputs, masks); }));
  }

  void make_item(Entry& entry, const CallAt& call, const Shape& shape) {
    if (!call.second) throw call.place.refusal("GetItem without its second argument");
    if (!entry.made.empty()) throw call.place.refusal("a second call of a GetItem");
    entry.layer = GetItem(picks_at(*call.second, shape));
    entry.layer->impl().name = name_of(entry);
  }

  static const std::string& name_of(const Entry& entry) {
    const auto own_name = entry.place.find("name");
    return own_name ? own_name->text() : entry.place.at("config").at("name").text();
  }

  // --- masks ---

  MaskOf mask_of(const Entry& entry, const CallAt& call) const {
    if (entry.class_name == "NotEqual") {
      if (!call.second) throw call.place.refusal("NotEqual without its second argument");
      return {symbol(call.inputs.at(0), call.nested_lists), call.second->number()};
    }
    const Entry& from = source(call.inputs.at(0));
    const auto config = entry.place.find("config");
    for (const auto& options : {call.kwargs, config}) {
      const auto axis = options ? options->find("axis") : std::nullopt;
      if (axis && axis->whole() != -1) throw axis->refusal("any over another axis", {.want = "-1"});
    }
    if (from.class_name != "NotEqual") throw call.place.refusal("any of what is no mask");
    MaskOf mask = from.masks.at(call.inputs[0].node);
    mask.any = true;
    return mask;
  }

  /// The masks that do not come with the inputs by themselves.
  Symbols explicit_masks(const Entry& entry, const CallAt& call, const Symbols& inputs) const {
    std::vector<std::optional<MaskOf>> masks(inputs.size());
    bool any = false, by_themselves = !is_recurrent(entry.class_name) || inputs.size() == 1;
    for (std::size_t i = 0; i < call.masks.size(); ++i) {
      if (!call.masks[i]) continue;
      any = true;
      const Entry& from = source(*call.masks[i]);
      masks[i] = from.makes_mask() ? from.masks[call.masks[i]->node]
                                   : MaskOf{symbol(*call.masks[i], call.nested_lists)};
    }
    if (!any) return {};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      by_themselves = by_themselves && masks[i] == travelling(inputs[i]);
    }
    if (by_themselves) return {};
    Symbols symbols;
    for (std::size_t i = 0; i < masks.size(); ++i) {
      const bool as_it_is = !masks[i] || (!masks[i]->any && masks[i]->value == 0);
      if (!as_it_is) {
        throw call.masks[i]->place.refusal("a mask of a Masking layer, given to another layer",
                                           {.want = "the mask that travels with the input"});
      }
      symbols.push_back(masks[i] ? masks[i]->x : Symbol());
    }
    return symbols;
  }

  // --- ends ---

  Symbols ends(const JsonAt& place) const {
    Symbols symbols;
    const auto add = [&](const JsonAt& end) {
      const TensorAt tensor = tensor_at(end);
      // Keras 3 does so here only, and for Functional models only.
      const bool counts_itself = legacy_ || source(tensor).class_name == "Functional";
      symbols.push_back(symbol(tensor, counts_itself));
    };
    if (is_tensor(place)) {
      add(place);
    } else if (place.is_object()) {
      for (const auto& [name, ignored] : place.value().items()) add(place.at(name));
    } else {
      for (std::size_t i = 0; i < place.size(); ++i) add(place.at(i));
    }
    if (symbols.empty()) throw place.refusal("a model without ends");
    return symbols;
  }

  void check_inputs(const Symbols& inputs) const {
    const bool good = std::ranges::all_of(inputs, [](const Symbol& symbol) {
      return symbol.node()->layer->class_name() == "InputLayer";
    });
    if (!good) throw config_.at("input_layers").refusal("an input that is no InputLayer");
  }

  LayerReader& layers_;
  JsonAt place_, config_;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t> numbers_;  ///< of entries, by name
  bool legacy_ = false;
};

}  // namespace

Model read_functional(LayerReader& reader, const JsonAt& place) {
  return FunctionalReader(reader, place).read();
}

}  // namespace unroll::io
