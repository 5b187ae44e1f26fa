// unroll generate train: learns a text.
#include <fmt/format.h>

#include <memory>

#include "apps/commands.h"
#include "apps/generate.h"
#include "apps/history_json.h"
#include "apps/language_bundle.h"
#include "apps/language_flags.h"
#include "apps/output.h"
#include "apps/signals.h"
#include "unroll/error.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags : LanguageFlags {
  Index shown = 0;  ///< characters of a sample after every epoch
  bool shown_asked = false;
};

/// What the model writes by now, on standard error.
void show(const Flags& flags, const TextEncoder& encoder, const LanguageModel& model) {
  const Generated sample = generate(
      model, encoder,
      {.length = flags.shown, .sampling = {.temperature = 0.8, .seed = flags.common.seed}});
  std::string line = "  | ";
  for (const char c : sample.text) {
    line += c == '\n' ? "\n  | " : std::string(1, c);
  }
  say(line);
}

std::string parts_text(const LanguageText& text) {
  const Index watched = static_cast<Index>(text.ids.size()) - text.learnt;
  return fmt::format("the first {} to learn from, the last {} to validate", grouped(text.learnt),
                     grouped(watched)) +
         unknown_text(text);
}

std::string result_text(const LanguageText& text, const LanguageScore& score) {
  const double nats = text.per_character(score.nats);
  std::string line = fmt::format("validation: {:.3f} nats a character ({:.3f} bits)", nats,
                                 LanguageScore{.nats = nats}.bits());
  if (text.encoder.kind() != TextEncoderKind::characters) {
    line += fmt::format(", {:.3f} nats a token", score.nats);
  }
  return line + fmt::format(", perplexity {:.2f} a token, over {} tokens\n", score.perplexity(),
                            grouped(score.tokens));
}

Json metrics_json(const LanguageText& text, const LanguageScore& score) {
  const LanguageScore character{.nats = text.per_character(score.nats)};
  return {{"nats", number_json(score.nats)},
          {"perplexity", number_json(score.perplexity())},
          {"nats_per_character", number_json(character.nats)},
          {"bits_per_character", number_json(character.bits())}};
}

int train_now(Flags& flags) {
  check_output(flags);
  // Refused before a text is read that may be long.
  static_cast<void>(checkpoint_path(flags.checkpoint, flags.save));
  flags.text.name = file_name(flags);
  const LanguageText text = read_language(read_text_file(flags.file), flags.text);
  flags.training.learnt = text.learnt;
  const bool talks = !flags.common.quiet && !flags.common.json;
  const LanguageModel model = language_model(flags, text.encoder);
  flags.training.planned = [&](const LanguageReport& plan) {
    if (talks) write_out(language_heading(flags, text, parts_text(text), model, plan));
  };
  if (flags.shown > 0 && !flags.common.quiet) {
    flags.training.epoch_done = [&](const LanguageModel&, Index) {
      show(flags, text.encoder, model);
    };
  }
  const LanguageReport report = train_language(flags, model, text.ids);
  if (report.interrupted) return 128 + InterruptGuard::signal();
  save_bundle(language_bundle({model, text.encoder}, text.ids, "generate"), flags.save);
  if (flags.common.json) {
    Json object = training_json(text, model, report);
    object["metrics"] = metrics_json(text, report.validation);
    write_out(object.dump(2) + "\n");
  } else {
    write_out((talks ? "\n" : "") + result_text(text, report.validation));
  }
  draw_losses(flags, report);
  if (!flags.common.quiet) {
    say("saved " + flags.save +
        "; it writes with: " + command_line({"unroll", "generate", "sample", flags.save}));
  }
  return 0;
}

}  // namespace

Command generate_train_command(const std::vector<std::string>& words) {
  auto flags = std::make_shared<Flags>();
  flags->words = words;
  flags->save = "language.unroll";
  flags->training.batch_size = 32;
  flags->training.steps = 64;
  flags->training.epochs = 10;
  flags->training.learning_rate = 3e-3;
  Command command("train", "Trains a language model on a text.",
                  "  unroll generate train shakespeare.txt\n"
                  "  unroll generate train book.txt --tokens words --units 512 --save book.unroll");
  add_text(command, *flags, {"characters", "words", "subwords"});
  add_network(command, *flags);
  add_training(command, *flags);
  command.group("output");
  const Flag shown =
      command.count("--sample-length", flags->shown,
                    "characters of a sample that is shown after every epoch; 0: none (default: "
                    "200 on a terminal)",
                    0, 1'000'000);
  add_output(command, *flags);
  command.action([flags, shown] {
    flags->shown_asked = shown.given();
    if (!flags->shown_asked) flags->shown = error_is_terminal() ? 200 : 0;
    return goes_on_alone(*flags) ? go_on(*flags, generate_command) : train_now(*flags);
  });
  return command;
}

}  // namespace unroll::apps
