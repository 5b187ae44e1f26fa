// The commands of `unroll`, one file each.
#pragma once

#include <string>

#include "apps/command.h"

namespace unroll::apps {

/// `line` is the command as it was typed; pictures keep it.
Command forecast_command(const std::string& line);
Command predict_command();
/// `root`, whose commands can be asked about, must outlive it.
Command help_command(const Command& root);

/// What `unroll --version` prints.
std::string version_text();

}  // namespace unroll::apps
