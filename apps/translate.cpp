// unroll translate: texts of one language become texts of another.
#include "apps/translate.h"

#include <algorithm>

#include "apps/commands.h"
#include "apps/language_bundle.h"
#include "unroll/error.h"
#include "unroll/plot.h"
#include "unroll/text_json.h"

namespace unroll::apps {

namespace {

/// Rows of ids, padded behind.
Tensor rows_of(const std::vector<Ids>& all) {
  std::size_t longest = 1;
  for (const Ids& ids : all) longest = std::max(longest, ids.size());
  Tensor rows({static_cast<Index>(all.size()), static_cast<Index>(longest)}, DType::int32);
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::copy(all[i].begin(), all[i].end(),
              rows.values<std::int32_t>().begin() + static_cast<std::ptrdiff_t>(i * longest));
  }
  return rows;
}

/// What the model sees of some pairs.
Tensors inputs_of(const Translator& translator, const ParallelTexts& sample) {
  std::vector<Ids> sources, targets;
  for (const std::string& text : sample.source) {
    sources.push_back(translator.source().encode(text));
    sources.back().push_back(translator.model().end());
  }
  for (const std::string& text : sample.target) {
    targets.push_back(translator.target().encode(text));
    targets.back().insert(targets.back().begin(), translator.model().begin());
  }
  return {rows_of(sources), rows_of(targets)};
}

}  // namespace

Bundle translator_bundle(const Translator& translator, const std::string& task,
                         const ParallelTexts& sample) {
  const bool joint = translator.model().source_vocabulary() == translator.target().size() &&
                     to_json(translator.source()) == to_json(translator.target());
  return {.model = translator.model().model(),
          .properties = {{"task", task},
                         {"source_encoder", to_json(translator.source())},
                         {"target_encoder", joint ? "" : to_json(translator.target())}},
          .sample = inputs_of(translator, sample)};
}

Translator load_translator(const std::string& path, const std::string& task) {
  const Bundle bundle = load_bundle(path);
  const std::string found = task_of(bundle);
  if (found != task) {
    throw Error(ErrorKind::format,
                path + ": the model in it does not " + (task == "chat" ? "talk" : "translate"),
                {.got = found.empty() ? "no task" : "task " + found,
                 .want = "a file that unroll " + task + " train wrote"});
  }
  const TextEncoder source = text_encoder_from_json(bundle.property("source_encoder"));
  const std::string& other = bundle.property("target_encoder");
  const TextEncoder target = other.empty() ? source : text_encoder_from_json(other);
  if (!target.begin() || !target.end()) {
    throw Error(ErrorKind::format, path + ": its encoder has no begin and end");
  }
  return {Seq2Seq(bundle.model, *target.begin(), *target.end()), source, target};
}

void draw_attention(const Translation& translation, const std::string& path,
                    const std::string& command) {
  HeatMap({.title = "What was looked at for each word",
           .values = translation.attention,
           .columns = translation.read,
           .rows = translation.written,
           .x_label = "read",
           .y_label = "written",
           .scale_label = "weight",
           .low = 0,
           .high = 1,
           .command = command})
      .save(path);
}

Command translate_command(const std::vector<std::string>& words) {
  Command command("translate", "Learns to translate from sentences in two languages.",
                  "  unroll translate train --source train.de --target train.en\n"
                  "  echo \"Ein Hund schläft.\" | unroll translate predict translate.unroll");
  command.group("common");
  command.add(translate_train_command(words));
  command.add(translate_predict_command(words));
  return command;
}

}  // namespace unroll::apps
