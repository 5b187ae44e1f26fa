#include "apps/signals.h"

#include <array>
#include <csignal>

namespace unroll::apps {

namespace {

volatile std::sig_atomic_t noted = 0;
constexpr std::array watched{SIGINT, SIGTERM};
std::array<struct sigaction, watched.size()> before;

void note(int signal) { noted = signal; }

}  // namespace

InterruptGuard::InterruptGuard() {
  noted = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags =
      static_cast<int>(SA_RESETHAND);  // the second time, the signal does what it always does
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < watched.size(); ++i) {
    sigaction(watched[i], nullptr, &before[i]);
    // Who started us with a signal ignored (nohup, a job in the background) meant it.
    if (before[i].sa_handler != SIG_IGN) sigaction(watched[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &before[i], nullptr);
}

int InterruptGuard::signal() noexcept { return noted; }

void ignore_closed_pipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace unroll::apps
