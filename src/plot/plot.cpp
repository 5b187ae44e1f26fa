#include "unroll/plot.h"

#include <cmath>

#include "src/plot/script.h"
#include "unroll/error.h"

namespace unroll {

namespace {

std::string name(const Line& line) { return "Plot: line \"" + line.label + "\""; }

bool is_line(const Shape& shape) {
  return shape.rank() == 1 || (shape.rank() == 2 && (shape[0] == 1 || shape[1] == 1));
}

void check(const PlotOptions& options, const Line& line) {
  if (!is_line(line.values.shape())) {
    throw Error(ErrorKind::shape, name(line) + " has the wrong shape",
                {.got = line.values.shape().to_string(),
                 .want = "(n), (n, 1) or (1, n): one height a position"});
  }
  if (line.start < 0) {
    throw Error(ErrorKind::value, name(line) + " starts before the first position",
                {.got = std::to_string(line.start)});
  }
  if (options.dates.empty() && options.x.empty()) return;
  const auto positions =
      static_cast<Index>(options.dates.empty() ? options.x.size() : options.dates.size());
  if (line.start > positions || line.values.elements() > positions - line.start) {
    throw Error(ErrorKind::shape,
                name(line) + " is longer than " + (options.dates.empty() ? "x" : "dates"),
                {.got = std::to_string(line.values.elements()) + " heights from position " +
                        std::to_string(line.start) + " on",
                 .want = "at most " + std::to_string(positions) + " positions"});
  }
}

bool has_a_height(const Line& line) {
  const Tensor values = line.values.to(DType::float64);
  for (double height : values.values<double>()) {
    if (std::isfinite(height)) return true;
  }
  return false;
}

void check(const PlotOptions& options) {
  if (options.lines.empty()) throw Error(ErrorKind::value, "Plot: no lines to draw");
  if (!options.dates.empty() && !options.x.empty()) {
    throw Error(ErrorKind::value, "Plot: both dates and x", {.want = "one of them, or neither"});
  }
  bool any = false;
  for (const Line& line : options.lines) {
    check(options, line);
    any = any || has_a_height(line);
  }
  if (!any) {
    throw Error(ErrorKind::value, "Plot: nothing to draw",
                {.got = "no finite height in any line", .want = "at least one"});
  }
}

}  // namespace

Plot::Plot(PlotOptions options)
    : Picture("Plot", {options.width, options.height, options.dpi, options.command}),
      options_(std::move(options)) {
  check(options_);
}

std::string Plot::script(const plot::Canvas& canvas) const {
  return plot::script(options_, canvas);
}

}  // namespace unroll
