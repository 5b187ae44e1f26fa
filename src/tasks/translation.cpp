// Translators: texts in, texts out, and their training.
#include "unroll/translation.h"

#include <algorithm>
#include <chrono>

#include "src/data/archive.h"
#include "src/data/source.h"
#include "src/tasks/options.h"
#include "src/tasks/words.h"
#include "src/text/utf8.h"
#include "unroll/error.h"

namespace unroll {

namespace {

std::vector<std::string> lines_of(const std::string& file) {
  constexpr Index most_bytes = Index{4} << 30;
  const data::Bytes bytes = data::read_source(file, {});
  const std::string name = data::source_name(file);
  const bool packed = bytes.view().starts_with("\x1f\x8b");
  const std::string unpacked =
      packed ? data::unpack_gzip(bytes.view(), name, most_bytes) : std::string();
  std::vector<std::string> lines;
  for (std::string_view rest = packed ? std::string_view(unpacked) : bytes.view(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.pop_back();
    if (const auto wrong = text::first_invalid(line)) {
      throw text::not_utf8(line, *wrong, name + ", line " + std::to_string(lines.size() + 1));
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty())
    throw Error(ErrorKind::format, name + ": no sentences", {.want = "one a line"});
  return lines;
}

Ids encoded(const TextEncoder& encoder, const std::string& text, std::size_t i) {
  if (const auto wrong = text::first_invalid(text)) {
    throw text::not_utf8(text, *wrong, "text " + std::to_string(i));
  }
  return encoder.encode(text);
}

std::vector<Ids> all_encoded(const TextEncoder& encoder, const std::vector<std::string>& texts) {
  std::vector<Ids> ids;
  for (std::size_t i = 0; i < texts.size(); ++i) ids.push_back(encoded(encoder, texts[i], i));
  return ids;
}

TextEncoder encoder_of(const std::vector<std::string>& texts, const TranslationOptions& o) {
  tasks::check_choice("train_translator", "tokens", o.tokens, {"subwords", "words"});
  if (o.tokens == "subwords") {
    return TextEncoder::subwords(texts, {.size = o.vocabulary, .kind = SubwordsKind::unigram});
  }
  return TextEncoder::words(
      texts,
      {.size = o.vocabulary, .min_count = o.min_count, .lower = o.lower, .begin_and_end = true});
}

std::vector<std::string> pieces(const TextEncoder& encoder, const Ids& ids) {
  std::vector<std::string> words;
  for (const std::int32_t id : ids) words.emplace_back(encoder.piece(id));
  words.emplace_back("</s>");
  return words;
}

}  // namespace

ParallelTexts read_parallel(const std::string& source, const std::string& target) {
  ParallelTexts texts{lines_of(source), lines_of(target)};
  if (texts.source.size() == texts.target.size()) return texts;
  throw Error(ErrorKind::format, "the two files do not go together",
              {.got = data::source_name(source) + ": " +
                      tasks::counted(static_cast<Index>(texts.source.size()), "line") + ", " +
                      data::source_name(target) + ": " +
                      tasks::counted(static_cast<Index>(texts.target.size()), "line"),
               .want = "line i of one is line i of the other in another language"});
}

Translator::Translator(const Seq2Seq& model, const TextEncoder& source, const TextEncoder& target)
    : model_(model), source_(source), target_(target) {
  if (source.size() == model.source_vocabulary() && target.size() == model.target_vocabulary()) {
    return;
  }
  throw Error(
      ErrorKind::value, "Translator: the encoders are not the model's",
      {.got = std::to_string(source.size()) + " and " + std::to_string(target.size()) + " ids",
       .want = std::to_string(model.source_vocabulary()) + " and " +
               std::to_string(model.target_vocabulary())});
}

std::vector<std::vector<Translation>> Translator::translate(const std::vector<std::string>& texts,
                                                            const DecodeOptions& options) const {
  const std::vector<Ids> sources = all_encoded(source_, texts);
  std::vector<std::vector<Translation>> results;
  const std::vector<std::vector<Decoded>> decoded = model_.decode(sources, options);
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    results.emplace_back();
    for (const Decoded& one : decoded[i]) {
      Translation t;
      t.text = target_.decode(one.ids);
      t.score = one.score;
      t.ended = one.ended;
      if (options.attention) {
        t.read = pieces(source_, sources[i]);
        t.written = pieces(target_, one.ids);
        if (!one.ended) t.written.pop_back();
        t.attention = one.attention;
      }
      results.back().push_back(std::move(t));
    }
  }
  return results;
}

std::vector<std::string> Translator::best(const std::vector<std::string>& texts,
                                          const DecodeOptions& options) const {
  std::vector<std::string> best;
  for (auto& found : translate(texts, options)) {
    best.push_back(found.empty() ? "" : std::move(found[0].text));
  }
  return best;
}

TranslationScore score_texts(const std::vector<std::string>& texts,
                             const std::vector<std::string>& references) {
  TranslationScore score;
  score.bleu = bleu(texts, references);
  Index exact = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) exact += texts[i] == references[i];
  score.exact = texts.empty() ? 0 : static_cast<double>(exact) / static_cast<double>(texts.size());
  return score;
}

namespace {

Translator untrained(const TranslationData& data, const TranslationOptions& o) {
  std::vector<std::string> both = data.train.source;
  if (o.joint) both.insert(both.end(), data.train.target.begin(), data.train.target.end());
  const TextEncoder source = encoder_of(both, o);
  const TextEncoder target = o.joint ? source : encoder_of(data.train.target, o);
  Seq2SeqOptions model = o.model;
  model.source_vocabulary = source.size();
  model.target_vocabulary = target.size();
  model.shared_vocabulary = o.joint;
  if (!target.begin() || !target.end() || source.end() != target.end()) {
    throw Error(ErrorKind::value, "train_translator: the encoders have no begin and end");
  }
  model.begin = *target.begin();
  model.end = *target.end();
  return {Seq2Seq(model), source, target};
}

bool has_four_tokens(const std::vector<std::string>& texts) {
  return std::ranges::any_of(
      texts, [](const std::string& text) { return tokenize_13a(text).size() >= 4; });
}

std::vector<TranslationScore> test_scores(const Translator& translator, const TranslationData& data,
                                          const TranslationOptions& o) {
  std::vector<TranslationScore> scores;
  const auto add = [&](std::string name, std::string label, const std::vector<std::string>& texts) {
    TranslationScore score = score_texts(texts, data.test.target);
    score.name = std::move(name);
    score.label = std::move(label);
    scores.push_back(std::move(score));
  };
  const int threads = o.training.threads;
  add("greedy", "greedy", translator.best(data.test.source, {.threads = threads}));
  if (o.beam > 1) {
    add("beam", "beam " + std::to_string(o.beam),
        translator.best(data.test.source,
                        {.beam = o.beam, .length_penalty = o.length_penalty, .threads = threads}));
  }
  add("nearest", "target of the most similar training source",
      nearest_targets(data.train, data.test.source));
  add("copy", "the source as it is", data.test.source);
  return scores;
}

}  // namespace

Translated train_translator(const TranslationData& data, const TranslationOptions& options) {
  tasks::check_count("train_translator", "beam", options.beam, 1, 1000);
  tasks::check_choice("train_translator", "monitor", options.monitor,
                      {"val_bleu", "val_exact", "val_loss"});
  if (data.train.source.empty() || data.validation.source.empty()) {
    throw Error(ErrorKind::value, "train_translator: nothing to learn from or to validate on");
  }
  Translated done{untrained(data, options), {}};
  const Translator& translator = done.translator;
  TranslationReport& report = done.report;
  report.train = static_cast<Index>(data.train.source.size());
  report.validation = static_cast<Index>(data.validation.source.size());
  report.test = static_cast<Index>(data.test.source.size());
  report.vocabulary = translator.source().size();
  report.target_vocabulary = translator.target().size();

  Seq2SeqTraining training = options.training;
  training.validation = {all_encoded(translator.source(), data.validation.source),
                         all_encoded(translator.target(), data.validation.target)};
  // Where no reference has four tokens in a row, BLEU is 0 whatever the model does.
  const bool blind = options.monitor == "val_bleu" && !has_four_tokens(data.validation.target);
  training.monitor = blind ? "val_loss" : options.monitor;
  training.score = [&](const Seq2Seq&) -> Logs {
    const TranslationScore score =
        score_texts(translator.best(data.validation.source, {.threads = training.threads}),
                    data.validation.target);
    return {{"val_bleu", score.bleu.score}, {"val_exact", 100 * score.exact}};
  };
  training.planned = [&](const Seq2SeqReport& plan) {
    report.fit = plan;
    if (options.planned) options.planned(report);
  };
  report.fit = train(translator.model(),
                     {all_encoded(translator.source(), data.train.source),
                      all_encoded(translator.target(), data.train.target)},
                     training);
  if (report.fit.interrupted || data.test.source.empty()) return done;
  const auto begin = std::chrono::steady_clock::now();
  report.scores = test_scores(translator, data, options);
  report.test_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return done;
}

}  // namespace unroll
