#include "apps/terminal.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "apps/output.h"

namespace unroll::apps {

struct RawTerminal::Before {
  termios settings{};
};

bool is_interactive() { return ::isatty(STDIN_FILENO) == 1 && output_is_terminal(); }

RawTerminal::RawTerminal() : before_(std::make_unique<Before>()) {
  ::tcgetattr(STDIN_FILENO, &before_->settings);
  termios raw = before_->settings;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
}

RawTerminal::~RawTerminal() { ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_->settings); }

std::optional<char> RawTerminal::read() {
  char byte = 0;
  // A signal that was noted ends the wait: whoever asks for keys looks at it then.
  return ::read(STDIN_FILENO, &byte, 1) == 1 ? std::optional(byte) : std::nullopt;
}

std::optional<char> RawTerminal::read_soon() {
  pollfd waiting{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 20) == 1 ? read() : std::nullopt;
}

}  // namespace unroll::apps
