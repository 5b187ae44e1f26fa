// Where generated text comes out: up to a length, up to a stop.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/index.h"

namespace unroll::tasks {

/// Counts what it lets through, and holds back what may be the beginning of a stop.
class Outlet {
 public:
  using Receiver = std::function<bool(std::string_view)>;

  /// Requires: no stop is empty.
  Outlet(Index length, std::vector<std::string> stops, Receiver receiver);

  /// Whole characters more. Whether there may be still more.
  bool add(std::string_view text);
  /// Nothing comes any more: what was held back was no stop.
  void finish();

  const std::string& text() const noexcept { return text_; }
  Index characters() const noexcept { return characters_; }
  /// Why it has ended: "length", "stop", "caller"; "" while it has not.
  const std::string& ended() const noexcept { return ended_; }

 private:
  std::size_t beginning_of_stop() const;
  void let_through(std::size_t count);

  Index length_;
  std::vector<std::string> stops_;
  Receiver receiver_;
  std::string held_, text_, ended_;
  Index characters_ = 0;
};

/// How many characters a UTF-8 text has.
Index characters_in(std::string_view text) noexcept;
/// The byte where a character begins; the text's size where there are fewer.
std::size_t place_of_character(std::string_view text, Index character) noexcept;

}  // namespace unroll::tasks
