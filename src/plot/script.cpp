#include "src/plot/script.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "src/plot/ticks.h"

namespace unroll::plot {

namespace {

/// Told apart by the colour-blind too (Okabe and Ito, 2008); in the order of their contrast to
/// white.
constexpr std::array<const char*, 7> colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                "#E69F00", "#56B4E9", "#333333"};

constexpr std::size_t legend_below = 5;  ///< more lines have their legend at the right

double height(const Tensor& values, Index i) {
  const auto at = static_cast<std::size_t>(i);
  switch (values.dtype()) {
    case DType::float32:
      return static_cast<double>(values.values<float>()[at]);
    case DType::float64:
      return values.values<double>()[at];
    case DType::int32:
      return static_cast<double>(values.values<std::int32_t>()[at]);
    case DType::uint8:
      return static_cast<double>(values.values<std::uint8_t>()[at]);
  }
  return 0;
}

/// A float as a float: 0.1 rather than the 0.10000000149011612 that it is as a double.
std::string spelt_height(const Tensor& values, Index i) {
  const double exact = height(values, i);
  if (values.dtype() != DType::float32 || !std::isfinite(exact)) return spelt(exact);
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(exact));
  return {text.data(), end.ptr};
}

double position(const PlotOptions& options, Index i) {
  const auto at = static_cast<std::size_t>(i);
  if (!options.dates.empty()) {
    return static_cast<double>(options.dates[at].time_since_epoch().count());
  }
  return options.x.empty() ? static_cast<double>(i) : options.x[at];
}

void add_point(std::string& data, const PlotOptions& options, const Line& line, Index i) {
  data += spelt(position(options, line.start + i)) + " " + spelt_height(line.values, i) + "\n";
}

/// Of the heights [first, last) the least and the greatest, in their order, and a hole if there is
/// one: what is seen of them when they share a pixel.
void add_bucket(std::string& data, const PlotOptions& options, const Line& line, Index first,
                Index last) {
  Index least = -1, greatest = -1, hole = -1;
  for (Index i = first; i < last; ++i) {
    const double y = height(line.values, i);
    if (!std::isfinite(y)) {
      hole = i;
      continue;
    }
    if (least < 0 || y < height(line.values, least)) least = i;
    if (greatest < 0 || y > height(line.values, greatest)) greatest = i;
  }
  std::array<Index, 3> kept = {least, greatest, hole};
  std::ranges::sort(kept);
  for (std::size_t k = 0; k < kept.size(); ++k) {
    if (kept[k] >= 0 && (k == 0 || kept[k] != kept[k - 1])) add_point(data, options, line, kept[k]);
  }
}

/// The line's points; where there are many more than pixels, only those that can be seen.
std::string points(const PlotOptions& options, const Line& line, Index pixels) {
  std::string data;
  const Index count = line.values.elements();
  const Index buckets = 2 * pixels;
  if (count <= 2 * buckets) {
    for (Index i = 0; i < count; ++i) add_point(data, options, line, i);
    return data;
  }
  for (Index bucket = 0; bucket < buckets; ++bucket) {
    add_bucket(data, options, line, bucket * count / buckets, (bucket + 1) * count / buckets);
  }
  return data;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// The first and last date that any line reaches.
std::pair<Time, Time> extent(const PlotOptions& options) {
  Time first = Time::max(), last = Time::min();
  for (const Line& line : options.lines) {
    for (Index i = line.start; i < line.start + line.values.elements(); ++i) {
      first = std::min(first, options.dates[static_cast<std::size_t>(i)]);
      last = std::max(last, options.dates[static_cast<std::size_t>(i)]);
    }
  }
  return {first, last};
}

std::string date_axis(const PlotOptions& options, const Canvas& canvas) {
  const auto [first, last] = extent(options);
  const auto room =
      canvas.kind == Canvas::text
          ? canvas.width / 12
          : static_cast<Index>(static_cast<double>(canvas.width) / (95 * canvas.scale));
  std::string list;
  for (const Tick& tick :
       date_ticks(first, last, static_cast<int>(std::clamp<Index>(room, 2, 12)))) {
    list += (list.empty() ? "" : ", ") + tic_label(tick.label) + " " +
            std::to_string(tick.time.time_since_epoch().count());
  }
  return "set xtics (" + list + ")\n";
}

std::string decoration(const PlotOptions& options, const Canvas& canvas) {
  const bool text = canvas.kind == Canvas::text;
  std::string lines = titles(canvas, options.title, options.x_label, options.y_label);
  if (!options.legend) {
    lines += "unset key\n";
  } else if (text) {
    lines += "set key below\n";
  } else if (options.lines.size() <= legend_below) {
    lines +=
        "set key outside below horizontal center samplen 3 width 1 height 0.6\nset rmargin 4\n";
  } else {
    lines += "set key outside right vertical top samplen 3\n";
  }
  if (!text) {
    lines += "set border 3 linecolor '#808080'\nset tics nomirror out textcolor '#333333'\n";
    lines += "set grid back linetype 1 linecolor '#e4e4e4' linewidth 0.75\n";
  }
  return lines;
}

std::string style(std::size_t i, const Canvas& canvas) {
  if (canvas.kind == Canvas::text) return " with lines linetype " + std::to_string(i + 1);
  // Past the last colour the lines are dashed; a later line is thinner, to show what it covers.
  return " with lines linecolor '" + std::string(colours[i % colours.size()]) + "' dashtype " +
         std::to_string(1 + i / colours.size() % 5) + " linewidth " + (i == 0 ? "1.8" : "1");
}

}  // namespace

std::string spelt(double value) {
  if (!std::isfinite(value)) return "NaN";
  std::array<char, 40> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string opening(const Canvas& canvas) {
  const std::string size =
      " size " + std::to_string(canvas.width) + "," + std::to_string(canvas.height);
  const std::string scale = spelt(canvas.scale);
  switch (canvas.kind) {
    case Canvas::png: {
      const std::string rest = size + " font 'DejaVu Sans,11' fontscale " + scale + " linewidth " +
                               scale + " background '#ffffff' noenhanced\n";
      // Without cairo there is the terminal of libgd.
      return "set encoding utf8\nif (strstrt(GPVAL_TERMINALS, 'pngcairo')) { set terminal "
             "pngcairo" +
             rest.substr(0, rest.size() - 1) + " } else { set terminal png truecolor" +
             rest.substr(0, rest.size() - 1) + " }\n";
    }
    case Canvas::svg:
      return "set encoding utf8\nset terminal svg" + size + " font 'DejaVu Sans,13' fontscale " +
             scale + " linewidth " + scale + " background '#ffffff' noenhanced\n";
    case Canvas::text:
      return "set encoding utf8\nset terminal dumb" + size + " nofeed noenhanced mono\n";
  }
  return "";
}

std::string titles(const Canvas& canvas, std::string_view title, std::string_view x_label,
                   std::string_view y_label) {
  std::string lines;
  if (!title.empty()) {
    lines += "set title " + literal(title) + (canvas.kind == Canvas::text ? "\n" : " font ',14'\n");
  }
  if (!x_label.empty()) lines += "set xlabel " + literal(x_label) + "\n";
  if (!y_label.empty()) lines += "set ylabel " + literal(y_label) + "\n";
  return lines;
}

std::string literal(std::string_view text) {
  constexpr std::string_view plain = " .,:;()_+-=/%#<>!?&";
  std::string result = "\"";
  bool escaped = false;  // gnuplot reads on where a digit follows the three of an escape
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
    const bool digit = c >= '0' && c <= '9';
    if ((is_letter_or_digit(c) && !(escaped && digit)) || plain.find(c) != std::string_view::npos) {
      result += c;
      escaped = false;
    } else {
      result += '\\';
      for (int shift : {6, 3, 0}) result += static_cast<char>('0' + (byte >> shift & 7));
      escaped = true;
    }
  }
  return result + "\"";
}

std::string tic_label(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled += c == '%' ? "%%" : std::string(1, c);
  return literal(doubled);
}

std::string script(const PlotOptions& options, const Canvas& canvas) {
  std::string text = opening(canvas) + decoration(options, canvas);
  text += options.log_y ? "set logscale y\nset format y '%.0e'\nset autoscale fix\n"
                        : "set autoscale fix\nset offsets 0, 0, graph 0.04, graph 0.04\n";
  if (!options.dates.empty()) text += date_axis(options, canvas);
  std::string plots;
  for (std::size_t i = 0; i < options.lines.size(); ++i) {
    const Line& line = options.lines[i];
    const std::string block = "$line" + std::to_string(i);
    text += block + " << END\n" + points(options, line, canvas.width) + "END\n";
    plots += (i > 0 ? ", " : "plot ") + block + " using 1:2 title " + literal(line.label) +
             style(i, canvas);
  }
  return text + plots + "\n";
}

}  // namespace unroll::plot
