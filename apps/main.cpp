// unroll: recurrent networks from the command line.
//
// Exit status: 0 done, 1 failed while running, 2 bad input or usage, 128 + n ended by signal n.
#include <exception>
#include <new>

#include "apps/commands.h"
#include "apps/output.h"
#include "apps/signals.h"

namespace unroll::apps {

namespace {

/// What CLI11 refuses itself, in our words.
Error usage_error(const CLI::App& root, const CLI::ParseError& error) {
  const auto chosen = root.get_subcommands();
  const std::string command = chosen.empty() ? "unroll" : "unroll " + chosen[0]->get_name();
  std::string what = error.what();
  if (error.get_name() == "ArgumentMismatch") {
    what = what.substr(0, what.find(':')) + " stands without its value";
  }
  return Error(ErrorKind::value, command + ": " + what, {.hint = command + " --help"});
}

int run(int argc, char** argv) {
  CLI::App root("Recurrent networks, natively: train, look inside, forecast.", "unroll");
  root.formatter(std::make_shared<Help>());
  root.allow_extras();
  // One command: a later word of the same spelling is an argument, as in `unroll help forecast`.
  root.require_subcommand(0, 1);
  root.set_help_flag("--help,-h", "this text")->group("common");
  root.footer(
      "  unroll forecast prices.csv --column CLOSE\n"
      "  unroll help persistence");
  bool version = false;
  root.add_flag("--version", version, "the version, and how it was built")->group("common");
  const std::string line = command_line({argv, argv + argc});
  const std::vector<Command> commands = {forecast_command(root, line), predict_command(root),
                                         help_command(root)};
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    write_out(root.help());
    return 0;
  } catch (const CLI::ParseError& error) {
    throw usage_error(root, error);
  }
  check_extras(root, topic_names());
  if (version) {
    write_out(version_text());
    return 0;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  write_out(root.help());
  return 0;
}

int guarded(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const ClosedPipe&) {
    return 0;
  } catch (const Error& error) {
    complain(error);
    return error.kind() == ErrorKind::unsupported ? 1 : 2;
  } catch (const std::bad_alloc&) {
    say("unroll: not enough memory");
    return 1;
  } catch (const std::exception& error) {
    say(std::string("unroll: ") + error.what());
    return 1;
  }
}

}  // namespace

}  // namespace unroll::apps

int main(int argc, char** argv) {
  unroll::apps::ignore_closed_pipes();
  return unroll::apps::guarded(argc, argv);
}
