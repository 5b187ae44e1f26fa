// Ctrl-C in good order.
#pragma once

namespace unroll::apps {

/// While it lives, the first SIGINT or SIGTERM is noted instead of ending the process; a second one
/// ends it. One at a time: what a signal handler can reach is global.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// The signal that came, or 0.
  static int signal() noexcept;
};

/// Writing into a closed pipe becomes an error of write() instead of the end of the process.
void ignore_closed_pipes();

}  // namespace unroll::apps
