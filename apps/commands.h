// The commands of `unroll`, one file each.
#pragma once

#include <string>
#include <vector>

#include "apps/flags.h"

namespace unroll::apps {

/// `line` is the command as it was typed; pictures keep it.
Command forecast_command(CLI::App& root, const std::string& line);
Command predict_command(CLI::App& root);
Command help_command(CLI::App& root);

/// What `unroll help` explains.
std::vector<std::string> topic_names();
/// What `unroll --version` prints.
std::string version_text();

}  // namespace unroll::apps
