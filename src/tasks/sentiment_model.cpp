#include <algorithm>

#include "src/tasks/options.h"
#include "src/tasks/review_words.h"
#include "src/tasks/sentiment_network.h"
#include "src/text/utf8.h"
#include "unroll/error.h"
#include "unroll/sentiment.h"
#include "unroll/sequences.h"

namespace unroll {

struct SentimentModel::Lookup {
  tasks::NGrams ngrams;
};

namespace {

/// Texts whose numbers are made at once: n-grams take much room.
constexpr std::size_t at_once = 256;

std::vector<std::int32_t> ids_of(const TextEncoder& encoder, std::string_view text, bool lesson) {
  if (lesson) return indexed(encoder, text);
  std::vector<std::int32_t> ids = encoder.encode(tasks::without_markup(text));
  // How words are set apart says nothing.
  const auto blank = encoder.id(" "), join = encoder.id("<join>");
  std::erase_if(ids, [&](std::int32_t id) { return id == blank || id == join; });
  return ids;
}

void check(const Model& model, const SentimentConfig& config) {
  tasks::check_count("SentimentModel", "length", config.length, 1, 100'000);
  std::vector<Index> wanted{config.length};
  if (!config.ngrams.empty()) {
    tasks::check_count("SentimentModel", "ngram_length", config.ngram_length, 1, 1'000'000);
    wanted.push_back(config.ngram_length);
  }
  const Symbols inputs = model.inputs(), outputs = model.outputs();
  bool fits = inputs.size() == wanted.size() && outputs.size() == 1;
  for (std::size_t i = 0; fits && i < wanted.size(); ++i) {
    fits = inputs[i].shape().rank() == 2 && inputs[i].shape()[1] == wanted[i];
  }
  fits = fits && outputs[0].shape().rank() == 2 && outputs[0].shape()[1] == 1;
  if (fits) return;
  std::string want = "(batch, " + std::to_string(config.length) + ")";
  if (!config.ngrams.empty()) want += " and (batch, " + std::to_string(config.ngram_length) + ")";
  throw Error(ErrorKind::shape, "SentimentModel: the model does not take such texts",
              {.want = want + " to (batch, 1)"});
}

void check_text(std::string_view text, std::size_t i) {
  const std::string which = "text " + std::to_string(i);
  if (const auto wrong = text::first_invalid(text)) throw text::not_utf8(text, *wrong, which);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw Error(ErrorKind::value, which + ": an empty review");
  }
  if (static_cast<Index>(text.size()) <= longest_review) return;
  throw Error(ErrorKind::value, which + ": too long a review",
              {.got = std::to_string(text.size()) + " bytes",
               .want = "at most " + std::to_string(longest_review)});
}

}  // namespace

namespace tasks {

Tensor sentiment_ids(const TextEncoder& encoder, const std::vector<std::string>& texts,
                     const SentimentConfig& config) {
  Sequences ids;
  for (const std::string& text : texts) ids.push_back(ids_of(encoder, text, config.lesson));
  const Side padding = config.lesson ? Side("pre") : Side("post");
  return pad_sequences(ids, {.maxlen = config.length, .padding = padding});
}

}  // namespace tasks

SentimentModel::SentimentModel(const Model& model, const TextEncoder& encoder,
                               const SentimentConfig& config)
    : model_(model), encoder_(encoder), config_(config) {
  check(model, config);
  if (!config.ngrams.empty()) {
    ngrams_ = std::make_shared<Lookup>(Lookup{tasks::NGrams(config.ngrams)});
  }
}

Tensors SentimentModel::inputs(const std::vector<std::string>& texts) const {
  Sequences numbers;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (const auto wrong = text::first_invalid(texts[i])) {
      throw text::not_utf8(texts[i], *wrong, "text " + std::to_string(i));
    }
    if (ngrams_) numbers.push_back(ngrams_->ngrams.numbers(tasks::without_markup(texts[i])));
  }
  Tensors result{tasks::sentiment_ids(encoder_, texts, config_)};
  if (ngrams_) {
    result.push_back(pad_sequences(numbers, {.maxlen = config_.ngram_length, .padding = "post"}));
  }
  return result;
}

std::vector<double> SentimentModel::predict(const std::vector<std::string>& texts,
                                            const Progress& progress) {
  std::vector<double> result;
  for (std::size_t i = 0; i < texts.size(); ++i) check_text(texts[i], i);
  for (std::size_t first = 0; first < texts.size(); first += at_once) {
    const std::size_t last = std::min(first + at_once, texts.size());
    const auto at = texts.begin();
    const Tensors answers = model_.predict(
        inputs({at + static_cast<std::ptrdiff_t>(first), at + static_cast<std::ptrdiff_t>(last)}));
    for (const float positive : answers[0].values<float>()) result.push_back(positive);
    if (progress) {
      progress({.step = static_cast<Index>(last),
                .steps = static_cast<Index>(texts.size()),
                .logs = {}});
    }
  }
  return result;
}

std::vector<std::string> SentimentModel::words(std::string_view text) const {
  std::vector<std::int32_t> seen = ids_of(encoder_, text, config_.lesson);
  const auto length = static_cast<std::size_t>(config_.length);
  if (seen.size() > length) seen.erase(seen.begin(), seen.end() - config_.length);
  std::vector<std::string> result;
  for (const std::int32_t id : seen) result.emplace_back(encoder_.piece(id));
  return result;
}

std::string SentimentModel::recurrent_layer() const { return tasks::recurrent_layer_name; }

}  // namespace unroll
