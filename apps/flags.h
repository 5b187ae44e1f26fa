// Flags: how they are declared, read, refused and helped with, the same for every command.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "unroll/csv.h"
#include "unroll/forecast.h"
#include "unroll/index.h"

namespace unroll::apps {

/// A command of `unroll`: its flags, and what it does; `run` returns the exit status.
struct Command {
  CLI::App* app = nullptr;
  std::function<int()> run;
};

/// A new command with its one line of purpose and its examples.
CLI::App* add_command(CLI::App& root, const std::string& name, const std::string& purpose,
                      const std::string& examples);

/// Flags with a value. `group` is the heading they stand under in the help.
/// Each throws, when it is read: Error (value) for a value outside its range.
CLI::Option* add_count(CLI::App& app, const std::string& flag, Index& target,
                       const std::string& help, const std::string& group, Index least = 1,
                       Index most = 1'000'000'000);
CLI::Option* add_number(CLI::App& app, const std::string& flag, double& target,
                        const std::string& help, const std::string& group);
CLI::Option* add_choice(CLI::App& app, const std::string& flag, std::string& target,
                        const std::vector<std::string>& choices, const std::string& help,
                        const std::string& group);
CLI::Option* add_text(CLI::App& app, const std::string& flag, std::string& target,
                      const std::string& what, const std::string& help, const std::string& group);
CLI::Option* add_switch(CLI::App& app, const std::string& flag, bool& target,
                        const std::string& help, const std::string& group);

/// What every command has.
struct CommonFlags {
  bool json = false;
  bool quiet = false;
  std::uint64_t seed = 7;
  int threads = 0;
};
void add_common(CLI::App& app, CommonFlags& flags);

/// Where a series comes from.
struct SeriesFlags {
  std::string file;  ///< empty: the embedded series
  CsvOptions csv;
  SeriesOptions series;
};
/// All but the file, which commands name differently.
void add_series(CLI::App& app, SeriesFlags& flags);
/// Reads the table and the column; says on standard error which rows were left out.
/// `column` is taken where no flag names one and the table has it.
Series read_series(const SeriesFlags& flags, const std::string& column = {});

/// The known word nearest to a misspelt one; "" where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);
/// Throws: Error (value) for words and flags that the parsed commands do not know.
void check_extras(const CLI::App& root, const std::vector<std::string>& topics);

/// `--help`: purpose, examples, flags in groups.
class Help : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override;
};

}  // namespace unroll::apps
