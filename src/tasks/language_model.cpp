// The network of a language model, and how well it foretells.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "src/tasks/options.h"
#include "src/tasks/words.h"
#include "unroll/error.h"
#include "unroll/language.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll {

namespace {

using tasks::check_count;

void check(const LanguageModelOptions& o) {
  constexpr Index most_units = 16'384;
  const char* const who = "LanguageModel";
  check_count(who, "vocabulary", o.vocabulary, 2, 1 << 24);
  tasks::check_choice(who, "cell", o.cell, {"simple_rnn", "gru", "lstm"});
  check_count(who, "units", o.units, 1, most_units);
  check_count(who, "layers", o.layers, 1, 64);
  check_count(who, "embedding", o.embedding, 1, most_units);
  check_count(who, "projection", o.projection, 0, most_units);
  tasks::check_number(who, "dropout", o.dropout, o.dropout >= 0 && o.dropout < 1,
                      "from 0 to below 1");
}

template <class L, class Options>
Layer walking(Index units) {
  Options options;
  options.return_sequences = true;
  options.stateful = true;
  return L(units, options);
}

Layer recurrent(const std::string& cell, Index units) {
  if (cell == "simple_rnn") return walking<SimpleRNN, SimpleRNNOptions>(units);
  if (cell == "lstm") return walking<LSTM, LSTMOptions>(units);
  return walking<GRU, GRUOptions>(units);
}

Model network(const LanguageModelOptions& o) {
  check(o);
  std::vector<Layer> layers{InputLayer({.shape = {unknown}}), Embedding(o.vocabulary, o.embedding)};
  const auto drop = [&] {
    if (o.dropout > 0) layers.push_back(Dropout(o.dropout));
  };
  for (Index i = 0; i < o.layers; ++i) {
    layers.push_back(recurrent(o.cell, o.units));
    drop();
  }
  if (o.projection > 0) layers.push_back(Dense(o.projection));
  layers.push_back(Dense(o.vocabulary));
  return Sequential(std::move(layers), "language_model");
}

/// One of the streams that a part is read as: begins at `from`, foretells [first, last).
struct Stream {
  Index from = 0, first = 0, last = 0;
};

/// Streams of one length that foretell [first, last) together.
std::vector<Stream> streams_of(Index first, Index last, Index context) {
  constexpr Index most = 32, least_length = 64;
  const Index count = std::clamp<Index>((last - first) / least_length, 1, most);
  std::vector<Stream> streams;
  for (Index i = 0; i < count; ++i) {
    const Index begin = first + (last - first) * i / count;
    const Index end = first + (last - first) * (i + 1) / count;
    streams.push_back({std::max<Index>(begin - context, 0), begin, end});
  }
  return streams;
}

/// What each stream reads at steps [at, at + steps). A stream that is shorter reads on; nobody
/// listens any more.
Tensor piece_of(std::span<const std::int32_t> ids, const std::vector<Stream>& streams, Index at,
                Index steps) {
  Tensor x({static_cast<Index>(streams.size()), steps}, DType::int32);
  std::int32_t* to = x.values<std::int32_t>().data();
  for (const Stream& stream : streams) {
    for (Index t = 0; t < steps; ++t) {
      const auto from = static_cast<std::size_t>(stream.from + at + t);
      *to++ = ids[std::min(from, ids.size() - 1)];
    }
  }
  return x;
}

/// ln softmax(logits)[id]
double log_probability(std::span<const float> logits, std::int32_t id) {
  float highest = logits[0];
  for (const float logit : logits) highest = std::max(highest, logit);
  double sum = 0;
  for (const float logit : logits) sum += static_cast<double>(std::exp(logit - highest));
  return static_cast<double>(logits[static_cast<std::size_t>(id)] - highest) - std::log(sum);
}

}  // namespace

double LanguageScore::bits() const noexcept { return nats / std::numbers::ln2; }
double LanguageScore::perplexity() const noexcept { return std::exp(nats); }

LanguageModel::LanguageModel(const LanguageModelOptions& options)
    : LanguageModel(network(options)) {}

LanguageModel::LanguageModel(const Model& model, WeightType weights)
    : model_(std::make_shared<Model>(model)), weights_(weights) {
  const Symbols inputs = model.inputs(), outputs = model.outputs();
  const bool fits = inputs.size() == 1 && inputs[0].shape().rank() == 2 && outputs.size() == 1 &&
                    outputs[0].shape().rank() == 3;
  if (!fits) {
    throw Error(ErrorKind::shape, "not a language model",
                {.got = "model \"" + model.name() + "\"",
                 .want = "ids (batch, time) to numbers (batch, time, vocabulary)"});
  }
  vocabulary_ = outputs[0].shape()[2];
}

std::string LanguageModel::label() const {
  std::string kind;
  Index count = 0;
  for (const Layer& layer : model_->layers()) {
    const std::string_view name = layer.class_name();
    if (name != "SimpleRNN" && name != "GRU" && name != "LSTM") continue;
    const Index units = layer.impl().parameters()[1]->shape()[0];  // of the recurrent kernel
    kind = std::string(name) + "(" + std::to_string(units) + ")";
    ++count;
  }
  return count > 1 ? kind + " x " + std::to_string(count) : kind;
}

void LanguageModel::foretell(std::span<const std::int32_t> ids, Index first, const Visitor& visit,
                             Index context) const {
  const auto last = static_cast<Index>(ids.size());
  first = std::max<Index>(first, 1);  // nothing comes before the first id
  if (first >= last) {
    throw Error(ErrorKind::value, "LanguageModel: nothing to foretell",
                {.got = tasks::counted(last, "id"), .want = "more than " + std::to_string(first)});
  }
  tasks::check_count("LanguageModel", "context", context, 1, 1 << 30);
  tasks::check_ids("LanguageModel", ids, vocabulary_);
  const std::vector<Stream> streams = streams_of(first, last, context);
  Index longest = 0;
  for (const Stream& stream : streams) longest = std::max(longest, stream.last - 1 - stream.from);
  // A piece's logits are some megabytes, whatever the vocabulary.
  const auto rows = static_cast<Index>(streams.size());
  const Index piece = std::clamp<Index>((1 << 22) / (rows * vocabulary_), 1, 128);
  Session session;
  for (Index at = 0; at < longest; at += piece) {
    const Index steps = std::min(piece, longest - at);
    const Tensor logits =
        model_->predict(session, piece_of(ids, streams, at, steps), {.batch_size = rows});
    for (Index r = 0; r < rows; ++r) {
      const Stream& stream = streams[static_cast<std::size_t>(r)];
      for (Index t = 0; t < steps; ++t) {
        const Index foretold = stream.from + at + t + 1;
        if (foretold < stream.first || foretold >= stream.last) continue;
        const float* row = logits.floats() + (r * steps + t) * vocabulary_;
        visit(foretold, {row, static_cast<std::size_t>(vocabulary_)});
      }
    }
  }
}

std::vector<double> LanguageModel::log_probabilities(std::span<const std::int32_t> ids, Index first,
                                                     Index context) const {
  first = std::max<Index>(first, 1);
  std::vector<double> result(ids.size() - std::min(ids.size(), static_cast<std::size_t>(first)));
  const auto visit = [&](Index i, std::span<const float> logits) {
    result[static_cast<std::size_t>(i - first)] =
        log_probability(logits, ids[static_cast<std::size_t>(i)]);
  };
  foretell(ids, first, visit, context);
  return result;
}

LanguageScore LanguageModel::evaluate(std::span<const std::int32_t> ids, Index first,
                                      Index context) const {
  const std::vector<double> logs = log_probabilities(ids, first, context);
  double sum = 0;
  for (const double log : logs) sum -= log;
  return {.nats = sum / static_cast<double>(logs.size()),
          .tokens = static_cast<Index>(logs.size())};
}

// --- LanguageReader ---

LanguageReader::LanguageReader(const LanguageModel& model)
    : vocabulary_(model.vocabulary()),
      session_(PackedModel(model.model(), {.weights = model.weights()})) {}

std::span<const float> LanguageReader::read(std::int32_t id) {
  tasks::check_ids("LanguageModel", std::span(&id, 1), vocabulary_);
  return session_.step(id);
}

}  // namespace unroll
