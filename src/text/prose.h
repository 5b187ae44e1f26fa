// Prose as pieces: words, and single characters of anything else.
#pragma once

#include <string_view>

#include "src/text/utf8.h"

namespace unroll::text {

/// The piece that begins at a byte: a word with the apostrophes inside it, or one character.
/// Requires: at < text.size(), and that the text is valid.
std::string_view piece_at(std::string_view text, std::size_t at);

/// Whether a blank is usual between two pieces: none is before a comma, for example.
/// Requires: neither is empty.
bool blank_between(std::string_view left, std::string_view right);

}  // namespace unroll::text
