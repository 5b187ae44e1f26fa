// Words inside picture files that the picture does not show.
#pragma once

#include <string>
#include <string_view>

namespace unroll::plot {

/// A PNG with a text chunk "Comment" behind its header (tEXt, or iTXt for other than ASCII).
/// Source: PNG specification, third edition, 11.3.3.
std::string with_png_comment(std::string_view png, std::string_view comment);

/// An SVG whose <desc> holds the words.
std::string with_svg_description(std::string_view svg, std::string_view words);

}  // namespace unroll::plot
