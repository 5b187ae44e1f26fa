// unroll translate predict: translations of a trained model.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "apps/flags.h"
#include "apps/output.h"
#include "apps/translate.h"
#include "src/data/source.h"
#include "src/io/json.h"
#include "src/text/utf8.h"
#include "unroll/error.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags {
  CommonFlags common;
  std::string model, file = "-", plot;
  DecodeOptions options{.beam = 5};
  bool n_best_given = false;
  std::vector<std::string> words;
};

std::vector<std::string> lines_of(const std::string& file) {
  const data::Bytes bytes = data::read_source(file, {});
  std::vector<std::string> lines;
  for (std::string_view rest = bytes.view(); !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.pop_back();
    if (const auto wrong = text::first_invalid(line)) {
      throw text::not_utf8(line, *wrong, "line " + std::to_string(lines.size() + 1));
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) {
    throw Error(ErrorKind::format, data::source_name(file) + ": no sentences",
                {.want = "one a line"});
  }
  return lines;
}

/// A line a translation; of several, the line's number and the score stand before.
std::string text_of(const std::vector<Translation>& found, std::size_t line, bool several) {
  std::string text;
  for (const Translation& one : found) {
    text +=
        several ? fmt::format("{}\t{:.4f}\t{}\n", line + 1, one.score, one.text) : one.text + "\n";
  }
  return text;
}

Json json_of(const std::string& text, const std::vector<Translation>& found) {
  Json list = Json::array();
  for (const Translation& one : found) {
    list.push_back({{"text", one.text}, {"score", one.score}, {"ended", one.ended}});
  }
  return {{"source", text}, {"translations", list}};
}

/// A sentence a line, answered as it comes.
int converse(const Flags& flags, const Translator& translator) {
  say("one sentence a line; Ctrl-D ends");
  std::size_t number = 0;
  for (std::string line; std::cerr << "> " << std::flush, std::getline(std::cin, line); ++number) {
    try {
      write_out(text_of(translator.translate({line}, flags.options)[0], number,
                        flags.options.n_best > 1));
    } catch (const Error& error) {
      complain(error);
    }
  }
  say("");
  return 0;
}

int predict(Flags& flags) {
  DecodeOptions& o = flags.options;
  if (o.n_best > o.beam && !flags.n_best_given) o.n_best = o.beam;
  o.threads = flags.common.threads;
  if (!flags.plot.empty()) check_writable(flags.plot);
  const Translator translator = load_translator(flags.model, "translate");
  const bool talks = flags.file == "-" && !flags.common.json && input_is_terminal();
  if (talks) return converse(flags, translator);
  const std::vector<std::string> lines = lines_of(flags.file);
  o.attention = !flags.plot.empty();
  const auto found = translator.translate(lines, o);
  Json list = Json::array();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (flags.common.json) {
      list.push_back(json_of(lines[i], found[i]));
    } else {
      write_out(text_of(found[i], i, o.n_best > 1));
    }
  }
  if (flags.common.json) write_out(list.dump(2) + "\n");
  if (!flags.plot.empty()) {
    draw_attention(found[0][0], flags.plot, command_line(flags.words));
    if (!flags.common.quiet) say("picture: " + flags.plot);
  }
  return 0;
}

}  // namespace

Command translate_predict_command(const std::vector<std::string>& words) {
  auto flags = std::make_shared<Flags>();
  flags->words = words;
  Command command("predict", "Translates sentences.",
                  "  unroll translate predict translate.unroll sentences.txt\n"
                  "  echo \"Ein Hund.\" | unroll translate predict translate.unroll --n-best 3");
  command.group("model");
  command.text("MODEL", flags->model, "", "a file that unroll translate train wrote").required();
  command.group("text");
  command.text("FILE", flags->file, "",
               "sentences in UTF-8, one a line; - or none: standard input, with a prompt on a "
               "terminal");
  command.group("search");
  command.count("--beam", flags->options.beam,
                "sequences that are followed at once; 1: always the most probable word (default "
                "5)",
                1, 1000);
  const Flag n_best =
      command.count("--n-best", flags->options.n_best,
                    "translations of each sentence, with their scores (default 1)", 1, 1000);
  command.number_or_zero("--length-penalty", flags->options.length_penalty,
                         "how much longer sequences are forgiven for being less probable "
                         "(default 1)",
                         10);
  command.group("output");
  command.text("--plot", flags->plot, "FILE",
               "draw what was looked at for the first sentence, .png or .svg");
  add_common(command, flags->common);
  command.action([flags, n_best] {
    flags->n_best_given = n_best.given();
    return predict(*flags);
  });
  return command;
}

}  // namespace unroll::apps
