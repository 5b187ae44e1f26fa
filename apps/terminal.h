// A terminal that gives every key at once.
#pragma once

#include <memory>
#include <optional>

namespace unroll::apps {

/// Whether standard input is a terminal, and standard output one that understands control
/// sequences.
bool is_interactive();

/// While it lives, keys are not gathered into lines, not shown, and no key is a signal. The
/// terminal is as before when it ends, by whatever way that unwinds the stack. One at a time.
class RawTerminal {
 public:
  RawTerminal();
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  /// The next byte; none at the end of input, or when a signal came.
  std::optional<char> read();
  /// The next byte if it comes within some milliseconds: the rest of a control sequence.
  std::optional<char> read_soon();

 private:
  struct Before;
  std::unique_ptr<Before> before_;
};

}  // namespace unroll::apps
