// unroll sentiment predict, and explain: answers of a trained model.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "apps/flags.h"
#include "apps/output.h"
#include "apps/sentiment.h"
#include "src/data/source.h"
#include "src/io/file.h"
#include "src/io/json.h"
#include "unroll/error.h"
#include "unroll/trace.h"

namespace unroll::apps {

namespace {

using io::Json;

constexpr std::size_t shown_words = 8;  ///< for and against, in the text of explain

SentimentModel loaded(const std::string& path, int threads) {
  SentimentModel model = load_sentiment(path);
  Model network = model.model();
  network.compile({.threads = threads});
  return model;
}

/// The answer to one review; refusals name its line.
double answer(SentimentModel& model, const std::string& review, Index line) {
  try {
    return model.predict({review})[0];
  } catch (const Error& error) {
    const std::string& summary = error.summary();
    const bool of_text = summary.starts_with("text 0");
    throw Error(error.kind(),
                of_text ? "line " + std::to_string(line) + summary.substr(6) : summary,
                error.details());
  }
}

/// How many words the model knows, of those that it sees of a review.
Index known_words(const SentimentModel& model, const std::string& review) {
  const TextEncoder& encoder = model.encoder();
  const auto is = [&](const std::string& word, std::optional<std::int32_t> id) {
    return id && word == encoder.piece(*id);
  };
  const std::vector<std::string> words = model.words(review);
  return std::ranges::count_if(words, [&](const std::string& word) {
    return !is(word, encoder.unknown()) && !is(word, encoder.begin());
  });
}

/// An answer to a review that says nothing to the model is no answer to it.
void warn_of_nothing_known(Index line) {
  say(fmt::format("unroll: line {}: no word that the model knows; it answers as to an empty review",
                  line));
}

// --- predict ---

struct PredictFlags {
  CommonFlags common;
  std::string model, file = "-";
};

std::string line_of(double probability) {
  return fmt::format("{}\t{:.4f}\n", sentiment_word(probability), probability);
}

Json json_of(const std::string& review, double probability, Index known) {
  return {{"text", review},
          {"label", sentiment_word(probability)},
          {"probability", probability},
          {"known_words", known}};
}

/// A review a line, answered as it comes.
int converse(SentimentModel& model) {
  say("one review a line; Ctrl-D ends");
  Index number = 0;
  for (std::string line; std::cerr << "> " << std::flush, std::getline(std::cin, line);) {
    ++number;
    try {
      const double probability = answer(model, line, number);
      if (known_words(model, line) == 0) warn_of_nothing_known(number);
      write_out(line_of(probability));
    } catch (const Error& error) {
      complain(error);
    }
  }
  say("");
  return 0;
}

int predict(const PredictFlags& flags) {
  SentimentModel model = loaded(flags.model, flags.common.threads);
  const bool talks = flags.file == "-" && !flags.common.json && input_is_terminal();
  if (talks) return converse(model);
  const data::Bytes bytes = data::read_source(flags.file, {});
  std::string_view rest = bytes.view();
  if (rest.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw Error(ErrorKind::format, data::source_name(flags.file) + ": no reviews",
                {.want = "one a line"});
  }
  Json answers = Json::array();
  for (Index number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.pop_back();
    const double probability = answer(model, line, number);
    const Index known = known_words(model, line);
    if (known == 0 && !flags.common.quiet) warn_of_nothing_known(number);
    if (flags.common.json) {
      answers.push_back(json_of(line, probability, known));
    } else {
      write_out(line_of(probability));
    }
  }
  if (flags.common.json) write_out(answers.dump(2) + "\n");
  return 0;
}

// --- explain ---

struct ExplainFlags {
  CommonFlags common;
  std::string model, review, html = "explain.html", plot = "explain.png";
  std::vector<std::string> words;
};

/// The words that say most, the strongest first.
std::string list(std::vector<SentimentPart> parts, bool positive) {
  std::erase_if(parts, [positive](const SentimentPart& part) {
    // What would be shown as 0.00 is left out.
    return positive ? part.contribution < 0.005 : part.contribution > -0.005;
  });
  std::ranges::stable_sort(parts, [](const SentimentPart& a, const SentimentPart& b) {
    return std::abs(a.contribution) > std::abs(b.contribution);
  });
  if (parts.size() > shown_words) parts.resize(shown_words);
  std::string text = positive ? "  for      " : "  against  ";
  for (const SentimentPart& part : parts) {
    text += fmt::format("{} {:+.2f}, ", part.text, part.contribution);
  }
  text.resize(text.size() - (parts.empty() ? 0 : 2));
  return wrapped(parts.empty() ? text + "nothing" : text, 11) + "\n";
}

void write_pictures(const ExplainFlags& flags, const SentimentModel& model,
                    const Explanation& explanation) {
  const TraceView view{.command = command_line(flags.words)};
  // The network reads padding too; what it does then says nothing.
  const std::vector<std::string> words = model.words(flags.review);
  Trace seen = trace(model.model(), model.recurrent_layer(), model.inputs({flags.review}));
  const std::string part = seen.parts[0].name;
  const Tensor& hidden = seen[part];
  const Index steps = hidden.shape()[1],
              count = std::min<Index>(static_cast<Index>(words.size()), steps);
  const Index first = model.config().lesson ? steps - count : 0;
  const Tensor units = std::as_const(hidden).rows(0, 1);
  Tensor grid({hidden.shape()[2], std::max<Index>(count, 1)});
  for (Index u = 0; u < hidden.shape()[2]; ++u) {
    for (Index t = 0; t < count; ++t) {
      grid.floats()[u * count + t] = units.floats()[(first + t) * hidden.shape()[2] + u];
    }
  }
  HeatMapOptions options{.title = "Hidden units while the review is read",
                         .values = grid,
                         .x_label = "word",
                         .y_label = "unit",
                         .scale_label = part,
                         .command = view.command};
  if (count <= 40) options.columns = words;
  const HeatMap map(options);
  map.save(flags.plot);
  io::write_file(flags.html, to_html(explanation, {{"Hidden units over time", map.svg()}}));
  if (!flags.common.quiet) say("page: " + flags.html + ", picture: " + flags.plot);
}

int explain(const ExplainFlags& flags) {
  check_writable(flags.html);
  check_writable(flags.plot);
  SentimentModel model = loaded(flags.model, flags.common.threads);
  const Explanation explanation = explain(model, flags.review);
  if (flags.common.json) {
    Json parts = Json::array();
    for (const SentimentPart& part : explanation.parts) {
      parts.push_back({{"text", part.text}, {"contribution", part.contribution}});
    }
    Json object = json_of(flags.review, explanation.probability, known_words(model, flags.review));
    object["parts"] = std::move(parts);
    write_out(object.dump(2) + "\n");
  } else {
    write_out(line_of(explanation.probability) + list(explanation.parts, true) +
              list(explanation.parts, false));
  }
  write_pictures(flags, model, explanation);
  return 0;
}

}  // namespace

Command sentiment_predict_command() {
  auto flags = std::make_shared<PredictFlags>();
  Command command("predict", "Says of each review whether it is positive, and how probably.",
                  "  unroll sentiment predict sentiment.unroll reviews.txt\n"
                  "  echo \"A film to forget.\" | unroll sentiment predict sentiment.unroll");
  command.group("model");
  command.text("MODEL", flags->model, "", "a file that unroll sentiment train wrote").required();
  command.group("text");
  command.text("FILE", flags->file, "",
               "reviews in UTF-8, one a line; - or none: standard input, with a prompt on a "
               "terminal");
  add_common(command, flags->common);
  command.action([flags] { return predict(*flags); });
  return command;
}

Command sentiment_explain_command(const std::vector<std::string>& words) {
  auto flags = std::make_shared<ExplainFlags>();
  flags->words = words;
  Command command("explain",
                  "Says what each word of a review does to the answer: how it changes without it.",
                  "  unroll sentiment explain sentiment.unroll \"Not a bad film.\"\n"
                  "  unroll sentiment explain sentiment.unroll \"Dull.\" --html dull.html");
  command.group("model");
  command.text("MODEL", flags->model, "", "a file that unroll sentiment train wrote").required();
  command.text("REVIEW", flags->review, "", "the text").required();
  command.group("output");
  command.text("--html", flags->html, "FILE",
               "a page with the words coloured by what they contribute (default explain.html)");
  command.text("--plot", flags->plot, "FILE",
               "the hidden units over time, .png or .svg (default explain.png)");
  add_common(command, flags->common);
  command.action([flags] { return explain(*flags); });
  return command;
}

}  // namespace unroll::apps
