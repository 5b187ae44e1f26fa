// unroll chat: answers learnt from dialogues.
#include "unroll/chat.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>

#include "apps/commands.h"
#include "apps/output.h"
#include "apps/translate.h"
#include "apps/translator_flags.h"
#include "src/data/source.h"
#include "src/io/json.h"
#include "src/text/utf8.h"
#include "unroll/error.h"

namespace unroll::apps {

namespace {

using io::Json;

// --- train ---

struct TrainFlags : TranslatorFlags {
  std::string data;
};

std::string corpus(const std::string& given) {
  if (!given.empty()) return given;
  const char* const folder = std::getenv("UNROLL_DATA_DIR");
  if (folder == nullptr || *folder == '\0') {
    throw Error(ErrorKind::value, "unroll chat train: no dialogues to learn from",
                {.want = "--data PATH, or UNROLL_DATA_DIR, a folder with chatterbot-english"});
  }
  return (std::filesystem::path(folder) / "chatterbot-english").string();
}

int train(TrainFlags& flags) {
  if (goes_on_alone(flags)) return go_on(flags, chat_command);
  check_output(flags);
  const std::string path = corpus(flags.data);
  const TranslationData data = chat_data(read_dialogues(path), flags.common.seed);
  return train_translator_now(flags, data, std::filesystem::path(path).filename().string());
}

Command train_command(const std::vector<std::string>& words) {
  auto flags = std::make_shared<TrainFlags>();
  flags->words = words;
  flags->task = "chat";
  flags->save = "chat.unroll";
  TranslationOptions& o = flags->options;
  o.tokens = "words";
  o.min_count = 1;
  o.model.units = o.model.embedding = 128;
  o.model.dropout = 0.3;
  o.training.epochs = 20;
  o.training.batch_size = 32;
  o.training.learning_rate = 2e-3;
  o.training.label_smoothing = 0;
  o.monitor = "val_loss";  // many answers are shorter than BLEU can count
  Command command("train", "Learns what to answer, beside the nearest question that is known.",
                  "  unroll chat train --data dialogues.tsv\n"
                  "  unroll chat train --data corpora/ --epochs 40 --save chat.unroll");
  command.group("data");
  command.text("--data", flags->data, "PATH",
               "dialogues: ChatterBot's YAML, TSV (a dialogue a line, tabs between what is said), "
               "or a folder of both (default: chatterbot-english in UNROLL_DATA_DIR)");
  add_translator_text(command, *flags);
  add_translator_model(command, *flags);
  add_translator_training(command, *flags);
  add_translator_output(command, *flags);
  command.action([flags] { return train(*flags); });
  return command;
}

// --- talk ---

struct TalkFlags {
  CommonFlags common;
  std::string model, file = "-";
  DecodeOptions options{.beam = 5};
  double temperature = 0;
};

/// One line; an empty one begins another conversation. False: nothing was said.
bool turn(Conversation& conversation, std::string line, Index number, std::string& answer) {
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) {
    conversation.reset();
    return false;
  }
  if (const auto wrong = text::first_invalid(line)) {
    throw text::not_utf8(line, *wrong, "line " + std::to_string(number));
  }
  answer = conversation.answer(line);
  return true;
}

int converse(Conversation& conversation) {
  say("say something; an empty line begins another conversation, Ctrl-D ends");
  Index number = 0;
  std::string answer;
  for (std::string line; std::cerr << "> " << std::flush, std::getline(std::cin, line);) {
    try {
      if (turn(conversation, line, ++number, answer)) write_out(answer + "\n");
    } catch (const Error& error) {
      complain(error);
    }
  }
  say("");
  return 0;
}

int talk(TalkFlags& flags) {
  DecodeOptions& o = flags.options;
  o.threads = flags.common.threads;
  if (flags.temperature > 0) {
    o.beam = 1;
    o.sample = true;
    o.sampling.temperature = flags.temperature;
    o.sampling.seed = flags.common.seed;
  }
  Conversation conversation(load_translator(flags.model, "chat"), o);
  const bool talks = flags.file == "-" && !flags.common.json && input_is_terminal();
  if (talks) return converse(conversation);
  const data::Bytes bytes = data::read_source(flags.file, {});
  Json list = Json::array();
  Index number = 0;
  for (std::string_view rest = bytes.view(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string answer;
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!turn(conversation, line, ++number, answer)) continue;
    if (flags.common.json) {
      list.push_back({{"said", line}, {"answer", answer}});
    } else {
      write_out(answer + "\n");
    }
  }
  if (number == 0) {
    throw Error(ErrorKind::format, data::source_name(flags.file) + ": nothing was said",
                {.want = "a line a turn"});
  }
  if (flags.common.json) write_out(list.dump(2) + "\n");
  return 0;
}

Command talk_command() {
  auto flags = std::make_shared<TalkFlags>();
  Command command("talk", "Answers line by line, and knows what was said before.",
                  "  unroll chat talk chat.unroll\n"
                  "  echo \"How are you?\" | unroll chat talk chat.unroll");
  command.group("model");
  command.text("MODEL", flags->model, "", "a file that unroll chat train wrote").required();
  command.group("text");
  command.text("FILE", flags->file, "",
               "what is said, in UTF-8, a line a turn, an empty one before another conversation; "
               "- or none: standard input, with a prompt on a terminal");
  command.group("search");
  command.count("--beam", flags->options.beam, "answers that are followed at once (default 5)", 1,
                1000);
  command.number_or_zero("--temperature", flags->temperature,
                         "draw answers, the bolder the higher; 0: the best one (default 0)", 10);
  add_common(command, flags->common);
  command.action([flags] { return talk(*flags); });
  return command;
}

}  // namespace

Command chat_command(const std::vector<std::string>& words) {
  Command command("chat", "Learns to answer from dialogues, and talks.",
                  "  unroll chat train --data dialogues.tsv\n"
                  "  unroll chat talk chat.unroll");
  command.group("common");
  command.add(train_command(words));
  command.add(talk_command());
  return command;
}

}  // namespace unroll::apps
