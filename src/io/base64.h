// Base64. Source: RFC 4648, section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unroll::io {

std::string to_base64(std::string_view bytes);
/// None for what is not base64, with its padding and without line ends.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace unroll::io
