#include "apps/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "apps/output.h"
#include "apps/spelling.h"
#include "unroll/error.h"

namespace unroll::apps {

namespace {

template <class T>
bool read_whole(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return text;
}

Error cannot_take(const std::string& flag, const std::string& text, const std::string& want) {
  return Error(ErrorKind::value, flag + ": not a number that it can take",
               {.got = quoted(text), .want = want});
}

// --- help ---

std::string name_of(const CLI::Option& option) {
  return option.get_positional() ? option.get_name(true) : option.get_name();
}

/// "--column NAME", or "FILE".
std::string title(const CLI::Option& option) {
  const std::string what = option.get_type_name();
  return what.empty() || option.get_positional() ? name_of(option) : name_of(option) + " " + what;
}

/// "unroll forecast".
std::string path_of(const CLI::App& app) {
  const CLI::App* const above = app.get_parent();
  return (above == nullptr ? "" : path_of(*above) + " ") + app.get_name();
}

std::string usage(const CLI::App& app) {
  std::string line = "usage: " + path_of(app);
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const std::string word = name_of(*option);
    line += option->get_required() ? " " + word : " [" + word + "]";
  }
  if (!app.get_subcommands(nullptr).empty()) line += " COMMAND";
  return line + " [--flags]\n";
}

std::string entry(const std::string& name, const std::string& help) {
  constexpr std::size_t indent = 26;
  std::string line = "  " + name;
  if (line.size() + 2 > indent) {
    line += "\n" + std::string(indent, ' ');
  } else {
    line.append(indent - line.size(), ' ');
  }
  const std::string text = wrapped(std::string(indent, '.') + help, indent).substr(indent);
  return line + text + "\n";
}

/// The headings of an app's flags in their order; what every command has comes last.
std::vector<std::string> groups_of(const CLI::App& app) {
  std::vector<std::string> groups;
  for (const CLI::Option* option : app.get_options()) {
    if (std::ranges::find(groups, option->get_group()) == groups.end()) {
      groups.push_back(option->get_group());
    }
  }
  // Not std::ranges: clang 14 cannot compile the subrange that libstdc++ returns.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group != "common"; });
  return groups;
}

/// `--help`: purpose, usage, examples, commands, flags in groups.
class Help : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    std::string text = app->get_description() + "\n\n" + usage(*app);
    if (!app->get_footer().empty()) text += "\n" + app->get_footer() + "\n";
    const auto commands = app->get_subcommands(nullptr);
    if (!commands.empty()) text += "\ncommands\n";
    for (const CLI::App* command : commands) {
      text += entry(command->get_name(), command->get_description());
    }
    for (const std::string& group : groups_of(*app)) {
      text += "\n" + group + "\n";
      for (const CLI::Option* option : app->get_options()) {
        if (option->get_group() == group) text += entry(title(*option), option->get_description());
      }
    }
    return text;
  }
};

/// What CLI11 refuses itself, in our words.
Error usage_error(const std::string& command, const CLI::ParseError& error) {
  std::string what = error.what();
  if (error.get_name() == "ArgumentMismatch") {
    what = what.substr(0, what.find(':')) + " stands without its value";
  }
  return Error(ErrorKind::value, command + ": " + what, {.hint = command + " --help"});
}

}  // namespace

// --- flags ---

std::string Flag::name() const { return name_of(*option_); }
bool Flag::given() const { return option_->count() > 0; }
Flag Flag::required() {
  option_->required();
  return *this;
}

/// A flag whose text `read` takes; it throws for one that it cannot.
Flag Command::valued(const std::string& flag, const std::string& what, const std::string& help,
                     Read read) {
  // Read before CLI11 looks at the value, so that every flag refuses in the same words.
  return Flag(app_->add_option_function<std::string>(flag, std::move(read), help)
                  ->type_name(what)
                  ->group(group_)
                  ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast));
}

template <class T>
Flag Command::count(const std::string& flag, T& target, const std::string& help,
                    std::type_identity_t<T> least, std::type_identity_t<T> most) {
  return valued(flag, "N", help, [=, &target](const std::string& text) {
    T value{};
    if (!read_whole(text, value) || value < least || value > most) {
      const bool open = most >= static_cast<T>(1'000'000'000);
      throw cannot_take(flag, text,
                        "a whole number, " + std::to_string(least) +
                            (open ? " or more" : " to " + std::to_string(most)));
    }
    target = value;
  });
}
template Flag Command::count(const std::string&, int&, const std::string&, int, int);
template Flag Command::count(const std::string&, Index&, const std::string&, Index, Index);
template Flag Command::count(const std::string&, std::uint64_t&, const std::string&, std::uint64_t,
                             std::uint64_t);

Flag Command::number(const std::string& flag, double& target, const std::string& help) {
  return valued(flag, "X", help, [=, &target](const std::string& text) {
    double value = 0;
    if (!read_whole(text, value) || !(value > 0) || !std::isfinite(value)) {
      throw cannot_take(flag, text, "a number above 0");
    }
    target = value;
  });
}

Flag Command::number_or_zero(const std::string& flag, double& target, const std::string& help,
                             double most) {
  return valued(flag, "X", help, [=, &target](const std::string& text) {
    double value = 0;
    if (!read_whole(text, value) || !(value >= 0 && value <= most)) {
      const bool open = most == std::numeric_limits<double>::max();
      throw cannot_take(flag, text, open ? "0 or a number above" : fmt::format("0 to {}", most));
    }
    target = value;
  });
}

Flag Command::choice(const std::string& flag, std::string& target,
                     const std::vector<std::string>& choices, const std::string& help) {
  return valued(flag, "WORD", help, [=, &target](const std::string& text) {
    if (std::ranges::find(choices, text) == choices.end()) {
      const std::string near = nearest(text, choices);
      throw Error(ErrorKind::value, flag + ": no such choice",
                  {.got = quoted(text),
                   .want = list(choices),
                   .hint = near.empty() ? "" : flag + " " + near});
    }
    target = text;
  });
}

Flag Command::character(const std::string& flag, char& target, const std::string& help) {
  return valued(flag, "CHAR", help, [=, &target](const std::string& text) {
    const bool tab = text == "\\t" || text == "tab";
    if (!tab && text.size() != 1) {
      throw Error(ErrorKind::value, flag + ": not one character",
                  {.got = quoted(text), .want = "a character such as , or ; or the word tab"});
    }
    target = tab ? '\t' : text[0];
  });
}

Flag Command::text(const std::string& flag, std::string& target, const std::string& what,
                   const std::string& help) {
  return valued(flag, what, help, [&target](const std::string& text) { target = text; });
}

Flag Command::texts(const std::string& flag, std::vector<std::string>& target,
                    const std::string& what, const std::string& help) {
  const auto read = [&target](const std::vector<std::string>& texts) { target = texts; };
  return Flag(app_->add_option_function<std::vector<std::string>>(flag, read, help)
                  ->type_name(what)
                  ->group(group_)
                  ->expected(1)
                  ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
}

Flag Command::toggle(const std::string& flag, bool& target, const std::string& help) {
  return Flag(app_->add_flag(flag, target, help)->group(group_));
}

Flag Command::instead(const std::string& flag, const std::string& help, Action action) {
  const Flag made(app_->add_flag(flag, help)->group(group_));
  instead_.emplace_back(made, std::move(action));
  return made;
}

// --- commands ---

Command::Command(const std::string& name, const std::string& purpose, const std::string& examples)
    : app_(std::make_shared<CLI::App>(purpose, name)) {
  app_->footer(examples);
  app_->formatter(std::make_shared<Help>());
  app_->allow_extras();
  // One command: a later word of the same spelling is an argument, as in `unroll help forecast`.
  app_->require_subcommand(0, 1);
  app_->set_help_flag("--help,-h", "this text")->group("common");
}

void Command::add(Command command) {
  app_->add_subcommand(command.app_);
  commands_.push_back(std::move(command));
}

std::string Command::name() const { return app_->get_name(); }
std::string Command::help() const { return app_->help(); }
std::string Command::full_name() const { return path_of(*app_); }

/// The command that the arguments name, which may be this one.
const Command& Command::chosen() const {
  for (const Command& command : commands_) {
    if (command.app_->parsed()) return command.chosen();
  }
  return *this;
}

/// What a word that is not known may have been meant for.
std::vector<std::string> Command::words_meant(bool is_flag) const {
  std::vector<std::string> words;
  if (is_flag) {
    for (const CLI::Option* option : app_->get_options()) {
      for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
    }
    return words;
  }
  for (const Command& command : commands_) words.push_back(command.name());
  return words.empty() ? known_ : words;
}

/// Refuses words and flags that the chosen command does not know.
void Command::check_extras() const {
  const std::vector<std::string> extras = app_->remaining(true);
  if (extras.empty()) return;
  const Command& command = chosen();
  // A flag explains the words after it: a misspelt one leaves its value behind.
  const auto flag = std::ranges::find_if(extras, [](const auto& word) { return word[0] == '-'; });
  const bool is_flag = flag != extras.end();
  const std::string word = is_flag ? flag->substr(0, flag->find('=')) : extras[0];
  const std::string near = nearest(word, command.words_meant(is_flag));
  const char* const what = is_flag                     ? ": no such flag"
                           : command.commands_.empty() ? ": a word too many"
                                                       : ": no such command";
  throw Error(
      ErrorKind::value, command.full_name() + what,
      {.got = quoted(word), .hint = near.empty() ? command.full_name() + " --help" : near + "?"});
}

int Command::main(int argc, const char* const* argv) const {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    write_out(help());
    return 0;
  } catch (const CLI::ParseError& error) {
    throw usage_error(chosen().full_name(), error);
  }
  check_extras();
  for (const auto& [flag, action] : instead_) {
    if (flag.given()) return action();
  }
  const Command& command = chosen();
  if (command.action_) return command.action_();
  write_out(command.help());
  return 0;
}

}  // namespace unroll::apps
