// What all pictures have in common: their size, their files.
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
#include "unroll/plot.h"

namespace unroll {

namespace {

constexpr double most_pixels = 20'000;

bool fits(double inches, double dpi) {
  const double pixels = std::round(inches * dpi);
  return pixels >= 1 && pixels <= most_pixels;  // false for NaN
}

plot::Canvas canvas(const PictureOptions& options, plot::Canvas::Kind kind) {
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

Picture::Picture(const char* kind, PictureOptions options)
    : kind_(kind), size_(std::move(options)) {
  if (fits(size_.width, size_.dpi) && fits(size_.height, size_.dpi)) return;
  throw Error(ErrorKind::value, std::string(kind_) + ": no such size",
              {.got = plot::spelt(size_.width) + " x " + plot::spelt(size_.height) + " inches at " +
                      plot::spelt(size_.dpi) + " dots an inch",
               .want = "1 to 20000 pixels a side"});
}

std::string Picture::png() const {
  std::string picture = plot::run_gnuplot(script(canvas(size_, plot::Canvas::png)));
  return size_.command.empty() ? picture : plot::with_png_comment(picture, size_.command);
}

std::string Picture::svg() const {
  std::string picture = plot::run_gnuplot(script(canvas(size_, plot::Canvas::svg)));
  return size_.command.empty() ? picture : plot::with_svg_description(picture, size_.command);
}

std::string Picture::text(int columns, int lines) const {
  if (columns < 20 || columns > 1000 || lines < 5 || lines > 1000) {
    throw Error(ErrorKind::value, std::string(kind_) + ": no such size",
                {.got = std::to_string(columns) + " columns, " + std::to_string(lines) + " lines",
                 .want = "20 to 1000 columns, 5 to 1000 lines"});
  }
  return characters(columns, lines);
}

std::string Picture::characters(int columns, int lines) const {
  return tidy(
      plot::run_gnuplot(script({.kind = plot::Canvas::text, .width = columns, .height = lines})));
}

void Picture::save(const std::string& path) const {
  if (path.ends_with(".png")) return replace_file(path, png());
  if (path.ends_with(".svg")) return replace_file(path, svg());
  throw Error(ErrorKind::value, path + ": no such kind of picture",
              {.want = "a path that ends in .png or .svg"});
}

}  // namespace unroll
