// The two halves of unroll generate.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"

namespace unroll::apps {

/// `words` is the command as it was typed.
Command generate_train_command(const std::vector<std::string>& words);
Command generate_sample_command();

}  // namespace unroll::apps
