#include <algorithm>
#include <cmath>

#include "src/plot/script.h"
#include "unroll/error.h"
#include "unroll/plot.h"

namespace unroll {

namespace {

void check(const ScatterOptions& options) {
  const Shape& shape = options.points.shape();
  if (shape.rank() != 2 || shape[1] != 2) {
    throw Error(ErrorKind::shape, "Scatter: the points have the wrong shape",
                {.got = shape.to_string(), .want = "(n, 2)"});
  }
  const auto count = static_cast<Index>(options.labels.size());
  if (count != 0 && count != shape[0]) {
    throw Error(ErrorKind::shape, "Scatter: not a word for each of the points",
                {.got = std::to_string(count), .want = std::to_string(shape[0])});
  }
  const Tensor points = options.points.to(DType::float64);
  const auto numbers = points.values<double>();
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
    if (std::isfinite(numbers[i]) && std::isfinite(numbers[i + 1])) return;
  }
  throw Error(ErrorKind::value, "Scatter: nothing to draw",
              {.got = "no finite point", .want = "at least one"});
}

}  // namespace

Scatter::Scatter(ScatterOptions options)
    : Picture("Scatter", {options.width, options.height, options.dpi, options.command}),
      options_(std::move(options)) {
  check(options_);
}

std::string Scatter::script(const plot::Canvas& canvas) const {
  const Tensor points = options_.points.to(DType::float64);
  const auto numbers = points.values<double>();
  std::string text = plot::opening(canvas) +
                     plot::titles(canvas, options_.title, options_.x_label, options_.y_label) +
                     "unset key\n";
  text += "set offsets graph 0.08, graph 0.08, graph 0.05, graph 0.05\n";
  const bool characters = canvas.kind == plot::Canvas::text;
  if (!characters) {
    text += "set border 3 linecolor '#808080'\nset tics nomirror out textcolor '#333333'\n";
  }
  text += "$points << END\n";
  for (Index i = 0; i < points.shape()[0]; ++i) {
    const auto at = static_cast<std::size_t>(i);
    text += plot::spelt(numbers[2 * at]) + " " + plot::spelt(numbers[2 * at + 1]) + " " +
            plot::literal(options_.labels.empty() ? "" : options_.labels[at]) + "\n";
  }
  text += "END\nplot $points using 1:2 with points pointtype 7";
  if (!characters) text += " pointsize 0.4 linecolor '#0072B2'";
  if (!options_.labels.empty()) {
    text += ", $points using 1:2:3 with labels left offset 0.4,0.2";
    if (!characters) text += " font ',8'";
  }
  return text + "\n";
}

}  // namespace unroll
