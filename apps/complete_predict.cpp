// unroll complete predict and interactive: suggestions for a text, for lines, or while one types.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "apps/complete.h"
#include "apps/complete_bundle.h"
#include "apps/flags.h"
#include "apps/output.h"
#include "apps/signals.h"
#include "apps/terminal.h"
#include "src/io/json.h"
#include "unroll/error.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags {
  CommonFlags common;
  std::string model;
  std::string text;
  bool text_given = false;
  bool unfinished = false;
  Index count = 5;
};

Completer loaded(const Flags& flags) {
  Completer completer = load_completer(flags.model);
  completer.model().model().compile({.threads = flags.common.threads});
  return completer;
}

// --- predict ---

std::string lines_of(const std::vector<Suggestion>& suggestions) {
  std::string text;
  for (const Suggestion& one : suggestions) {
    text += fmt::format("{}\t{:.4f}\n", one.word, one.probability);
  }
  return text;
}

Json json_of(const std::string& text, const std::vector<Suggestion>& suggestions) {
  Json list = Json::array();
  for (const Suggestion& one : suggestions) {
    list.push_back({{"word", one.word}, {"probability", one.probability}});
  }
  return {{"text", text}, {"suggestions", list}};
}

/// "line 3 is not UTF-8"; what else suggest() may throw stays as it is.
std::vector<Suggestion> suggestions_for(Completer& completer, const Flags& flags,
                                        const std::string& text, Index line) {
  try {
    return completer.suggest(flags.unfinished ? text : text + " ", flags.count);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::format || line == 0) throw;
    throw Error(error.kind(), "line " + std::to_string(line) + " is not UTF-8",
                {.got = error.details().got, .want = error.details().want});
  }
}

/// For the text that was given, or for each line of standard input.
int predict(const Flags& flags) {
  Completer completer = loaded(flags);
  Json all = Json::array();
  Index line = 0;
  const auto answer = [&](const std::string& text) {
    const auto found = suggestions_for(completer, flags, text, line);
    if (flags.common.json) {
      all.push_back(json_of(text, found));
    } else {
      // Of several lines one must see which is which.
      write_out((line == 0 ? "" : text + "\n") + lines_of(found));
    }
  };
  if (flags.text_given) {
    answer(flags.text);
  } else {
    for (std::string text; std::getline(std::cin, text);) {
      ++line;
      answer(text);
    }
  }
  if (flags.common.json) write_out(all.dump(2) + "\n");
  return 0;
}

// --- interactive ---

constexpr char control(char letter) { return static_cast<char>(letter & 0x1F); }

/// The end of a text that has at most so many characters.
std::string_view tail(std::string_view text, std::size_t most) {
  while (characters(text) > most) {
    text.remove_prefix(1);
    while (!text.empty() && (static_cast<unsigned char>(text[0]) & 0xC0) == 0x80) {
      text.remove_prefix(1);
    }
  }
  return text;
}

/// A line that is typed, and the suggestions below it.
class Editor {
 public:
  Editor(Completer& completer, Index count) : completer_(completer), count_(count) {}

  /// Until Ctrl-C, Ctrl-D, the end of input or a signal.
  void run() {
    update();
    while (InterruptGuard::signal() == 0) {
      const std::optional<char> key = terminal_.read();
      if (!key || *key == control('c') || *key == control('d')) break;
      press(*key);
    }
    write_out("\r\x1b[J");
  }

 private:
  void press(char key) {
    if (key == '\r' || key == '\n') return enter();
    if (key == '\t') return accept();
    if (key == 127 || key == control('h')) return erase();
    if (key == control('u')) return clear();
    if (key == '\x1b') return skip_sequence();
    if (static_cast<unsigned char>(key) < 0x20) return;
    text_ += key;
    // Of a character of several bytes, wait for the last one.
    if (whole()) update();
  }

  bool whole() const {
    std::size_t begin = text_.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text_[begin]) & 0xC0) == 0x80) --begin;
    const auto first = static_cast<unsigned char>(text_[begin]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return text_.size() - begin >= length;
  }

  void enter() {
    write_out("\r\x1b[J> " + text_ + "\r\n");
    text_.clear();
    update();
  }
  /// Takes the first suggestion in the place of the word that was begun.
  void accept() {
    if (suggestions_.empty()) return;
    const std::string& word = suggestions_[0].word;
    std::size_t common = std::min(word.size(), text_.size());
    while (common > 0 && !text_.ends_with(std::string_view(word).substr(0, common))) --common;
    // A word that is not begun yet follows a blank.
    const bool begun = common > 0 && !text_.ends_with(' ');
    text_ = (begun ? text_.substr(0, text_.size() - common) : text_) + word + " ";
    update();
  }
  void erase() {
    if (text_.empty()) return;
    const std::string_view shorter = text_;
    text_ = std::string(shorter.substr(0, last_character()));
    update();
  }
  std::size_t last_character() const {
    std::size_t begin = text_.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text_[begin]) & 0xC0) == 0x80) --begin;
    return begin;
  }
  void clear() {
    text_.clear();
    update();
  }
  /// Arrows and the like mean nothing here.
  void skip_sequence() {
    for (auto next = terminal_.read_soon(); next; next = terminal_.read_soon()) {
      if ((*next >= 'a' && *next <= 'z') || (*next >= 'A' && *next <= 'Z') || *next == '~') return;
    }
  }

  void update() {
    try {
      suggestions_ = completer_.suggest(text_, count_);
    } catch (const Error&) {
      suggestions_.clear();  // bytes that are no character
    }
    draw();
  }

  void draw() const {
    const auto width = static_cast<std::size_t>(terminal_columns());
    const std::string shown(tail(text_, width - 3));
    std::string below;
    for (const Suggestion& one : suggestions_) {
      const std::string more = fmt::format("  {} {:.0f} %", one.word, 100 * one.probability);
      if (characters(below) + characters(more) >= width) break;
      below += more;
    }
    // The suggestions first, then back up to where one types.
    write_out("\r\x1b[J> " + shown + "\r\n" + below + "\x1b[A\r\x1b[" +
              std::to_string(characters(shown) + 2) + "C");
  }

  Completer& completer_;
  Index count_;
  RawTerminal terminal_;
  std::string text_;
  std::vector<Suggestion> suggestions_;
};

int interactive(const Flags& flags) {
  if (!is_interactive()) return predict(flags);
  Completer completer = loaded(flags);
  const InterruptGuard guard;
  if (!flags.common.quiet) say("Tab takes the first word; Ctrl-D ends.");
  Editor(completer, flags.count).run();
  return InterruptGuard::signal() == 0 ? 0 : 128 + InterruptGuard::signal();
}

void add_model(Command& command, Flags& flags) {
  command.group("model");
  command.text("MODEL", flags.model, "", "a file that unroll complete train wrote").required();
}

void add_rest(Command& command, Flags& flags) {
  command.group("output");
  command.count("--count", flags.count, "suggestions (default 5)", 1, 1000);
  add_common(command, flags.common);
}

}  // namespace

Command complete_predict_command() {
  auto flags = std::make_shared<Flags>();
  Command command("predict", "Suggests what comes after a text, or after each line of input.",
                  "  unroll complete predict complete.unroll \"To be, or not to\"\n"
                  "  unroll complete predict complete.unroll \"To be, or n\" --unfinished");
  add_model(command, *flags);
  const Flag text =
      command.text("TEXT", flags->text, "", "what is begun; none: each line of standard input");
  command.toggle("--unfinished", flags->unfinished,
                 "the last word is not finished: suggest how it may go on");
  add_rest(command, *flags);
  command.action([flags, text] {
    flags->text_given = text.given();
    return predict(*flags);
  });
  return command;
}

Command complete_interactive_command() {
  auto flags = std::make_shared<Flags>();
  Command command("interactive",
                  "Suggests while one types; away from a terminal, after each line of input.",
                  "  unroll complete interactive complete.unroll");
  add_model(command, *flags);
  add_rest(command, *flags);
  command.action([flags] { return interactive(*flags); });
  return command;
}

}  // namespace unroll::apps
