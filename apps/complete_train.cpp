// unroll complete train: a network and an n-gram, each alone and both together.
#include <fmt/format.h>

#include <memory>

#include "apps/commands.h"
#include "apps/complete.h"
#include "apps/complete_bundle.h"
#include "apps/history_json.h"
#include "apps/language_flags.h"
#include "apps/output.h"
#include "apps/signals.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags : LanguageFlags {
  NgramOptions ngram;
};

std::string parts_text(const LanguageText& text, const LanguageReport& plan) {
  const Index tested = static_cast<Index>(text.ids.size()) - text.learnt;
  return fmt::format(
             "the first {} to learn from (the last {} of them say when to stop and how to weigh), "
             "the last {} to test",
             grouped(text.learnt), grouped(plan.validation_tokens), grouped(tested)) +
         unknown_text(text);
}

/// The network's share, fitted to ids that neither the network nor this n-gram has learnt.
double fitted_weight(const LanguageModel& model, std::span<const std::int32_t> learnt,
                     Index held_out, const NgramOptions& options) {
  const Ngram before(learnt.first(static_cast<std::size_t>(held_out)), model.vocabulary(), options);
  return best_weight(model.log_probabilities(learnt, held_out),
                     before.log_probabilities(learnt, held_out));
}

/// How much lower the perplexity of the two together is than the n-gram's, per cent.
double improvement(const CompletionReport& report) {
  return 100 * (1 - report.together.score.perplexity() / report.ngram.score.perplexity());
}

std::string row(const std::string& name, const CompletionScore& score) {
  return fmt::format("  {:<38}{:>10.1f}{:>8.1f} %{:>6.1f} %{:>6.1f} %\n", name,
                     score.score.perplexity(), 100 * score.accuracy[0], 100 * score.accuracy[1],
                     100 * score.accuracy[2]);
}

std::string verdict(const CompletionReport& report, const NgramOptions& options) {
  const std::string percent = fmt::format("{:.1f}", std::abs(improvement(report)));
  if (percent == "0.0") {
    return fmt::format("The network adds nothing to the {}-gram.\n", options.order);
  }
  return fmt::format("Together their perplexity is {} % {} than the {}-gram's.\n", percent,
                     improvement(report) > 0 ? "lower" : "higher", options.order);
}

std::string result_text(const CompletionReport& report, const LanguageModel& model,
                        const NgramOptions& options) {
  const std::string ngram = fmt::format("{}-gram, modified Kneser-Ney", options.order);
  return fmt::format("  {:<38}{:>10}{:>10}{:>8}{:>8}\n",
                     "the next of " + grouped(report.ngram.score.tokens) + " test tokens",
                     "perplexity", "right", "of 3", "of 5") +
         row(ngram, report.ngram) + row(model.label(), report.network) +
         row(fmt::format("both ({:.2f} of the network)", report.weight), report.together) + "\n" +
         verdict(report, options);
}

Json score_json(const CompletionScore& score) {
  return {{"nats", number_json(score.score.nats)},
          {"perplexity", number_json(score.score.perplexity())},
          {"accuracy_1", number_json(score.accuracy[0])},
          {"accuracy_3", number_json(score.accuracy[1])},
          {"accuracy_5", number_json(score.accuracy[2])}};
}

Json metrics_json(const CompletionReport& report) {
  return {{"test_tokens", report.ngram.score.tokens}, {"weight", report.weight},
          {"network", score_json(report.network)},    {"ngram", score_json(report.ngram)},
          {"together", score_json(report.together)},  {"improvement", improvement(report)}};
}

int train_now(Flags& flags) {
  check_output(flags);
  // Refused before a text is read that may be long.
  static_cast<void>(checkpoint_path(flags.checkpoint, flags.save));
  flags.text.name = file_name(flags);
  const LanguageText text = read_language(read_text_file(flags.file), flags.text);
  const auto learnt =
      std::span<const std::int32_t>(text.ids).first(static_cast<std::size_t>(text.learnt));
  const bool talks = !flags.common.quiet && !flags.common.json;
  const LanguageModel model = language_model(flags, text.encoder);
  flags.training.planned = [&](const LanguageReport& plan) {
    if (talks) write_out(language_heading(flags, text, parts_text(text, plan), model, plan));
  };
  const LanguageReport report = train_language(flags, model, learnt);
  if (report.interrupted) return 128 + InterruptGuard::signal();
  const double weight = fitted_weight(model, learnt, report.training_tokens, flags.ngram);
  const Ngram ngram(learnt, text.encoder.size(), flags.ngram);
  const CompletionReport result =
      evaluate(model, text.encoder, ngram, weight, text.ids, text.learnt);
  save_completer(Completer(model, text.encoder, ngram, weight), learnt, flags.save);
  if (flags.common.json) {
    Json object = training_json(text, model, report);
    object["metrics"] = metrics_json(result);
    write_out(object.dump(2) + "\n");
  } else {
    write_out((talks ? "\n" : "") + result_text(result, model, flags.ngram));
  }
  draw_losses(flags, report);
  if (!flags.common.quiet) {
    say("saved " + flags.save +
        "; try it: " + command_line({"unroll", "complete", "interactive", flags.save}));
  }
  return 0;
}

}  // namespace

Command complete_train_command(const std::vector<std::string>& words) {
  auto flags = std::make_shared<Flags>();
  flags->words = words;
  flags->save = "complete.unroll";
  flags->model = {.cell = "gru",
                  .units = 256,
                  .layers = 1,
                  .embedding = 128,
                  .dropout = 0.4,
                  .projection = 128};
  flags->training.batch_size = 16;
  flags->training.steps = 32;
  flags->training.epochs = 8;
  flags->training.learning_rate = 2e-3;
  Command command("train", "Trains a network and counts n-grams of a text; tests both.",
                  "  unroll complete train shakespeare.txt\n"
                  "  unroll complete train mail.txt --tokens subwords --save mail.unroll");
  add_text(command, *flags, {"words", "subwords"});
  add_network(command, *flags);
  command.count("--order", flags->ngram.order,
                "tokens in an n-gram: one more than it looks back (default 3)", 1, 8);
  add_training(command, *flags);
  add_output(command, *flags);
  command.action([flags] {
    return goes_on_alone(*flags) ? go_on(*flags, complete_command) : train_now(*flags);
  });
  return command;
}

}  // namespace unroll::apps
