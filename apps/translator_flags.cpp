#include "apps/translator_flags.h"

#include <fmt/format.h>

#include <iostream>

#include "apps/history_json.h"
#include "apps/output.h"
#include "apps/signals.h"
#include "apps/translate.h"
#include "unroll/checkpoints.h"
#include "unroll/error.h"

namespace unroll::apps {

namespace {

using io::Json;

/// The words behind "unroll translate train".
constexpr std::ptrdiff_t words_of_command = 3;
/// Pairs that are run again when the model is loaded.
constexpr std::ptrdiff_t sampled = 4;

std::string entry(const char* name, const std::string& text) {
  return wrapped(fmt::format("  {:<10}{}", name, text), 12) + "\n";
}

std::string heading(const TranslatorFlags& flags, const std::string& title,
                    const TranslationReport& plan) {
  const Seq2SeqOptions& m = flags.options.model;
  const Seq2SeqTraining& t = flags.options.training;
  std::string text = "unroll " + flags.task + " train · " + title + "\n";
  text +=
      entry("data",
            fmt::format(
                "{} pairs to learn from, {} to validate, {} to test{}", grouped(plan.train),
                grouped(plan.validation), grouped(plan.test),
                plan.fit.too_long > 0 ? fmt::format("; {} are too long", plan.fit.too_long) : ""));
  const std::string kind =
      flags.options.joint
          ? fmt::format("one vocabulary of {} {}", grouped(plan.vocabulary), flags.options.tokens)
          : fmt::format("{} and {} {}", grouped(plan.vocabulary), grouped(plan.target_vocabulary),
                        flags.options.tokens);
  text += entry("text", kind);
  text += entry("model", fmt::format("{}{}({}) x {}, decoder {}({}) x {} with {} attention{}, "
                                     "{} parameters",
                                     m.bidirectional ? "bidirectional " : "", m.cell, m.units,
                                     m.encoder_layers, m.cell, m.units, m.decoder_layers,
                                     m.attention, m.input_feeding ? " and input feeding" : "",
                                     grouped(plan.fit.parameters)));
  std::string forced = "every input is the true word";
  if (t.forcing.kind != "constant" || t.forcing.from < 1) {
    forced = fmt::format("{} forcing from {} to {}", t.forcing.kind, t.forcing.from,
                         t.forcing.kind == "constant" ? t.forcing.from : t.forcing.to);
  }
  text += entry("training", fmt::format("{} epochs of {} steps of {} pairs; {}", t.epochs,
                                        grouped(plan.fit.steps_per_epoch), t.batch_size, forced));
  return text;
}

std::string result_text(const TranslationReport& report) {
  std::string text = fmt::format(
      "  {:<44}{:>8}{:>8}\n", fmt::format("test, {} pairs", grouped(report.test)), "BLEU", "exact");
  for (const TranslationScore& score : report.scores) {
    text += fmt::format("  {:<44}{:>8.2f}{:>7.1f}%\n", score.label, score.bleu.score,
                        100 * score.exact);
  }
  return text + "  BLEU: cased, 13a, of the whole test\n";
}

Json to_json(const TranslationReport& report) {
  Json scores = Json::object();
  for (const TranslationScore& score : report.scores) {
    scores[score.name] = {{"bleu", number_json(score.bleu.score)},
                          {"brevity_penalty", number_json(score.bleu.brevity_penalty)},
                          {"exact", number_json(score.exact)}};
  }
  return {{"training_pairs", report.train},
          {"validation_pairs", report.validation},
          {"test_pairs", report.test},
          {"too_long", report.fit.too_long},
          {"source_vocabulary", report.vocabulary},
          {"target_vocabulary", report.target_vocabulary},
          {"parameters", report.fit.parameters},
          {"epochs", report.fit.history.epochs()},
          {"best_epoch", report.fit.best_epoch + 1},
          {"steps_per_epoch", report.fit.steps_per_epoch},
          {"fit_seconds", report.fit.history.seconds},
          {"history", history_json(report.fit.history)},
          {"metrics", scores}};
}

Translated trained(TranslatorFlags& flags, const TranslationData& data, const std::string& title,
                   const std::string& checkpoint) {
  TranslationOptions options = flags.options;
  options.joint = !flags.separate;
  flags.options.joint = options.joint;
  options.training.seed = flags.common.seed;
  options.training.threads = flags.common.threads;
  options.planned = [&](const TranslationReport& plan) {
    if (!flags.common.quiet && !flags.common.json) write_out(heading(flags, title, plan));
  };
  if (!flags.common.quiet) {
    options.training.progress = progress_line(std::cerr, error_is_terminal());
  }
  options.training.interrupted = [] { return InterruptGuard::signal() != 0; };
  options.training.callbacks = {keep_command(flags.words), backup_and_restore(checkpoint)};
  return train_translator(data, options);
}

}  // namespace

void add_translator_text(Command& command, TranslatorFlags& flags) {
  TranslationOptions& o = flags.options;
  command.choice("--tokens", o.tokens, {"subwords", "words"},
                 "what texts are cut into (default " + o.tokens + ")");
  command.count("--vocabulary", o.vocabulary,
                "ids, at most (default " + grouped(o.vocabulary) + ")", 8, 1 << 24);
  command.count("--min-count", o.min_count,
                fmt::format("words that are rarer are unknown (default {})", o.min_count));
  command.toggle("--separate", flags.separate,
                 "a vocabulary for each side; otherwise one for both");
}

void add_translator_model(Command& command, TranslatorFlags& flags) {
  Seq2SeqOptions& o = flags.options.model;
  command.group("model");
  command.choice("--cell", o.cell, {"simple_rnn", "gru", "lstm"},
                 "simple_rnn, gru or lstm (default gru)");
  command.count("--units", o.units,
                fmt::format("size of the cells, in each direction (default {})", o.units), 1,
                16'384);
  command.count("--encoder-layers", o.encoder_layers, "(default 1)", 1, 8);
  command.count("--decoder-layers", o.decoder_layers, "(default 1)", 1, 8);
  command.count("--embedding", o.embedding,
                fmt::format("numbers that stand for a token (default {})", o.embedding), 1, 16'384);
  command.choice("--attention", o.attention, {"general", "dot", "additive"},
                 "how the decoder looks at what was read: general and dot (Luong), additive "
                 "(Bahdanau) (default general)");
  command.toggle("--input-feeding", o.input_feeding,
                 "the decoder's output also enters its next step");
  command.number_or_zero(
      "--dropout", o.dropout,
      fmt::format("share of vectors and outputs that is dropped while training (default {})",
                  o.dropout),
      0.99);
}

void add_translator_training(Command& command, TranslatorFlags& flags) {
  Seq2SeqTraining& o = flags.options.training;
  command.group("training");
  command.count("--epochs", o.epochs, fmt::format("at most (default {})", o.epochs));
  command.count("--batch-size", o.batch_size, fmt::format("(default {})", o.batch_size));
  command.number("--learning-rate", o.learning_rate, "of Adam, the highest (default 0.001)");
  command.number_or_zero("--label-smoothing", o.label_smoothing,
                         "share of the truth that is spread over all tokens (default 0.1)", 0.99);
  command.choice("--forcing", o.forcing.kind,
                 {"constant", "linear", "exponential", "inverse_sigmoid"},
                 "how the share of true inputs goes from --forcing-from to --forcing-to (default "
                 "constant)");
  command.number_or_zero("--forcing-from", o.forcing.from,
                         "share of the decoder's inputs that are true ones; the others are what "
                         "it says itself (default 1)",
                         1);
  command.number_or_zero("--forcing-to", o.forcing.to, "that share at the end (default 1)", 1);
  command.count("--forcing-steps", o.forcing.steps, "updates until then (default 10,000)");
  command.count("--max-length", o.max_length,
                fmt::format("pairs with a longer sequence of tokens are not learnt (default {})",
                            o.max_length));
  command.count("--patience", o.patience,
                "epochs without a better BLEU that are waited for; 0: all (default 0)", 0);
  command.text("--checkpoint", flags.checkpoint.checkpoint, "FILE",
               "where the training is kept after every epoch and on Ctrl-C (default: beside the "
               "model, .checkpoint)");
  command.text("--resume", flags.checkpoint.resume, "FILE",
               "go on with a checkpoint, to the same bytes as if nothing had happened; alone, "
               "with the data and flags it was begun with");
}

void add_translator_output(Command& command, TranslatorFlags& flags) {
  command.group("output");
  command.count("--beam", flags.options.beam,
                "sequences that are followed at once for the test's second figure (default 5)", 1,
                1000);
  command.number_or_zero("--length-penalty", flags.options.length_penalty,
                         "how much longer sequences are forgiven for being less probable "
                         "(default 1)",
                         10);
  command.text("--save", flags.save, "FILE",
               "where the model is kept, with all that it needs to read and write text (default " +
                   flags.save + ")");
  command.text("--plot", flags.plot, "FILE",
               "draw what was looked at while the first validation text was answered, .png or "
               ".svg");
  add_common(command, flags.common);
}

bool goes_on_alone(const TranslatorFlags& flags) {
  return !flags.checkpoint.resume.empty() && flags.words.size() == words_of_command + 2;
}

int go_on(const TranslatorFlags& flags, Command (*add)(const std::vector<std::string>& words)) {
  static_cast<void>(checkpoint_path(flags.checkpoint, flags.save));
  std::vector<std::string> words = kept_command(flags.checkpoint.resume);
  if (words.size() < 3 || words[1] != flags.task) {
    throw Error(ErrorKind::value, flags.checkpoint.resume + ": the training of another command",
                {.got = command_line(words)});
  }
  words.insert(words.end(), flags.words.begin() + words_of_command, flags.words.end());
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  Command root("unroll", "", "");
  root.add(add(words));
  return root.main(static_cast<int>(arguments.size()), arguments.data());
}

ParallelTexts last_pairs(ParallelTexts& texts, std::size_t count) {
  ParallelTexts last;
  const auto from = static_cast<std::ptrdiff_t>(texts.source.size() - count);
  last.source.assign(texts.source.begin() + from, texts.source.end());
  last.target.assign(texts.target.begin() + from, texts.target.end());
  texts.source.resize(static_cast<std::size_t>(from));
  texts.target.resize(static_cast<std::size_t>(from));
  return last;
}

void check_output(const TranslatorFlags& flags) {
  check_writable(flags.save);
  if (flags.plot.empty()) return;
  if (!flags.plot.ends_with(".png") && !flags.plot.ends_with(".svg")) {
    throw Error(ErrorKind::value, "--plot " + flags.plot + ": no such kind of picture",
                {.want = "FILE.png or FILE.svg"});
  }
  check_writable(flags.plot);
}

int train_translator_now(TranslatorFlags& flags, const TranslationData& data,
                         const std::string& title) {
  const std::string checkpoint = checkpoint_path(flags.checkpoint, flags.save);
  const InterruptGuard guard;
  const Translated done = trained(flags, data, title, checkpoint);
  const TranslationReport& report = done.report;
  if (report.fit.interrupted) {
    say("  saved " + checkpoint +
        "; go on with: " + command_line({"unroll", flags.task, "train", "--resume", checkpoint}));
    return 128 + InterruptGuard::signal();
  }
  if (!flags.common.quiet) {
    say(fmt::format("  weights of epoch {} kept; {:.1f} s, test {:.1f} s",
                    report.fit.best_epoch + 1, report.fit.history.seconds, report.test_seconds));
  }
  const auto count = std::min(sampled, static_cast<std::ptrdiff_t>(data.validation.source.size()));
  const ParallelTexts sample{
      {data.validation.source.begin(), data.validation.source.begin() + count},
      {data.validation.target.begin(), data.validation.target.begin() + count}};
  save_bundle(translator_bundle(done.translator, flags.task, sample), flags.save);
  if (flags.common.json) {
    write_out(to_json(report).dump(2) + "\n");
  } else {
    write_out((flags.common.quiet ? "" : "\n") + result_text(report));
  }
  if (!flags.plot.empty()) {
    const auto drawn =
        done.translator.translate({data.validation.source[0]}, {.attention = true})[0];
    draw_attention(drawn[0], flags.plot, command_line(flags.words));
    if (!flags.common.quiet) say("picture: " + flags.plot);
  }
  if (!flags.common.quiet) {
    const bool talks = flags.task == "chat";
    say("saved " + flags.save + (talks ? "; it talks with: " : "; it translates with: ") +
        command_line({"unroll", flags.task, talks ? "talk" : "predict", flags.save}));
  }
  return 0;
}

}  // namespace unroll::apps
