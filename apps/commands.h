// The commands of `unroll`, one file each.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"

namespace unroll::apps {

/// `line` is the command as it was typed; pictures keep it.
Command forecast_command(const std::string& line);
Command predict_command();
Command quantize_command();
Command trace_command(const std::string& line);
Command embeddings_command(const std::string& line);
Command lesson_command(const std::string& line);
/// `words` is the command as it was typed; a training keeps them.
Command generate_command(const std::vector<std::string>& words);
Command sentiment_command(const std::vector<std::string>& words);
Command chat_command(const std::vector<std::string>& words);
Command translate_command(const std::vector<std::string>& words);
Command complete_command(const std::vector<std::string>& words);
/// `root`, whose commands can be asked about, must outlive it.
Command help_command(const Command& root);

/// What `unroll --version` prints.
std::string version_text();

}  // namespace unroll::apps
