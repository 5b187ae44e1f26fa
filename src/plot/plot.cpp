#include "unroll/plot.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "src/plot/gnuplot.h"
#include "src/plot/metadata.h"
#include "src/plot/script.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr double most_pixels = 20'000;

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

bool fits(double inches, double dpi) {
  const double pixels = std::round(inches * dpi);
  return pixels >= 1 && pixels <= most_pixels;  // false for NaN
}

void check(const PlotOptions& options) {
  if (options.lines.empty()) throw Error(ErrorKind::value, "Plot: no lines to draw");
  if (!options.dates.empty() && !options.x.empty()) {
    throw Error(ErrorKind::value, "Plot: both dates and x", {.want = "one of them, or neither"});
  }
  if (!fits(options.width, options.dpi) || !fits(options.height, options.dpi)) {
    throw Error(ErrorKind::value, "Plot: no such size",
                {.got = plot::spelt(options.width) + " x " + plot::spelt(options.height) +
                        " inches at " + plot::spelt(options.dpi) + " dots an inch",
                 .want = "1 to 20000 pixels a side"});
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

plot::Canvas canvas(const PlotOptions& options, plot::Canvas::Kind kind) {
  return {.kind = kind,
          .width = static_cast<Index>(std::round(options.width * options.dpi)),
          .height = static_cast<Index>(std::round(options.height * options.dpi)),
          .scale = options.dpi / 100};
}

/// Without form feeds and the blanks at the ends of lines; ends in one newline.
std::string tidy(const std::string& drawing) {
  std::string text, line;
  for (char c : drawing + "\n") {
    if (c == '\f') continue;
    if (c != '\n') {
      line += c;
      continue;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
    line.clear();
  }
  text.erase(text.find_last_not_of('\n') + 1);
  return text.substr(std::min(text.find_first_not_of('\n'), text.size())) + "\n";
}

Error cannot_write(const std::string& path, int error) {
  std::string why = std::generic_category().message(error);
  if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z') why[0] = static_cast<char>(why[0] | 0x20);
  return Error(ErrorKind::file, path + ": cannot be written", {.got = why});
}

/// Writes a file beside the path and renames it: the path holds the old bytes or all of the new.
void replace_file(const std::string& path, const std::string& bytes) {
  static std::atomic<unsigned> count{0};
  const std::string beside =
      path + "." + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".part";
  errno = 0;
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << bytes << std::flush;
  file.close();
  int error = file ? 0 : errno == 0 ? EIO : errno;
  if (error == 0 && std::rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return;
  std::remove(beside.c_str());
  throw cannot_write(path, error);
}

}  // namespace

Plot::Plot(PlotOptions options) : options_(std::move(options)) { check(options_); }

std::string Plot::png() const {
  std::string picture =
      plot::run_gnuplot(plot::script(options_, canvas(options_, plot::Canvas::png)));
  return options_.command.empty() ? picture : plot::with_png_comment(picture, options_.command);
}

std::string Plot::svg() const {
  std::string picture =
      plot::run_gnuplot(plot::script(options_, canvas(options_, plot::Canvas::svg)));
  return options_.command.empty() ? picture : plot::with_svg_description(picture, options_.command);
}

std::string Plot::text(int columns, int lines) const {
  if (columns < 20 || columns > 1000 || lines < 5 || lines > 1000) {
    throw Error(ErrorKind::value, "Plot: no such size",
                {.got = std::to_string(columns) + " columns, " + std::to_string(lines) + " lines",
                 .want = "20 to 1000 columns, 5 to 1000 lines"});
  }
  return tidy(plot::run_gnuplot(
      plot::script(options_, {.kind = plot::Canvas::text, .width = columns, .height = lines})));
}

void Plot::save(const std::string& path) const {
  if (path.ends_with(".png")) return replace_file(path, png());
  if (path.ends_with(".svg")) return replace_file(path, svg());
  throw Error(ErrorKind::value, path + ": no such kind of picture",
              {.want = "a path that ends in .png or .svg"});
}

}  // namespace unroll
