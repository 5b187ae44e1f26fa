#include "apps/flags.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "apps/output.h"

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

/// A flag whose text `read` takes; it throws for one that it cannot.
CLI::Option* add(CLI::App& app, const std::string& flag, const std::string& what,
                 const std::string& help, const std::string& group,
                 std::function<void(const std::string&)> read) {
  // Said before CLI11 looks at the value, so that every flag refuses in the same words.
  return app.add_option_function<std::string>(flag, std::move(read), help)
      ->type_name(what)
      ->group(group)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

template <class T>
CLI::Option* add_integer(CLI::App& app, const std::string& flag, T& target, const std::string& help,
                         const std::string& group, T least, T most) {
  return add(app, flag, "N", help, group, [=, &target](const std::string& text) {
    T value{};
    if (!read_whole(text, value) || value < least || value > most) {
      const bool open = most >= static_cast<T>(1'000'000'000);
      const std::string range =
          std::to_string(least) + (open ? " or more" : " to " + std::to_string(most));
      throw Error(ErrorKind::value, flag + ": not a number that it can take",
                  {.got = quoted(text), .want = "a whole number, " + range});
    }
    target = value;
  });
}

char one_character(const std::string& flag, const std::string& text) {
  if (text == "\\t" || text == "tab") return '\t';
  if (text.size() == 1) return text[0];
  throw Error(ErrorKind::value, flag + ": not one character",
              {.got = quoted(text), .want = "a character such as , or ; or the word tab"});
}

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

/// "--column NAME", or "FILE".
std::string title(const CLI::Option& option) {
  const std::string name = option.get_positional() ? option.get_name(true) : option.get_name();
  const std::string what = option.get_type_name();
  return what.empty() || option.get_positional() ? name : name + " " + what;
}

std::string usage(const CLI::App& app) {
  std::string line = "usage:";
  for (const CLI::App* above = app.get_parent(); above != nullptr; above = above->get_parent()) {
    line += " " + above->get_name();
  }
  line += " " + app.get_name();
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) continue;
    const std::string word = option->get_name(true);
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

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

CLI::App* add_command(CLI::App& root, const std::string& name, const std::string& purpose,
                      const std::string& examples) {
  CLI::App* app = root.add_subcommand(name, purpose);
  app->footer(examples);
  app->allow_extras();
  app->set_help_flag("--help,-h", "this text")->group("common");
  return app;
}

CLI::Option* add_count(CLI::App& app, const std::string& flag, Index& target,
                       const std::string& help, const std::string& group, Index least, Index most) {
  return add_integer(app, flag, target, help, group, least, most);
}

CLI::Option* add_number(CLI::App& app, const std::string& flag, double& target,
                        const std::string& help, const std::string& group) {
  return add(app, flag, "X", help, group, [=, &target](const std::string& text) {
    double value = 0;
    if (!read_whole(text, value) || !(value > 0) || !std::isfinite(value)) {
      throw Error(ErrorKind::value, flag + ": not a number that it can take",
                  {.got = quoted(text), .want = "a number above 0"});
    }
    target = value;
  });
}

CLI::Option* add_choice(CLI::App& app, const std::string& flag, std::string& target,
                        const std::vector<std::string>& choices, const std::string& help,
                        const std::string& group) {
  return add(app, flag, "WORD", help, group, [=, &target](const std::string& text) {
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

CLI::Option* add_text(CLI::App& app, const std::string& flag, std::string& target,
                      const std::string& what, const std::string& help, const std::string& group) {
  return add(app, flag, what, help, group, [&target](const std::string& text) { target = text; });
}

CLI::Option* add_switch(CLI::App& app, const std::string& flag, bool& target,
                        const std::string& help, const std::string& group) {
  return app.add_flag(flag, target, help)->group(group);
}

void add_common(CLI::App& app, CommonFlags& flags) {
  const std::string group = "common";
  add_switch(app, "--json", flags.json, "print one JSON object instead of text", group);
  add_integer<std::uint64_t>(app, "--seed", flags.seed,
                             "names every random number: the same seed gives the same bytes "
                             "(default 7)",
                             group, 0, ~std::uint64_t{0});
  add_integer<int>(app, "--threads", flags.threads,
                   "threads to use; changes the time, never a bit of the result (default: "
                   "UNROLL_THREADS, or every processor)",
                   group, 1, 1024);
  add_switch(app, "--quiet", flags.quiet, "no progress and no remarks", group);
}

void add_series(CLI::App& app, SeriesFlags& flags) {
  const std::string group = "data";
  add_text(app, "--column", flags.series.column, "NAME",
           "the column to forecast; may be left out where only one holds numbers", group);
  add_text(app, "--date-column", flags.series.date_column, "NAME",
           "the column of dates (default: the leftmost one)", group);
  app.add_option_function<std::vector<std::string>>(
         "--missing",
         [&flags](const std::vector<std::string>& words) { flags.csv.missing = words; },
         "a text that stands for a missing value, beside the empty field and NaN; may be given "
         "several times")
      ->type_name("TEXT")
      ->group(group)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_switch(app, "--strict", flags.series.strict,
             "refuse rows without a value instead of leaving them out", group);
  add(app, "--separator", "CHAR", "between fields (default: found out)", group,
      [&flags](const std::string& text) {
        flags.csv.separator = one_character("--separator", text);
      });
  add(app, "--decimal", "CHAR", "the decimal point, . or , (default .)", group,
      [&flags](const std::string& text) { flags.csv.decimal = one_character("--decimal", text); });
}

Series read_series(const SeriesFlags& flags, const std::string& column) {
  const Table table = flags.file.empty() ? reef() : read_csv(flags.file, flags.csv);
  SeriesOptions options = flags.series;
  if (options.column.empty() && table.has(column)) options.column = column;
  Series series = series_of(table, options);
  const std::size_t count = series.left_out.size();
  if (count == 0) return series;
  std::string lines;
  for (std::size_t i = 0; i < std::min<std::size_t>(count, 5); ++i) {
    lines += (i > 0 ? ", " : "") + std::to_string(series.left_out[i]);
  }
  say("unroll: " + series.name + ": " + grouped(static_cast<long long>(count)) +
      (count == 1 ? " row without a value left out (line "
                  : " rows without a value left out (lines ") +
      lines + (count > 5 ? ", ...)" : ")"));
  return series;
}

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t apart = distance(lower(word), lower(candidate));
    if (apart < least) {
      least = apart;
      best = candidate;
    }
  }
  return best;
}

void check_extras(const CLI::App& root, const std::vector<std::string>& topics) {
  const std::vector<std::string> extras = root.remaining(true);
  if (extras.empty()) return;
  const std::vector<CLI::App*> chosen = root.get_subcommands();
  const CLI::App& app = chosen.empty() ? root : *chosen[0];
  const std::string command = chosen.empty() ? "unroll" : "unroll " + app.get_name();
  // A flag explains the words after it: a misspelt one leaves its value behind.
  const auto flag = std::ranges::find_if(extras, [](const auto& word) { return word[0] == '-'; });
  const std::string word = flag != extras.end() ? flag->substr(0, flag->find('=')) : extras[0];
  std::vector<std::string> known = topics;
  const bool is_flag = flag != extras.end();
  if (is_flag) {
    known.clear();
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  } else if (chosen.empty()) {
    known.clear();
    for (const CLI::App* sub : root.get_subcommands(nullptr)) known.push_back(sub->get_name());
  }
  const std::string near = nearest(word, known);
  const char* what = is_flag          ? "no such flag"
                     : chosen.empty() ? "no such command"
                                      : "a word too many";
  throw Error(ErrorKind::value, command + ": " + what,
              {.got = quoted(word), .hint = near.empty() ? command + " --help" : near + "?"});
}

std::string Help::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string text = app->get_description() + "\n\n" + usage(*app);
  if (!app->get_footer().empty()) text += "\n" + app->get_footer() + "\n";
  std::vector<std::string> groups;
  for (const CLI::Option* option : app->get_options()) {
    if (std::ranges::find(groups, option->get_group()) == groups.end()) {
      groups.push_back(option->get_group());
    }
  }
  // What every command has comes last.
  // Not std::ranges: clang 14 cannot compile the subrange that libstdc++ returns.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group != "common"; });
  const auto commands = app->get_subcommands(nullptr);
  if (!commands.empty()) text += "\ncommands\n";
  for (const CLI::App* command : commands) {
    text += entry(command->get_name(), command->get_description());
  }
  for (const std::string& group : groups) {
    text += "\n" + group + "\n";
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_group() == group) text += entry(title(*option), option->get_description());
    }
  }
  return text;
}

}  // namespace unroll::apps
