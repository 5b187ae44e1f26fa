#include "apps/complete_bundle.h"

#include <fmt/format.h>

#include <charconv>

#include "apps/language_bundle.h"
#include "unroll/error.h"

namespace unroll::apps {

namespace {

template <class T>
T number_in(const Bundle& bundle, const std::string& path, const char* name, T least, T most) {
  const std::string& text = bundle.property(name);
  const char* const end = text.data() + text.size();
  T value{};
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && value >= least && value <= most) return value;
  throw Error(ErrorKind::format, path + ": the bundle's " + name + " is out of range",
              {.got = "\"" + text + "\"", .want = fmt::format("{} to {}", least, most)});
}

}  // namespace

void save_completer(const Completer& completer, std::span<const std::int32_t> learnt,
                    const std::string& path) {
  Bundle bundle = language_bundle({completer.model(), completer.encoder()}, learnt, "complete");
  bundle.properties.emplace_back("weight", fmt::format("{}", completer.weight()));
  bundle.properties.emplace_back("order", std::to_string(completer.ngram().order()));
  bundle.tensors.emplace_back(
      "learnt", Tensor::of<std::int32_t>({static_cast<Index>(learnt.size())}, learnt));
  save_bundle(bundle, path);
}

Completer load_completer(const std::string& path) {
  const Bundle bundle = load_bundle(path);
  if (task_of(bundle) != "complete") {
    const std::string task = task_of(bundle);
    throw Error(ErrorKind::format, path + ": the model in it was not made by unroll complete",
                {.got = task.empty() ? "no task" : "task " + task});
  }
  const SavedLanguage saved = saved_language(bundle, path);
  const auto order = number_in<Index>(bundle, path, "order", 1, 8);
  const auto weight = number_in<double>(bundle, path, "weight", 0, 1);
  const Tensor& learnt = bundle.tensor("learnt");
  if (learnt.dtype() != DType::int32 || learnt.empty()) {
    throw Error(ErrorKind::format, path + ": what the n-gram counts is no list of ids",
                {.got = learnt.describe()});
  }
  Ngram ngram(learnt.values<std::int32_t>(), saved.model.vocabulary(), {.order = order});
  return Completer(saved.model, saved.encoder, std::move(ngram), weight);
}

}  // namespace unroll::apps
