// unroll translate train: learns sentences in two languages.
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/translate.h"
#include "apps/translator_flags.h"
#include "unroll/error.h"

namespace unroll::apps {

namespace {

struct Flags : TranslatorFlags {
  std::string from = "de", to = "en";
  std::string source, target, validation_source, validation_target, test_source, test_target;
};

/// Multi30k in UNROLL_DATA_DIR.
std::string part_of(const std::string& part, const std::string& language) {
  const char* const folder = std::getenv("UNROLL_DATA_DIR");
  if (folder == nullptr || *folder == '\0') {
    throw Error(ErrorKind::value, "unroll translate train: no sentences to learn from",
                {.want = "--source FILE --target FILE, or UNROLL_DATA_DIR, a folder with "
                         "multi30k-en-de"});
  }
  const auto path =
      std::filesystem::path(folder) / "multi30k-en-de" / (part + "." + language + ".gz");
  return path.string();
}

void check_pair(const char* what, const std::string& source, const std::string& target) {
  if (source.empty() == target.empty()) return;
  const std::string prefix = *what == '\0' ? "--" : std::string("--") + what + "-";
  throw Error(ErrorKind::value, prefix + "source and " + prefix + "target belong together",
              {.got = "one of them"});
}

TranslationData read(const Flags& flags) {
  check_pair("", flags.source, flags.target);
  check_pair("validation", flags.validation_source, flags.validation_target);
  check_pair("test", flags.test_source, flags.test_target);
  TranslationData data;
  if (flags.source.empty()) {
    const auto pair = [&](const char* part) {
      return read_parallel(part_of(part, flags.from), part_of(part, flags.to));
    };
    data = {pair("train"), pair("val"), pair("test_2016_flickr")};
    return data;
  }
  data.train = read_parallel(flags.source, flags.target);
  if (!flags.test_source.empty()) data.test = read_parallel(flags.test_source, flags.test_target);
  if (!flags.validation_source.empty()) {
    data.validation = read_parallel(flags.validation_source, flags.validation_target);
    return data;
  }
  const std::size_t pairs = data.train.source.size();
  const std::size_t kept = std::min<std::size_t>(1000, pairs / 10);
  if (kept == 0) {
    throw Error(ErrorKind::value, "too few pairs to keep some for validation",
                {.got = std::to_string(pairs), .want = "10 or more, or --validation-source"});
  }
  if (flags.test_source.empty()) data.test = last_pairs(data.train, kept);
  data.validation = last_pairs(data.train, kept);
  return data;
}

int run(Flags& flags) {
  if (goes_on_alone(flags)) return go_on(flags, translate_command);
  check_output(flags);
  const bool own = !flags.source.empty();
  return train_translator_now(
      flags, read(flags),
      own ? flags.source + " to " + flags.target : "Multi30k, " + flags.from + " to " + flags.to);
}

void add_data(Command& command, Flags& flags) {
  command.group("data");
  command.text("--source", flags.source, "FILE",
               "sentences, one a line, plain or gzip, or a URL (default: Multi30k in "
               "UNROLL_DATA_DIR)");
  command.text("--target", flags.target, "FILE", "what they are in the other language");
  command.text("--validation-source", flags.validation_source, "FILE",
               "sentences that say which epoch was best (default: the last of --source)");
  command.text("--validation-target", flags.validation_target, "FILE", "and their translations");
  command.text("--test-source", flags.test_source, "FILE",
               "sentences for the figures at the end (default: the last of --source)");
  command.text("--test-target", flags.test_target, "FILE", "and their translations");
  command.choice("--from", flags.from, {"de", "en"}, "language of Multi30k to read (default de)");
  command.choice("--to", flags.to, {"de", "en"}, "language of Multi30k to write (default en)");
  add_translator_text(command, flags);
}

}  // namespace

Command translate_train_command(const std::vector<std::string>& words) {
  auto flags = std::make_shared<Flags>();
  flags->words = words;
  flags->task = "translate";
  flags->save = "translate.unroll";
  flags->options.training.epochs = 12;
  Command command("train", "Trains an encoder and a decoder with attention, beside baselines.",
                  "  unroll translate train --source train.de --target train.en\n"
                  "  unroll translate train --from en --to de --save en-de.unroll");
  add_data(command, *flags);
  add_translator_model(command, *flags);
  add_translator_training(command, *flags);
  add_translator_output(command, *flags);
  command.action([flags] { return run(*flags); });
  return command;
}

}  // namespace unroll::apps
