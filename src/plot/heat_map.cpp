#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "src/plot/script.h"
#include "unroll/error.h"
#include "unroll/plot.h"

namespace unroll {

namespace {

using Words = std::vector<std::string>;

/// As many cells as a vector picture draws one by one; larger grids become one image.
constexpr Index most_cells = 20'000;
/// Blue, white, red: told apart by the colour-blind, and in print by their darkness.
constexpr const char* two_sided =
    "set palette defined (-4 '#053061', -2 '#4393c3', 0 '#ffffff', 2 '#d6604d', 4 '#67001f')\n";
constexpr const char* one_sided =
    "set palette defined (0 '#ffffff', 1 '#c6dbef', 2 '#6baed6', 3 '#2171b5', 4 '#08306b')\n";

struct Scale {
  double low, high;
  bool two_sides;
};

/// The ends of the colours. Requires: a finite value.
Scale scale_of(const HeatMapOptions& options, const Tensor& values) {
  if (std::isfinite(options.low)) {
    return {options.low, options.high, options.low < 0 && options.high > 0};
  }
  double least = INFINITY, greatest = -INFINITY;
  for (const double value : values.values<double>()) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  if (least < 0 && greatest > 0) {
    const double most = std::max(-least, greatest);
    return {-most, most, true};
  }
  if (least == greatest) return {least - 0.5, greatest + 0.5, false};
  return {least, greatest, false};
}

void check_words(const char* what, const Words& words, Index wanted) {
  if (words.empty() || static_cast<Index>(words.size()) == wanted) return;
  throw Error(ErrorKind::shape, std::string("HeatMap: not a word for each of the ") + what,
              {.got = std::to_string(words.size()), .want = std::to_string(wanted)});
}

void check(const HeatMapOptions& options) {
  const Shape& shape = options.values.shape();
  if (shape.rank() != 2 || shape[0] == 0 || shape[1] == 0) {
    throw Error(ErrorKind::shape, "HeatMap: the values are no grid",
                {.got = shape.to_string(), .want = "(rows, columns), at least 1 x 1"});
  }
  check_words("columns", options.columns, shape[1]);
  check_words("rows", options.rows, shape[0]);
  const bool automatic = std::isnan(options.low) && std::isnan(options.high);
  if (!automatic &&
      !(std::isfinite(options.low) && options.low < options.high && std::isfinite(options.high))) {
    throw Error(ErrorKind::value, "HeatMap: no such scale",
                {.got = plot::spelt(options.low) + " to " + plot::spelt(options.high),
                 .want = "low below high, or neither"});
  }
  const Tensor values = options.values.to(DType::float64);
  if (std::ranges::none_of(values.values<double>(), [](double v) { return std::isfinite(v); })) {
    throw Error(ErrorKind::value, "HeatMap: nothing to draw",
                {.got = "no finite value", .want = "at least one"});
  }
}

/// The first characters of a word, whole ones.
std::string shortened(const std::string& word) {
  constexpr std::size_t most = 18;
  if (word.size() <= most) return word;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(word[end]) & 0xC0) == 0x80) --end;
  return word.substr(0, end) + "..";
}

/// Words at their places on an axis; as many as have `room`, evenly.
std::string tics(const char* axis, const Words& words, Index count, Index room) {
  const Index step = std::max<Index>(1, (count + room - 1) / std::max<Index>(room, 1));
  std::string list;
  for (Index i = 0; i < count; i += step) {
    const std::string word =
        words.empty() ? std::to_string(i) : shortened(words[static_cast<std::size_t>(i)]);
    list += (list.empty() ? "" : ", ") + plot::tic_label(word) + " " + std::to_string(i);
  }
  return std::string("set ") + axis + " (" + list + ")\n";
}

/// The mean of the finite values that one character of a smaller drawing stands for; NaN for none.
double mean_of_part(const Tensor& values, Index row, Index rows, Index column, Index columns) {
  const Index R = values.shape()[0], C = values.shape()[1];
  double sum = 0;
  Index count = 0;
  for (Index i = row * R / rows; i < (row + 1) * R / rows; ++i) {
    for (Index j = column * C / columns; j < (column + 1) * C / columns; ++j) {
      const double value = values.values<double>()[static_cast<std::size_t>(i * C + j)];
      if (!std::isfinite(value)) continue;
      sum += value;
      ++count;
    }
  }
  return count == 0 ? std::nan("") : sum / static_cast<double>(count);
}

std::string grid(const Tensor& values) {
  const Index rows = values.shape()[0], columns = values.shape()[1];
  const auto numbers = values.values<double>();
  std::string text = "$grid << END\n";
  for (Index i = 0; i < rows * columns; ++i) {
    text += plot::spelt(numbers[static_cast<std::size_t>(i)]);
    text += (i + 1) % columns == 0 ? '\n' : ' ';
  }
  return text + "END\n";
}

}  // namespace

HeatMap::HeatMap(HeatMapOptions options)
    : Picture("HeatMap", {options.width, options.height, options.dpi, options.command}),
      options_(std::move(options)) {
  check(options_);
}

std::string HeatMap::script(const plot::Canvas& canvas) const {
  const Tensor values = options_.values.to(DType::float64);
  const Index rows = values.shape()[0], columns = values.shape()[1];
  const Scale scale = scale_of(options_, values);
  const auto room = [&](Index pixels, double each) {
    return static_cast<Index>(static_cast<double>(pixels) / (each * canvas.scale));
  };
  std::string text = plot::opening(canvas) +
                     plot::titles(canvas, options_.title, options_.x_label, options_.y_label) +
                     "unset key\n";
  text += "set border linecolor '#808080'\nset tics nomirror out scale 0.4 textcolor '#333333'\n";
  text += tics("xtics", options_.columns, columns,
               room(canvas.width, options_.columns.empty() ? 40 : 18));
  text += tics("ytics", options_.rows, rows, room(canvas.height, 18));
  if (!options_.columns.empty()) text += "set xtics rotate by 60 right\n";
  text += "set xrange [-0.5:" + plot::spelt(static_cast<double>(columns) - 0.5) + "]\n";
  text += "set yrange [" + plot::spelt(static_cast<double>(rows) - 0.5) + ":-0.5]\n";
  // Holes show what lies behind.
  text +=
      "set object rectangle from graph 0,0 to graph 1,1 behind fillcolor '#d0d0d0' fillstyle "
      "solid\n";
  text += scale.two_sides ? two_sided : one_sided;
  text += "set cbrange [" + plot::spelt(scale.low) + ":" + plot::spelt(scale.high) + "]\n";
  if (!options_.scale_label.empty()) {
    text += "set cblabel " + plot::literal(options_.scale_label) + "\n";
  }
  const bool cells = canvas.kind == plot::Canvas::svg && rows * columns <= most_cells;
  return text + grid(values) + "plot $grid matrix with image" + (cells ? " pixels\n" : "\n");
}

std::string HeatMap::characters(int columns, int lines) const {
  constexpr std::string_view shades = " .:-=+*#%@";
  const Tensor values = options_.values.to(DType::float64);
  const Scale scale = scale_of(options_, values);
  constexpr Index margin = 21;
  const Index rows = values.shape()[0], shown = std::min<Index>(rows, lines - 2);
  const Index wide = std::min(values.shape()[1], std::max<Index>(columns - margin, 1));
  std::string text = options_.title.empty() ? "" : options_.title + "\n";
  for (Index row = 0; row < shown; ++row) {
    const Index first = row * rows / shown;
    std::string name = options_.rows.empty()
                           ? std::to_string(first)
                           : shortened(options_.rows[static_cast<std::size_t>(first)]);
    name.resize(std::max<std::size_t>(name.size(), margin - 1), ' ');
    text += name + " ";
    for (Index column = 0; column < wide; ++column) {
      const double value = mean_of_part(values, row, shown, column, wide);
      const double share = std::clamp((value - scale.low) / (scale.high - scale.low), 0.0, 1.0);
      text += std::isfinite(value)
                  ? shades[static_cast<std::size_t>(share * static_cast<double>(shades.size() - 1))]
                  : '?';
    }
    text += '\n';
  }
  text.append(margin, ' ');
  return text + fmt::format("{:.3g} is '{}', {:.3g} is '{}'\n", scale.low, shades.front(),
                            scale.high, shades.back());
}

}  // namespace unroll
