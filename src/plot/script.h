// A plot as a gnuplot script.
#pragma once

#include <string>
#include <string_view>

#include "unroll/plot.h"

namespace unroll::plot {

/// What draws: gnuplot's terminal, its size in pixels or characters, and how much larger than at
/// 100 dots an inch text and lines are.
struct Canvas {
  enum Kind { png, svg, text } kind;
  Index width;
  Index height;
  double scale = 1;
};

/// Requires: the options as Plot's constructor accepts them.
std::string script(const PlotOptions& options, const Canvas& canvas);

/// What every script begins with: the encoding and the terminal.
std::string opening(const Canvas& canvas);
/// A title and the axes' labels; empty ones are left out.
std::string titles(const Canvas& canvas, std::string_view title, std::string_view x_label,
                   std::string_view y_label);

/// A text as a gnuplot string that stands for just these characters; control characters become
/// blanks. All that could mean something to gnuplot, or is no ASCII, is spelt in octal: neither
/// kind of its quotes can be trusted with a quote or a backquote inside.
std::string literal(std::string_view text);

/// The same for a word beside an axis, which gnuplot reads as a format.
std::string tic_label(std::string_view text);

/// The shortest spelling that reads back as the same number; "NaN" for what is not finite.
std::string spelt(double value);

}  // namespace unroll::plot
