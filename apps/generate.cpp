// unroll generate: language models, and texts from them.
#include "apps/generate.h"

#include <memory>

#include "apps/commands.h"

namespace unroll::apps {

Command generate_command(const std::vector<std::string>& words) {
  Command command("generate", "Trains a language model on a text, and lets it write.",
                  "  unroll generate train shakespeare.txt\n"
                  "  unroll generate sample language.unroll --prime \"ROMEO:\"");
  command.group("common");
  command.add(generate_train_command(words));
  command.add(generate_sample_command());
  return command;
}

}  // namespace unroll::apps
