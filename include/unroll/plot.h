// Pictures: lines over numbers or dates, grids of colours, named points; as PNG, SVG or text.
//
//   Plot({.title = "Passengers", .lines = {{"actual", actual}, {"predicted", predicted}}})
//       .save("forecast.svg");
//   HeatMap({.values = hidden, .columns = words}).save("hidden.png");
//
// gnuplot draws, as a process of its own; no shell is involved and no text of the caller's is ever
// run as a command.
#pragma once

#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include "unroll/tensor.h"

namespace unroll {

namespace plot {
struct Canvas;
}

/// How large a picture is, and what is kept in it unseen.
struct PictureOptions {
  double width = 10;  ///< inches
  double height = 6;  ///< inches
  double dpi = 100;   ///< pixels an inch: the default picture has 1000 x 600
  /// The command that made the picture, kept in its metadata; "" leaves it out.
  std::string command = {};
};

/// Something to be drawn: a Plot, a HeatMap, a Scatter. Threads: safe from many at once.
class Picture {
 public:
  virtual ~Picture() = default;

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

 protected:
  /// `kind` is what refusals call it. Throws: Error (value) for a size outside 1 to 20,000 pixels a
  /// side.
  Picture(const char* kind, PictureOptions options);
  Picture(const Picture&) = default;
  Picture& operator=(const Picture&) = default;

  /// What gnuplot is told.
  virtual std::string script(const plot::Canvas& canvas) const = 0;
  virtual std::string characters(int columns, int lines) const;

 private:
  const char* kind_;
  PictureOptions size_;
};

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
  bool log_y = false;  ///< a logarithmic scale of heights; 0 and what is below leave holes
};

/// Lines.
class Plot final : public Picture {
 public:
  /// Throws: Error (value) for no lines, for both dates and x, or for a size outside 1 to 20,000
  ///   pixels a side; Error (shape) where a line is no line or longer than dates or x.
  explicit Plot(PlotOptions options);

 private:
  std::string script(const plot::Canvas& canvas) const override;

  PlotOptions options_;
};

/// A grid of numbers as colours, its first row on top.
struct HeatMapOptions {
  std::string title = {};
  Tensor values = {};                     ///< (rows, columns); NaN stays empty
  std::vector<std::string> columns = {};  ///< a word under each column; none: its number
  std::vector<std::string> rows = {};     ///< a word beside each row; none: its number
  std::string x_label = {};
  std::string y_label = {};
  std::string scale_label = {};  ///< what the colours mean
  /// The numbers at the ends of the scale. Both NaN: the least and the greatest value; where there
  /// are values of both signs, as far below zero as above, and white is zero.
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  double width = 10;
  double height = 6;
  double dpi = 100;
  std::string command = {};
};

class HeatMap final : public Picture {
 public:
  /// Throws: Error (shape) for values that are no grid, an empty one, or another number of words
  ///   than of columns or rows; Error (value) where no value is finite, for half a scale or one
  ///   that does not rise, and for a size as in Plot.
  explicit HeatMap(HeatMapOptions options);

 private:
  std::string script(const plot::Canvas& canvas) const override;
  /// A darker character is further from the low end of the scale. Where there are more cells than
  /// characters, each stands for the mean of some.
  std::string characters(int columns, int lines) const override;

  HeatMapOptions options_;
};

/// Points in a plane, each with a word.
struct ScatterOptions {
  std::string title = {};
  Tensor points = {};                    ///< (n, 2)
  std::vector<std::string> labels = {};  ///< a word a point, or none
  std::string x_label = {};
  std::string y_label = {};
  double width = 10;
  double height = 10;
  double dpi = 100;
  std::string command = {};
};

class Scatter final : public Picture {
 public:
  /// Throws: Error (shape) for points that are not (n, 2), or another number of words; Error
  ///   (value) where no point is finite, and for a size as in Plot.
  explicit Scatter(ScatterOptions options);

 private:
  std::string script(const plot::Canvas& canvas) const override;

  ScatterOptions options_;
};

}  // namespace unroll
