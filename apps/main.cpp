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

int run(int argc, char** argv) {
  Command root("unroll", "Recurrent networks, natively: train, look inside, forecast.",
               "  unroll forecast prices.csv --column CLOSE\n"
               "  unroll help persistence");
  root.group("common");
  root.instead("--version", "the version, and how it was built", [] {
    write_out(version_text());
    return 0;
  });
  const std::string line = command_line({argv, argv + argc});
  root.add(forecast_command(line));
  root.add(predict_command());
  root.add(quantize_command());
  root.add(trace_command(line));
  root.add(embeddings_command(line));
  root.add(lesson_command(line));
  root.add(generate_command({argv, argv + argc}));
  root.add(sentiment_command({argv, argv + argc}));
  root.add(translate_command({argv, argv + argc}));
  root.add(chat_command({argv, argv + argc}));
  root.add(complete_command({argv, argv + argc}));
  root.add(help_command(root));
  return root.main(argc, argv);
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
