// The parts of unroll complete.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"

namespace unroll::apps {

/// `words` is the command as it was typed.
Command complete_train_command(const std::vector<std::string>& words);
Command complete_predict_command();
Command complete_interactive_command();

}  // namespace unroll::apps
