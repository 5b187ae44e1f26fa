#include "apps/language_bundle.h"

#include <algorithm>

#include "unroll/error.h"
#include "unroll/text_json.h"

namespace unroll::apps {

namespace {

/// Ids that are read again when the bundle is loaded.
constexpr Index sampled = 32;

}  // namespace

std::string task_of(const Bundle& bundle) {
  const auto task =
      std::ranges::find(bundle.properties, "task", &std::pair<std::string, std::string>::first);
  return task == bundle.properties.end() ? "" : task->second;
}

Bundle language_bundle(const SavedLanguage& saved, std::span<const std::int32_t> ids,
                       const std::string& task) {
  const Index count = std::min(sampled, static_cast<Index>(ids.size()));
  const auto first = ids.first(static_cast<std::size_t>(count));
  return {.model = saved.model.model(),
          .properties = {{"task", task}, {"encoder", to_json(saved.encoder)}},
          .sample = Tensor::of<std::int32_t>({1, count}, first),
          .weights = saved.model.weights()};
}

SavedLanguage saved_language(const Bundle& bundle, const std::string& path) {
  const std::string task = task_of(bundle);
  if (task != "generate" && task != "complete") {
    throw Error(ErrorKind::format, path + ": the model in it is no language model",
                {.got = task.empty() ? "no task" : "task " + task,
                 .want = "a file that unroll generate train or unroll complete train wrote"});
  }
  SavedLanguage saved{LanguageModel(bundle.model, bundle.weights),
                      text_encoder_from_json(bundle.property("encoder"))};
  if (saved.encoder.size() == saved.model.vocabulary()) return saved;
  throw Error(ErrorKind::format, path + ": the encoder is not the model's",
              {.got = std::to_string(saved.encoder.size()) + " ids",
               .want = std::to_string(saved.model.vocabulary())});
}

}  // namespace unroll::apps
