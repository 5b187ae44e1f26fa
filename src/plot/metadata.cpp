#include "src/plot/metadata.h"

#include <algorithm>
#include <cstdint>

namespace unroll::plot {

namespace {

constexpr std::size_t signature_and_header = 8 + 25;  ///< the IHDR chunk always has 25 bytes

/// The checksum of a chunk. Source: PNG specification, annex D.
std::uint32_t crc(std::string_view bytes) {
  std::uint32_t rest = 0xFFFFFFFF;
  for (char byte : bytes) {
    rest ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0xEDB88320 : 0);
  }
  return ~rest;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

std::string chunk(const std::string& type, const std::string& data) {
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data +
         big_endian(crc(type + data));
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// A text chunk ends its keyword with NUL and may hold no other.
std::string without_nul(std::string_view text) {
  std::string result(text);
  std::erase(result, '\0');
  return result;
}

/// As XML text; characters that XML has no way to write are left out.
std::string xml(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::string with_png_comment(std::string_view png, std::string_view comment) {
  const std::string text = without_nul(comment);
  const std::string keyword("Comment\0", 8);
  const std::string not_packed_no_language("\0\0\0\0", 4);
  const std::string added = is_ascii(text) ? chunk("tEXt", keyword + text)
                                           : chunk("iTXt", keyword + not_packed_no_language + text);
  std::string result(png);
  result.insert(std::min(signature_and_header, png.size()), added);
  return result;
}

std::string with_svg_description(std::string_view svg, std::string_view words) {
  const std::string desc = "<desc>" + xml(words) + "</desc>";
  std::string result(svg);
  const auto old = result.find("<desc>");
  const auto old_end = result.find("</desc>");
  if (old != std::string::npos && old_end != std::string::npos) {
    return result.replace(old, old_end + 7 - old, desc);
  }
  const auto root = result.find("<svg");
  const auto root_end = root == std::string::npos ? root : result.find('>', root);
  return root_end == std::string::npos ? result : result.insert(root_end + 1, "\n" + desc);
}

}  // namespace unroll::plot
