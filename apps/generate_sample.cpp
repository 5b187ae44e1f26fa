// unroll generate sample: lets a model write.
#include <fmt/format.h>

#include <memory>

#include "apps/flags.h"
#include "apps/generate.h"
#include "apps/language_bundle.h"
#include "apps/output.h"
#include "apps/signals.h"
#include "src/io/json.h"
#include "unroll/generate.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags {
  CommonFlags common;
  std::string model;
  GenerateOptions options;
  bool greedy = false;
  bool primed = false;
};

Json to_json(const Flags& flags, const Generated& made) {
  return {{"prime", flags.options.prime},
          {"text", made.text},
          {"characters", made.characters},
          {"tokens", made.tokens},
          {"ended", made.ended},
          {"seconds", made.seconds},
          {"characters_per_second", static_cast<double>(made.characters) / made.seconds}};
}

int run(Flags& flags) {
  const SavedLanguage saved = saved_language(load_bundle(flags.model), flags.model);
  saved.model.model().compile({.threads = flags.common.threads});
  GenerateOptions options = flags.options;
  options.sampling.seed = flags.common.seed;
  if (flags.greedy) options.sampling.temperature = 0;
  const InterruptGuard guard;
  // On a terminal every piece shows at once; elsewhere a system call each would be a waste.
  const bool at_once = output_is_terminal();
  std::string waiting;
  const auto flush = [&] {
    if (!flags.common.json) write_out(waiting);
    waiting.clear();
  };
  options.piece = [&](std::string_view piece) {
    waiting += piece;
    if (at_once || waiting.size() >= 4096) flush();
    return InterruptGuard::signal() == 0;
  };
  if (flags.primed) waiting = options.prime;
  const Generated made = generate(saved.model, saved.encoder, options);
  flush();
  if (flags.common.json) {
    write_out(to_json(flags, made).dump(2) + "\n");
  } else if (!made.text.ends_with('\n')) {
    write_out("\n");
  }
  if (!flags.common.quiet && !flags.common.json) {
    say(fmt::format(
        "{} characters, {} a second; ended by {}", grouped(made.characters),
        grouped(static_cast<long long>(static_cast<double>(made.characters) / made.seconds)),
        made.ended));
  }
  return InterruptGuard::signal() == 0 ? 0 : 128 + InterruptGuard::signal();
}

void add_sampling(Command& command, Flags& flags) {
  SamplingOptions& o = flags.options.sampling;
  command.group("sampling");
  command.number("--temperature", o.temperature,
                 "below 1 bolder for the probable, above 1 more varied (default 1)");
  command.toggle("--greedy", flags.greedy, "always the most probable");
  command.count("--top-k", o.top_k, "only the N most probable");
  command.number_or_zero("--top-p", o.top_p,
                         "only the most probable that together have this probability", 1);
  command.number_or_zero("--min-p", o.min_p,
                         "only what has at least this share of the highest probability", 1);
  command.number("--repetition-penalty", o.repetition_penalty,
                 "above 1: what was among the last 64 tokens becomes less probable (default 1)");
}

}  // namespace

Command generate_sample_command() {
  auto flags = std::make_shared<Flags>();
  Command command("sample", "Lets a trained language model write.",
                  "  unroll generate sample language.unroll --prime \"ROMEO:\" --length 1000\n"
                  "  unroll generate sample language.unroll --temperature 0.8 --top-p 0.95");
  command.group("model");
  command.text("MODEL", flags->model, "", "a file that unroll generate train wrote").required();
  command.group("text");
  const Flag prime = command.text("--prime", flags->options.prime, "TEXT",
                                  "what it goes on from (default: a line's beginning)");
  command.count("--length", flags->options.length, "most characters (default 500)");
  command.texts("--stop", flags->options.stop, "TEXT",
                "ends the text and is not part of it; may be given several times");
  add_sampling(command, *flags);
  add_common(command, flags->common);
  command.action([flags, prime] {
    flags->primed = prime.given();
    return run(*flags);
  });
  return command;
}

}  // namespace unroll::apps
