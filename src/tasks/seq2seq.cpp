// The network of a Seq2Seq, and its parts.
#include "unroll/seq2seq.h"

#include <algorithm>
#include <cmath>

#include "src/tasks/options.h"
#include "src/tasks/seq2seq_parts.h"
#include "unroll/attention.h"
#include "unroll/decoder.h"
#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {

namespace {

using tasks::check_count;

void check(const Seq2SeqOptions& o) {
  constexpr Index most_units = 16'384, most_ids = 1 << 24;
  const char* const who = "Seq2Seq";
  check_count(who, "source_vocabulary", o.source_vocabulary, 4, most_ids);
  check_count(who, "target_vocabulary", o.target_vocabulary, 4, most_ids);
  const Index least = std::min(o.source_vocabulary, o.target_vocabulary);
  check_count(who, "begin", o.begin, 1, least - 1);
  check_count(who, "end", o.end, 1, least - 1);
  tasks::check_choice(who, "cell", o.cell, {"simple_rnn", "gru", "lstm"});
  tasks::check_choice(who, "attention", o.attention, {"general", "dot", "additive"});
  check_count(who, "units", o.units, 1, most_units);
  check_count(who, "embedding", o.embedding, 1, most_units);
  check_count(who, "encoder_layers", o.encoder_layers, 1, 8);
  check_count(who, "decoder_layers", o.decoder_layers, 1, 8);
  tasks::check_number(who, "dropout", o.dropout, o.dropout >= 0 && o.dropout < 1,
                      "from 0 to below 1");
  if (o.shared_vocabulary && o.source_vocabulary != o.target_vocabulary) {
    throw Error(ErrorKind::value, "Seq2Seq: a shared vocabulary of two sizes",
                {.got = std::to_string(o.source_vocabulary) + " and " +
                        std::to_string(o.target_vocabulary)});
  }
}

template <class L, class Options>
Recurrent walking(Index units, std::string name) {
  Options options;
  options.return_sequences = true;
  options.return_state = true;
  options.name = std::move(name);
  return L(units, options);
}

Recurrent recurrent(const std::string& cell, Index units, const std::string& name) {
  if (cell == "simple_rnn") return walking<SimpleRNN, SimpleRNNOptions>(units, name);
  if (cell == "lstm") return walking<LSTM, LSTMOptions>(units, name);
  return walking<GRU, GRUOptions>(units, name);
}

Cell cell_of(const std::string& cell, Index units) {
  if (cell == "simple_rnn") return SimpleRNNCell(units);
  if (cell == "lstm") return LSTMCell(units);
  return GRUCell(units);
}

/// The outputs of a layer that gives several.
std::vector<Symbol> parts_of(const Symbol& y) {
  std::vector<Symbol> parts;
  const auto count = static_cast<int>(y.node()->shapes.size());
  for (int i = 0; i < count; ++i) parts.emplace_back(y.node(), i);
  return parts;
}

/// Sequence and end states of the encoder: of each layer, states[i] in each direction.
struct Read {
  Symbol memory;
  std::vector<std::vector<Symbol>> states;
};

Read encoder(const Seq2SeqOptions& o, Symbol x) {
  Read read;
  for (Index i = 0; i < o.encoder_layers; ++i) {
    const std::string name = "encoder_" + std::to_string(i + 1);
    const Recurrent layer = recurrent(o.cell, o.units, o.bidirectional ? name + "_cell" : name);
    std::vector<Symbol> y =
        parts_of(o.bidirectional ? Bidirectional(layer, {.name = name})(x) : layer(x));
    x = y[0];
    if (o.dropout > 0) x = Dropout(o.dropout)(x);
    read.states.emplace_back(y.begin() + 1, y.end());
  }
  read.memory = x;
  return read;
}

/// The decoder's first states from the encoder's last ones.
Symbols bridged(const Seq2SeqOptions& o, const Read& read) {
  const std::size_t directions = o.bidirectional ? 2 : 1;
  Symbols first;
  for (Index i = 0; i < o.decoder_layers; ++i) {
    const auto& ends = read.states[static_cast<std::size_t>(std::min(i, o.encoder_layers - 1))];
    const std::size_t states = ends.size() / directions;
    for (std::size_t s = 0; s < states; ++s) {
      const std::string name = "bridge_" + std::to_string(first.size() + 1);
      const Symbol end = o.bidirectional ? Concatenate()({ends[s], ends[states + s]}) : ends[s];
      first.push_back(Dense(o.units, {.activation = "tanh", .name = name})(end));
    }
  }
  return first;
}

Model network(const Seq2SeqOptions& o) {
  check(o);
  // Logits of a tied table begin about as wide as those of a layer of its own.
  const Initializer small = Initializer(InitializerKind::random_normal, 0,
                                        1 / std::sqrt(static_cast<double>(o.embedding)));
  const ReversibleEmbedding table(o.target_vocabulary, o.embedding,
                                  {.tie_weights = o.tie_weights,
                                   .embeddings_initializer = small,
                                   .mask_zero = true,
                                   .name = "embedding"});
  const Symbol source = Input({.shape = {unknown}, .name = "source"});
  const Symbol target = Input({.shape = {unknown}, .name = "target"});
  Symbol x = o.shared_vocabulary ? table(source)
                                 : Embedding(o.source_vocabulary, o.embedding,
                                             {.embeddings_initializer = small,
                                              .mask_zero = true,
                                              .name = "source_embedding"})(source);
  if (o.dropout > 0) x = Dropout(o.dropout)(x);
  const Read read = encoder(o, x);
  std::vector<Cell> cells;
  for (Index i = 0; i < o.decoder_layers; ++i) cells.push_back(cell_of(o.cell, o.units));
  Symbols inputs{table(target), read.memory};
  for (const Symbol& state : bridged(o, read)) inputs.push_back(state);
  const Symbol y = AttentionDecoder(cells, {.attention = o.attention,
                                            .output_size = o.embedding,
                                            .input_feeding = o.input_feeding,
                                            .dropout = o.dropout,
                                            .name = "decoder"})(inputs);
  return Model({.inputs = {source, target}, .outputs = {table(y)}, .name = "seq2seq"});
}

std::shared_ptr<LayerImpl> layer_of(const Model& model, const std::string& name) {
  for (const Layer& layer : model.layers()) {
    if (layer.name() == name) return layer.shared_impl();
  }
  return nullptr;
}

std::vector<std::shared_ptr<LayerImpl>> layers_of(const Model& model, const std::string& prefix) {
  std::vector<std::shared_ptr<LayerImpl>> found;
  for (;;) {
    auto layer = layer_of(model, prefix + std::to_string(found.size() + 1));
    if (layer == nullptr) return found;
    found.push_back(std::move(layer));
  }
}

}  // namespace

void Seq2Seq::Parts::prepare() const {
  source_embedding->prepare(DType::float32, false);
  target_embedding->prepare(DType::float32, false);
  for (const auto& layer : encoder) layer->prepare(DType::float32, false);
  for (const auto& layer : bridge) layer->prepare(DType::float32, false);
  decoder->prepare(DType::float32, false);
}

Seq2Seq::Seq2Seq(const Seq2SeqOptions& options)
    : Seq2Seq(network(options), options.begin, options.end) {}

Seq2Seq::Seq2Seq(const Model& model, std::int32_t begin, std::int32_t end)
    : model_(std::make_shared<Model>(model)),
      parts_(std::make_shared<Parts>()),
      begin_(begin),
      end_(end) {
  parts_->target_embedding = layer_of(model, "embedding");
  parts_->source_embedding = layer_of(model, "source_embedding");
  if (parts_->source_embedding == nullptr) parts_->source_embedding = parts_->target_embedding;
  parts_->encoder = layers_of(model, "encoder_");
  parts_->bridge = layers_of(model, "bridge_");
  parts_->decoder = std::dynamic_pointer_cast<AttentionDecoderImpl>(layer_of(model, "decoder"));
  const Symbols outputs = model.outputs();
  const bool fits = model.inputs().size() == 2 && outputs.size() == 1 &&
                    outputs[0].shape().rank() == 3 && parts_->target_embedding != nullptr &&
                    parts_->decoder != nullptr && !parts_->encoder.empty() &&
                    parts_->bridge.size() == parts_->decoder->states();
  if (!fits) {
    throw Error(ErrorKind::shape, "not a Seq2Seq",
                {.got = "model \"" + model.name() + "\"",
                 .want = "layers embedding, encoder_1, bridge_1 and decoder, as Seq2Seq makes "
                         "them"});
  }
  target_vocabulary_ = outputs[0].shape()[2];
  source_vocabulary_ = parts_->source_embedding->parameters()[0]->shape()[0];
  const Index least = std::min(source_vocabulary_, target_vocabulary_);
  check_count("Seq2Seq", "begin", begin, 1, least - 1);
  check_count("Seq2Seq", "end", end, 1, least - 1);
}

namespace tasks {

Vars PlainCall::run(LayerImpl& layer, const Vars& inputs, const Mask& mask) {
  masks_.clear();
  out_masks_.clear();
  masks_.push_back(mask);
  return layer.call(*this, inputs);
}

Var PlainCall::use(const Parameter& parameter) {
  return own_.leaf(parameter.shape(), parameter.value().dtype(),
                   const_cast<void*>(parameter.value().raw()), nullptr);
}

Encoded encode(const Seq2Seq::Parts& parts, PlainCall& call, std::span<const Ids* const> sources,
               std::int32_t end) {
  const auto rows = static_cast<Index>(sources.size());
  Index steps = 1;
  for (const Ids* source : sources) {
    steps = std::max(steps, static_cast<Index>(source->size()) + 1);
  }
  Var ids = call.tape().result({steps, rows}, DType::int32, false);
  ids.set_time_first(true);
  auto* kept = call.tape().arena().take<std::uint8_t>(steps * rows);
  for (Index r = 0; r < rows; ++r) {
    const Ids& source = *sources[static_cast<std::size_t>(r)];
    const auto length = static_cast<Index>(source.size());
    for (Index t = 0; t < steps; ++t) {
      const std::int32_t id = t < length ? source[static_cast<std::size_t>(t)] : end;
      ids.data<std::int32_t>()[t * rows + r] = t <= length ? id : 0;
      kept[t * rows + r] = t <= length ? 1 : 0;
    }
  }
  const Mask mask{kept, steps, rows};
  Var x = call.run(*parts.source_embedding, {ids})[0];
  std::vector<std::vector<Var>> ends;
  for (const auto& layer : parts.encoder) {
    const Vars y = call.run(*layer, {x}, mask);
    x = y[0];
    ends.emplace_back(y.data() + 1, y.data() + y.size());
  }
  Vars states;
  const std::size_t decoders = parts.decoder->cells();
  for (std::size_t i = 0; i < decoders; ++i) {
    const std::vector<Var>& last = ends[std::min(i, ends.size() - 1)];
    const std::size_t count = parts.bridge.size() / decoders, directions = last.size() / count;
    for (std::size_t s = 0; s < count; ++s) {
      const Var state = directions == 2 ? concat({last[s], last[count + s]}, 1) : last[s];
      states.push_back(call.run(*parts.bridge[states.size()], {state})[0]);
    }
  }
  Encoded encoded{parts.decoder->attend_to(call, x, mask), {}};
  encoded.state = parts.decoder->first_state(call, {states.data(), states.size()}, rows);
  return encoded;
}

}  // namespace tasks

}  // namespace unroll
