#include "apps/language_flags.h"

#include <fmt/format.h>

#include <iostream>

#include "apps/history_json.h"
#include "apps/output.h"
#include "apps/signals.h"
#include "src/data/source.h"
#include "unroll/checkpoints.h"
#include "unroll/error.h"
#include "unroll/plot.h"

namespace unroll::apps {

namespace {

constexpr std::size_t text_column = 12;

/// "  model     GRU(256) ...", wrapped under its text.
std::string entry(const std::string& name, const std::string& text) {
  std::string head = "  " + name;
  head.append(text_column - head.size(), ' ');
  return wrapped(head + text, text_column) + "\n";
}

/// The words behind "unroll generate train".
constexpr std::ptrdiff_t words_of_command = 3;

}  // namespace

// --- flags ---

void add_text(Command& command, LanguageFlags& flags, const std::vector<std::string>& kinds) {
  LanguageTextOptions& o = flags.text;
  o.tokens = kinds[0];
  std::string list;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == kinds.size() ? " or " : ", ") + kinds[i];
  }
  command.group("text");
  command.text("FILE", flags.file, "", "a text in UTF-8, an http(s) URL, or - for standard input");
  command.choice("--tokens", o.tokens, kinds,
                 "what it is read as: " + list + " (default " + kinds[0] + ")");
  command.count("--vocabulary", o.size,
                "most different words or subwords (default: all words, 2,000 subwords)", 2,
                1 << 24);
  command.count("--min-count", o.min_count,
                "words that are rarer in the learnt part are unknown, all one token (default 2)");
  command.toggle("--lower", o.lower, "make all letters small first");
  command.number("--validation", o.validation,
                 "share of the text, its last part, that is foretold but not learnt (default 0.1)");
}

void add_network(Command& command, LanguageFlags& flags) {
  LanguageModelOptions& o = flags.model;
  command.group("model");
  command.choice("--cell", o.cell, {"simple_rnn", "gru", "lstm"},
                 "simple_rnn, gru or lstm (default " + o.cell + ")");
  command.count("--units", o.units,
                fmt::format("size of each recurrent layer (default {})", o.units), 1, 16'384);
  command.count("--layers", o.layers,
                fmt::format("recurrent layers on top of one another (default {})", o.layers), 1,
                64);
  command.count("--embedding", o.embedding,
                fmt::format("numbers that stand for a token (default {})", o.embedding), 1, 16'384);
  command.count("--projection", o.projection,
                fmt::format("numbers that the last layer's outputs are brought down to before the "
                            "vocabulary; 0: none (default {})",
                            o.projection),
                0, 16'384);
  command.number_or_zero("--dropout", o.dropout,
                         fmt::format("share of each recurrent layer's outputs that is dropped "
                                     "while training (default {})",
                                     o.dropout),
                         0.99);
}

void add_training(Command& command, LanguageFlags& flags) {
  LanguageTraining& o = flags.training;
  command.group("training");
  command.count("--epochs", o.epochs, fmt::format("at most (default {})", o.epochs));
  command.count(
      "--batch-size", o.batch_size,
      fmt::format("streams that the text is read in, side by side (default {})", o.batch_size));
  command.count(
      "--steps", o.steps,
      fmt::format("tokens of a stream between two updates; states go on (default {})", o.steps));
  command.number("--learning-rate", o.learning_rate,
                 fmt::format("of Adam, the highest (default {})", o.learning_rate));
  command.choice("--schedule", o.schedule, {"cosine", "plateau", "constant"},
                 "of the learning rate: down along a cosine, halved when validation gets no "
                 "better, or constant (default " +
                     o.schedule + ")");
  command.count(
      "--warmup", o.warmup,
      fmt::format("updates before the cosine in which the rate rises (default {})", o.warmup), 0);
  command.number("--clip-norm", o.clip_norm,
                 fmt::format("longest gradient of all weights together (default {})", o.clip_norm));
  command.count("--patience", o.patience,
                fmt::format("epochs without a better validation loss before it stops (default {})",
                            o.patience));
  command.text("--checkpoint", flags.checkpoint.checkpoint, "FILE",
               "where the training is kept after every epoch and on Ctrl-C (default: beside the "
               "model, .checkpoint)");
  command.text("--resume", flags.checkpoint.resume, "FILE",
               "go on with a checkpoint, to the same bytes as if nothing had happened; its own "
               "text and flags are used where none are given");
}

void add_output(Command& command, LanguageFlags& flags) {
  command.group("output");
  command.text(
      "--save", flags.save, "FILE",
      "where the model is kept, with all that it needs to read text (default " + flags.save + ")");
  command.text("--plot", flags.plot, "FILE",
               "draw the losses, .png or .svg, or - for the terminal");
  add_common(command, flags.common);
}

// --- going on ---

bool goes_on_alone(const LanguageFlags& flags) {
  if (!flags.file.empty()) return false;
  if (!flags.checkpoint.resume.empty()) return true;
  const std::string command = "unroll " + flags.words[1] + " " + flags.words[2];
  throw Error(ErrorKind::value, command + ": FILE is required",
              {.want = "a text to learn, or --resume FILE", .hint = command + " --help"});
}

int go_on(const LanguageFlags& flags, Command (*add)(const std::vector<std::string>& words)) {
  std::vector<std::string> words = kept_command(flags.checkpoint.resume);
  if (words.size() < 3 || words[1] != flags.words[1]) {
    const std::string other = words.size() < 3 ? "" : "unroll " + words[1] + " " + words[2];
    throw Error(ErrorKind::value, flags.checkpoint.resume + ": the training of another command",
                {.got = command_line(words),
                 .hint = other + " --resume " + command_line({flags.checkpoint.resume})});
  }
  words.insert(words.end(), flags.words.begin() + words_of_command, flags.words.end());
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  Command root("unroll", "", "");
  root.add(add(words));
  return root.main(static_cast<int>(arguments.size()), arguments.data());
}

std::string how_to_go_on(const LanguageFlags& flags, const std::string& checkpoint) {
  std::vector<std::string> words(flags.words.begin(), flags.words.begin() + words_of_command);
  words[0] = "unroll";
  // Standard input cannot be read again.
  if (flags.file == "-") words.push_back("-");
  words.insert(words.end(), {"--resume", checkpoint});
  return "saved " + checkpoint + "; go on with: " + command_line(words);
}

// --- a run ---

void check_output(const LanguageFlags& flags) {
  check_writable(flags.save);
  if (flags.plot.empty() || flags.plot == "-") return;
  if (!flags.plot.ends_with(".png") && !flags.plot.ends_with(".svg")) {
    throw Error(ErrorKind::value, "--plot " + flags.plot + ": no such kind of picture",
                {.want = "FILE.png, FILE.svg, or - for the terminal"});
  }
  check_writable(flags.plot);
}

std::string read_text_file(const std::string& file) {
  return std::string(data::read_source(file, {}).view());
}

LanguageModel language_model(const LanguageFlags& flags, const TextEncoder& encoder) {
  LanguageModelOptions options = flags.model;
  options.vocabulary = encoder.size();
  return LanguageModel(options);
}

LanguageReport train_language(const LanguageFlags& flags, const LanguageModel& model,
                              std::span<const std::int32_t> ids) {
  const std::string checkpoint = checkpoint_path(flags.checkpoint, flags.save);
  LanguageTraining training = flags.training;
  training.seed = flags.common.seed;
  training.threads = flags.common.threads;
  if (!flags.common.quiet) training.progress = progress_line(std::cerr, error_is_terminal());
  training.callbacks = {keep_command(flags.words), backup_and_restore(checkpoint)};
  const InterruptGuard guard;
  training.interrupted = [] { return InterruptGuard::signal() != 0; };
  LanguageReport report = train(model, ids, training);
  if (report.interrupted) {
    say("  " + how_to_go_on(flags, checkpoint));
  } else if (!flags.common.quiet) {
    say("  " + ending(report));
  }
  return report;
}

std::string file_name(const LanguageFlags& flags) {
  return flags.file == "-" ? "standard input" : flags.file;
}

std::string unknown_text(const LanguageText& text) {
  return text.unknown > 0 ? fmt::format(", of which {} unknown", grouped(text.unknown)) : "";
}

std::string language_heading(const LanguageFlags& flags, const LanguageText& text,
                             const std::string& parts, const LanguageModel& model,
                             const LanguageReport& plan) {
  const LanguageTraining& o = flags.training;
  std::string network = model.label();
  if (flags.model.dropout > 0) network += fmt::format(", dropout {}", flags.model.dropout);
  const std::string command = "unroll " + flags.words[1] + " " + flags.words[2];
  return wrapped(fmt::format("{} · {}: {} characters", command, file_name(flags),
                             grouped(text.learnt_characters + text.watched_characters)),
                 2) +
         "\n" +
         entry("text", fmt::format("{}, {} different; {}", to_string(text.encoder.kind()),
                                   grouped(text.encoder.size()), parts)) +
         entry("model", fmt::format("{}, {} parameters", network, grouped(plan.parameters))) +
         entry("training",
               fmt::format("{} streams, {} tokens of each a step, {} steps an epoch, at most {} "
                           "epochs",
                           o.batch_size, o.steps, grouped(plan.steps_per_epoch), o.epochs));
}

std::string ending(const LanguageReport& report) {
  const auto epochs = static_cast<Index>(report.history.epochs());
  std::string text = fmt::format("{} after epoch {}", report.stopped ? "stopped" : "ended", epochs);
  if (report.stopped) text += fmt::format(" (no better for {})", epochs - 1 - report.best_epoch);
  if (report.best_epoch + 1 != epochs) {
    text += fmt::format("; weights of epoch {} restored", report.best_epoch + 1);
  }
  return text + fmt::format("; {:.0f} s", report.history.seconds);
}

io::Json training_json(const LanguageText& text, const LanguageModel& model,
                       const LanguageReport& report) {
  return {{"model", model.label()},
          {"tokens", std::string(to_string(text.encoder.kind()))},
          {"vocabulary", text.encoder.size()},
          {"parameters", report.parameters},
          {"training_tokens", report.training_tokens},
          {"validation_tokens", report.validation_tokens},
          {"epochs", report.history.epochs()},
          {"best_epoch", report.best_epoch + 1},
          {"steps_per_epoch", report.steps_per_epoch},
          {"fit_seconds", report.history.seconds},
          {"history", history_json(report.history)}};
}

void draw_losses(const LanguageFlags& flags, const LanguageReport& report) {
  if (flags.plot.empty()) return;
  const auto line = [&](const char* name, const char* label) {
    const std::vector<double>& values = report.history[name];
    return Line{.label = label,
                .values = Tensor::of<double>({static_cast<Index>(values.size())}, values),
                .start = 0};
  };
  std::vector<double> epochs;
  for (std::size_t i = 0; i < report.history.epochs(); ++i) {
    epochs.push_back(static_cast<double>(i + 1));
  }
  const Plot plot(
      {.title = "Loss of " + file_name(flags),
       .lines = {line("loss", "learnt part, with dropout"), line("val_loss", "validation part")},
       .x_label = "epoch",
       .y_label = "nats a token",
       .x = epochs,
       .command = command_line(flags.words)});
  if (flags.plot == "-") {
    const std::string text = plot.text(std::min(terminal_columns(), 1000), 24);
    flags.common.json ? say(text) : write_out("\n" + text);
    return;
  }
  plot.save(flags.plot);
  if (!flags.common.quiet) say("picture: " + flags.plot);
}

}  // namespace unroll::apps
