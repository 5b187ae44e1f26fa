// unroll complete: the next word.
#include "apps/complete.h"

#include "apps/commands.h"

namespace unroll::apps {

Command complete_command(const std::vector<std::string>& words) {
  Command command("complete", "Suggests the next word: a network beside an n-gram.",
                  "  unroll complete train shakespeare.txt\n"
                  "  unroll complete interactive complete.unroll");
  command.group("common");
  command.add(complete_train_command(words));
  command.add(complete_predict_command());
  command.add(complete_interactive_command());
  return command;
}

}  // namespace unroll::apps
