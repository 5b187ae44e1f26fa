// unroll sentiment train: learns reviews.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "apps/commands.h"
#include "apps/flags.h"
#include "apps/history_json.h"
#include "apps/output.h"
#include "apps/resume.h"
#include "apps/sentiment.h"
#include "apps/signals.h"
#include "unroll/checkpoints.h"
#include "unroll/error.h"
#include "unroll/trace.h"

namespace unroll::apps {

namespace {

using io::Json;

/// The words behind "unroll sentiment train".
constexpr std::ptrdiff_t words_of_command = 3;
/// Reviews that are run again when the model is loaded.
constexpr std::size_t sampled = 4;

struct Flags {
  CommonFlags common;
  std::string data;
  bool no_cache = false;
  SentimentOptions options;
  bool lesson = false;
  std::vector<Flag> fixed;  ///< what --lesson decides itself
  CheckpointFlags checkpoint;
  std::string save = "sentiment.unroll";
  std::string plot;
  bool plot_asked = false, no_plot = false;
  std::vector<std::string> words;
};

void check(Flags& flags) {
  for (const Flag& flag : flags.fixed) {
    if (!flags.lesson || !flag.given()) continue;
    throw Error(
        ErrorKind::value, "--lesson decides " + flag.name() + " itself",
        {.want = "the lesson's protocol, to the letter", .hint = "leave one of the two out"});
  }
  check_writable(flags.save);
  flags.plot_asked = !flags.plot.empty();
  if (flags.lesson && !flags.plot_asked) flags.plot = "units.png";
  if (flags.no_plot) flags.plot.clear();
  if (flags.plot.empty()) return;
  if (!flags.plot.ends_with(".png") && !flags.plot.ends_with(".svg")) {
    throw Error(ErrorKind::value, "--plot " + flags.plot + ": no such kind of picture",
                {.want = "FILE.png or FILE.svg"});
  }
  check_writable(flags.plot);
}

ReviewParts read(const Flags& flags) {
  ReviewOptions options{.cache = !flags.no_cache};
  const bool moving = !flags.common.quiet && error_is_terminal();
  if (moving) {
    options.progress = [](Index count) { std::cerr << "\rreading  " << count << " reviews"; };
  }
  ReviewParts reviews = read_reviews(flags.data, options);
  if (moving) std::cerr << "\r\033[K";
  return reviews;
}

std::string heading(const ReviewParts& reviews, const SentimentReport& plan) {
  const auto entry = [](const char* name, const std::string& text) {
    return wrapped(fmt::format("  {:<10}{}", name, text), 12) + "\n";
  };
  return wrapped("unroll sentiment train · " + reviews.name, 2) + "\n" +
         entry("reviews",
               fmt::format("{} to learn from, {} to validate, {} to test", grouped(plan.train),
                           grouped(plan.validation), grouped(plan.test))) +
         entry("model", fmt::format("{}, {} parameters", plan.layers, grouped(plan.parameters)));
}

std::string ending(const SentimentReport& report) {
  const auto epochs = static_cast<Index>(report.history.epochs());
  std::string text = fmt::format("{} after epoch {}", report.stopped ? "stopped" : "ended", epochs);
  if (report.best_epoch >= 0 && report.best_epoch + 1 != epochs) {
    text += fmt::format("; weights of epoch {} restored", report.best_epoch + 1);
  }
  return text + fmt::format("; {:.1f} s", report.history.seconds);
}

std::string result_text(const SentimentReport& report) {
  std::string text =
      fmt::format("  {:<42}{:>9}{:>8}\n", fmt::format("test, {} reviews", grouped(report.test)),
                  "accuracy", "loss");
  for (const SentimentScore& score : report.scores) {
    text +=
        fmt::format("  {:<42}{:>8.2f}%{:>8.4f}\n", score.label, 100 * score.accuracy, score.loss);
  }
  return text;
}

Json to_json(const SentimentReport& report) {
  Json metrics = Json::object();
  for (const SentimentScore& score : report.scores) {
    metrics[score.name] = {{"accuracy", number_json(score.accuracy)},
                           {"loss", number_json(score.loss)}};
  }
  return {{"model", report.layers},
          {"parameters", report.parameters},
          {"training_reviews", report.train},
          {"validation_reviews", report.validation},
          {"test_reviews", report.test},
          {"epochs", report.history.epochs()},
          {"best_epoch", report.best_epoch + 1},
          {"steps_per_epoch", report.history.steps_per_epoch},
          {"fit_seconds", report.history.seconds},
          {"history", history_json(report.history)},
          {"metrics", metrics}};
}

/// The hidden units while one of the test reviews is read.
void draw(const Flags& flags, const ReviewParts& reviews, const SentimentModel& model) {
  if (flags.plot.empty()) return;
  const std::string& review = reviews.test.texts[0];
  const Trace seen = trace(model.model(), model.recurrent_layer(), model.inputs({review}));
  try {
    unit_lines(seen, seen.parts[0].name, {.command = command_line(flags.words)}).save(flags.plot);
    if (!flags.common.quiet) say("picture: " + flags.plot);
  } catch (const Error& error) {
    // A machine without gnuplot still gets its model; only who asked for a picture is refused.
    if (flags.plot_asked || error.kind() != ErrorKind::unsupported) throw;
    say(std::string("unroll: no picture: ") + error.what());
  }
}

Sentiment trained(const Flags& flags, const ReviewParts& reviews,
                  const std::vector<std::shared_ptr<Callback>>& callbacks) {
  const auto planned = [&](const SentimentReport& plan) {
    if (!flags.common.quiet && !flags.common.json) write_out(heading(reviews, plan));
  };
  const Progress progress =
      flags.common.quiet ? Progress() : progress_line(std::cerr, error_is_terminal());
  const auto interrupted = [] { return InterruptGuard::signal() != 0; };
  if (flags.lesson) {
    return train_sentiment_as_in_lesson(reviews, {.seed = flags.common.seed,
                                                  .threads = flags.common.threads,
                                                  .planned = planned,
                                                  .progress = progress,
                                                  .interrupted = interrupted,
                                                  .callbacks = callbacks});
  }
  SentimentOptions options = flags.options;
  options.seed = flags.common.seed;
  options.threads = flags.common.threads;
  options.planned = planned;
  options.progress = progress;
  options.interrupted = interrupted;
  options.callbacks = callbacks;
  return train_sentiment(reviews, options);
}

int train_now(Flags& flags) {
  check(flags);
  const std::string checkpoint = checkpoint_path(flags.checkpoint, flags.save);
  const ReviewParts reviews = read(flags);
  const InterruptGuard guard;
  const Sentiment done =
      trained(flags, reviews, {keep_command(flags.words), backup_and_restore(checkpoint)});
  const SentimentReport& report = done.report;
  if (report.interrupted) {
    say("  saved " + checkpoint +
        "; go on with: " + command_line({"unroll", "sentiment", "train", "--resume", checkpoint}));
    return 128 + InterruptGuard::signal();
  }
  if (!flags.common.quiet) say("  " + ending(report));
  const auto& texts = reviews.test.texts;
  const auto count = static_cast<std::ptrdiff_t>(std::min(sampled, texts.size()));
  save_bundle(sentiment_bundle(done.model, {texts.begin(), texts.begin() + count}), flags.save);
  if (flags.common.json) {
    write_out(to_json(report).dump(2) + "\n");
  } else {
    write_out((flags.common.quiet ? "" : "\n") + result_text(report));
  }
  draw(flags, reviews, done.model);
  if (!flags.common.quiet) {
    say("saved " + flags.save +
        "; it answers with: " + command_line({"unroll", "sentiment", "predict", flags.save}));
  }
  return 0;
}

int run(Flags& flags) {
  const bool goes_on_alone = !flags.checkpoint.resume.empty() && flags.data.empty();
  if (!goes_on_alone) return train_now(flags);
  // The command that began it, and what has been said since.
  static_cast<void>(checkpoint_path(flags.checkpoint, flags.save));
  std::vector<std::string> words = kept_command(flags.checkpoint.resume);
  words.insert(words.end(), flags.words.begin() + words_of_command, flags.words.end());
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  Command root("unroll", "", "");
  root.add(sentiment_command(words));
  return root.main(static_cast<int>(arguments.size()), arguments.data());
}

void add_model(Command& command, Flags& flags) {
  SentimentOptions& o = flags.options;
  command.group("model");
  flags.fixed = {
      command.count("--words", o.words, "the most frequent words that it knows (default 20,000)",
                    100, 10'000'000),
      command.count("--length", o.length,
                    "words of a review that the network sees, the last ones (default 400)", 1,
                    100'000),
      command.count("--embedding", o.embedding, "numbers that stand for a word (default 32)", 1,
                    16'384),
      command.choice("--cell", o.cell, {"simple_rnn", "gru", "lstm"},
                     "simple_rnn, gru or lstm (default gru)"),
      command.count("--units", o.units, "size of the recurrent layer, each way (default 32)", 1,
                    16'384),
      command.number_or_zero("--dropout", o.dropout,
                             "share of what the last layer sees that is dropped while training "
                             "(default 0.5)",
                             0.99),
      command.number_or_zero("--embedding-dropout", o.embedding_dropout,
                             "share of the numbers that stand for words that is dropped, the same "
                             "ones in a whole review (default 0.5)",
                             0.99),
  };
  command.toggle("--lesson", flags.lesson,
                 "the lesson's protocol: 5,000 words, the last 100, SimpleRNN(16), one epoch");
}

void add_training(Command& command, Flags& flags) {
  SentimentOptions& o = flags.options;
  command.group("training");
  const std::vector<Flag> more = {
      command.count("--epochs", o.epochs, "at most (default 6)"),
      command.count("--batch-size", o.batch_size, "(default 32)"),
      command.count("--patience", o.patience,
                    "epochs without a better validation loss that are waited for (default 1)", 0),
      command.number("--learning-rate", o.learning_rate, "of Adam (default 0.001)"),
      command.number("--validation", o.validation,
                     "share of the training reviews that says when to stop (default 0.1)"),
  };
  flags.fixed.insert(flags.fixed.end(), more.begin(), more.end());
  command.text("--checkpoint", flags.checkpoint.checkpoint, "FILE",
               "where the training is kept after every epoch and on Ctrl-C (default: beside the "
               "model, .checkpoint)");
  command.text("--resume", flags.checkpoint.resume, "FILE",
               "go on with a checkpoint, to the same bytes as if nothing had happened; its own "
               "data and flags are used where no data are given");
}

}  // namespace

Command sentiment_train_command(const std::vector<std::string>& words) {
  auto flags = std::make_shared<Flags>();
  flags->words = words;
  Command command("train", "Trains a network on reviews, beside the baseline that it has to beat.",
                  "  unroll sentiment train --data aclImdb_v1.tar.gz\n"
                  "  unroll sentiment train --data aclImdb_v1.tar.gz --lesson --plot units.png");
  command.group("data");
  command.text("--data", flags->data, "PATH",
               "the archive of the Large Movie Review Dataset, its folder, a CSV table with "
               "columns text and label, or a URL of one (default: aclImdb in UNROLL_DATA_DIR)");
  command.toggle("--no-cache", flags->no_cache,
                 "read an archive anew, not from the user's cache, and keep nothing there");
  add_model(command, *flags);
  add_training(command, *flags);
  command.group("output");
  command.text("--save", flags->save, "FILE",
               "where the model is kept, with all that it needs to read text (default "
               "sentiment.unroll)");
  command.text("--plot", flags->plot, "FILE",
               "draw the hidden units while a test review is read, .png or .svg (--lesson: "
               "units.png)");
  command.toggle("--no-plot", flags->no_plot, "draw nothing");
  add_common(command, flags->common);
  command.action([flags] { return run(*flags); });
  return command;
}

}  // namespace unroll::apps
