// Plot: lines over numbers or dates, as a picture (PNG, SVG) or as text.
//
//   Plot({.title = "Passengers", .lines = {{"actual", actual}, {"predicted", predicted}}})
//       .save("forecast.svg");
//
// gnuplot draws, as a process of its own; no shell is involved and no text of the caller's is ever
// run as a command.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/tensor.h"

namespace unroll {

/// A line: its name in the legend and its heights, (n), (n, 1) or (1, n). NaN leaves a hole.
struct Line {
  std::string label;
  Tensor values;
  Index start = 0;  ///< the position along x of the first height
};

struct PlotOptions {
  std::string title = {};
  std::vector<Line> lines = {};
  std::string x_label = {};
  std::string y_label = {};
  /// Where the positions lie along x: dates, or numbers; without both they are 0, 1, 2, ...
  std::vector<std::chrono::sys_seconds> dates = {};
  std::vector<double> x = {};
  bool legend = true;
  double width = 10;  ///< inches
  double height = 6;  ///< inches
  double dpi = 100;   ///< pixels an inch: the default picture has 1000 x 600
  /// The command that made the picture, kept in its metadata; "" leaves it out.
  std::string command = {};
};

/// A picture to be drawn. Threads: safe from many at once.
class Plot {
 public:
  /// Throws: Error (value) for no lines, for both dates and x, or for a size outside 1 to 20,000
  ///   pixels a side; Error (shape) where a line is no line or longer than dates or x.
  explicit Plot(PlotOptions options);

  /// Writes a PNG or SVG, by the path's ending; an old file is replaced at once or not at all.
  /// Throws: Error (value) for another ending; Error (file) where it cannot be written;
  ///   Error (unsupported) where gnuplot is missing or fails.
  void save(const std::string& path) const;
  /// The bytes of such a file.
  std::string png() const;
  std::string svg() const;
  /// A drawing in characters, ASCII but for the caller's words; each line ends in a newline.
  /// Throws: Error (value) for fewer than 20 columns or 5 lines, or more than 1,000.
  std::string text(int columns = 80, int lines = 24) const;

 private:
  PlotOptions options_;
};

}  // namespace unroll
