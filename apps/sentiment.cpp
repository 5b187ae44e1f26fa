// unroll sentiment: whether reviews are positive.
#include "apps/sentiment.h"

#include <algorithm>
#include <charconv>

#include "apps/commands.h"
#include "apps/language_bundle.h"
#include "unroll/error.h"
#include "unroll/text_json.h"

namespace unroll::apps {

namespace {

Index whole(const Bundle& bundle, const std::string& path, const char* name) {
  const std::string& text = bundle.property(name);
  const char* const end = text.data() + text.size();
  Index value = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && value >= 0 && value <= 1'000'000) return value;
  throw Error(ErrorKind::format, path + ": the bundle's " + name + " is no count",
              {.got = "\"" + text + "\"", .want = "a whole number"});
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

Bundle sentiment_bundle(const SentimentModel& model, const std::vector<std::string>& sample) {
  const SentimentConfig& config = model.config();
  return {.model = model.model(),
          .properties = {{"task", "sentiment"},
                         {"protocol", config.lesson ? "lesson" : "unroll"},
                         {"length", std::to_string(config.length)},
                         {"ngram_length", std::to_string(config.ngram_length)},
                         {"ngrams", joined(config.ngrams)},
                         {"encoder", to_json(model.encoder())}},
          .sample = model.inputs(sample)};
}

SentimentModel load_sentiment(const std::string& path) {
  const Bundle bundle = load_bundle(path);
  const std::string task = task_of(bundle);
  if (task != "sentiment") {
    throw Error(ErrorKind::format, path + ": the model in it does not read reviews",
                {.got = task.empty() ? "no task" : "task " + task,
                 .want = "a file that unroll sentiment train wrote"});
  }
  return {bundle.model,
          text_encoder_from_json(bundle.property("encoder")),
          {.lesson = bundle.property("protocol") == "lesson",
           .length = whole(bundle, path, "length"),
           .ngrams = lines_of(bundle.property("ngrams")),
           .ngram_length = whole(bundle, path, "ngram_length")}};
}

std::string sentiment_word(double probability) {
  return probability >= 0.5 ? "positive" : "negative";
}

Command sentiment_command(const std::vector<std::string>& words) {
  Command command("sentiment", "Says whether reviews are positive, and why.",
                  "  unroll sentiment train --data aclImdb_v1.tar.gz\n"
                  "  echo \"A film to forget.\" | unroll sentiment predict sentiment.unroll");
  command.group("common");
  command.add(sentiment_train_command(words));
  command.add(sentiment_predict_command());
  command.add(sentiment_explain_command(words));
  return command;
}

}  // namespace unroll::apps
