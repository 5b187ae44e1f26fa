// A command of `unroll`: its flags, its help, what it does.
//
//   Command command("dance", "Dances.", "  unroll dance --steps 3");
//   command.group("dance");
//   command.count("--steps", flags.steps, "how many (default 10)");
//   command.action([&flags] { return dance(flags); });
//
// The arguments are parsed by CLI11, which only command.cpp includes: it takes longer to compile
// than a command.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "unroll/index.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace unroll::apps {

/// What one may ask of a flag. Valid as long as its command.
class Flag {
 public:
  /// "--column", or "FILE".
  std::string name() const;
  /// Whether it was among the arguments.
  bool given() const;
  /// From now on a command without it is refused.
  Flag required();

 private:
  friend class Command;
  explicit Flag(CLI::Option* option) : option_(option) {}

  CLI::Option* option_;
};

/// `unroll` is one too, whose commands are added to it.
class Command {
 public:
  /// What a command does; returns the exit status.
  using Action = std::function<int()>;

  /// `purpose` is one line, `examples` a few, as the help shows them.
  Command(const std::string& name, const std::string& purpose, const std::string& examples);
  Command(Command&&) noexcept = default;
  Command& operator=(Command&&) noexcept = default;

  /// The heading in the help of the flags that are declared from now on.
  void group(const std::string& heading) { group_ = heading; }

  // Flags with a value; names without dashes are arguments, given by their place. `target` must
  // live as long as the command, and keeps what it has where the flag is not given. Each refuses,
  // when the arguments are read, what it cannot take: Error (value).

  /// T: int, Index or std::uint64_t.
  template <class T>
  Flag count(const std::string& flag, T& target, const std::string& help,
             std::type_identity_t<T> least = 1, std::type_identity_t<T> most = 1'000'000'000);
  /// A finite number above 0.
  Flag number(const std::string& flag, double& target, const std::string& help);
  /// A finite number, 0 or above, and at most `most`.
  Flag number_or_zero(const std::string& flag, double& target, const std::string& help,
                      double most = std::numeric_limits<double>::max());
  Flag choice(const std::string& flag, std::string& target, const std::vector<std::string>& choices,
              const std::string& help);
  /// One character, or the word tab.
  Flag character(const std::string& flag, char& target, const std::string& help);
  /// `what` stands for the value in the help: "FILE".
  Flag text(const std::string& flag, std::string& target, const std::string& what,
            const std::string& help);
  /// May be given several times.
  Flag texts(const std::string& flag, std::vector<std::string>& target, const std::string& what,
             const std::string& help);

  /// A flag without a value.
  Flag toggle(const std::string& flag, bool& target, const std::string& help);
  /// A flag without a value: where it is given, `action` is all that happens.
  Flag instead(const std::string& flag, const std::string& help, Action action);

  /// Words that somebody who gave one too many may have meant.
  void knows(std::vector<std::string> words) { known_ = std::move(words); }

  /// A command without an action prints its help.
  void action(Action action) { action_ = std::move(action); }

  void add(Command command);
  const std::vector<Command>& commands() const { return commands_; }

  std::string name() const;
  std::string help() const;

  /// Does what the arguments of the process ask for; returns the exit status.
  /// Throws: Error (value) for arguments that this command does not take; what actions throw.
  int main(int argc, const char* const* argv) const;

 private:
  using Read = std::function<void(const std::string&)>;

  Flag valued(const std::string& flag, const std::string& what, const std::string& help, Read read);
  const Command& chosen() const;
  std::string full_name() const;
  std::vector<std::string> words_meant(bool is_flag) const;
  void check_extras() const;

  std::shared_ptr<CLI::App> app_;
  std::string group_;
  std::vector<std::string> known_;
  std::vector<std::pair<Flag, Action>> instead_;
  std::vector<Command> commands_;
  Action action_;
};

}  // namespace unroll::apps
