#include "apps/output.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "src/base/file.h"

namespace unroll::apps {

namespace {

std::string reason(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] | 0x20);
  return text;
}

bool is_terminal(int descriptor) {
  const char* kind = std::getenv("TERM");
  const bool dumb = kind == nullptr || std::string_view(kind) == "dumb";
  return ::isatty(descriptor) == 1 && !dumb;
}

bool needs_quotes(const std::string& word) {
  return word.empty() || word.find_first_not_of(
                             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789-_=+./:,@%") != std::string::npos;
}

}  // namespace

void write_out(std::string_view text) {
  const int error = base::write_all(STDOUT_FILENO, text);
  if (error == EPIPE) throw ClosedPipe{};
  if (error != 0) {
    throw Error(ErrorKind::file, "standard output: cannot be written", {.got = reason(error)});
  }
}

void say(std::string_view line) {
  static_cast<void>(base::write_all(STDERR_FILENO, std::string(line) + "\n"));
}

void complain(const Error& error) {
  // A refusal of a command's own words names the command already.
  const std::string text = error.what();
  say((text.starts_with("unroll ") || text.starts_with("unroll: ") ? "" : "unroll: ") + text);
}

bool error_is_terminal() { return is_terminal(STDERR_FILENO); }
bool output_is_terminal() { return is_terminal(STDOUT_FILENO); }
bool input_is_terminal() { return ::isatty(STDIN_FILENO) == 1; }

int terminal_columns() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20;
  return known ? size.ws_col : 80;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  // Blanks at the beginning stay; the first word stands behind them however long it is.
  const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  std::string result(first, ' ');
  std::size_t column = first;
  text.remove_prefix(first);
  bool begun = false;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    const std::size_t size = characters(word);
    if (begun && column + 1 + size > width) {
      result.erase(result.find_last_not_of(' ') + 1);
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (begun) {
      result += ' ';
      ++column;
    }
    begun = true;
    result += word;
    column += size;
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  }
  return result;
}

std::string grouped(long long value) {
  std::string digits = std::to_string(value);
  const std::size_t sign = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) digits.insert(at -= 3, ",");
  return digits;
}

void check_writable(const std::string& path) {
  const auto refuse = [&](int error, const char* hint) {
    throw Error(ErrorKind::file, path + ": cannot be written",
                {.got = reason(error), .hint = hint});
  };
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) refuse(EISDIR, "");
    if (::access(path.c_str(), W_OK) != 0) refuse(errno, "");
    // A device takes what it is given; only a file is replaced through its folder.
    if (!S_ISREG(status.st_mode)) return;
  } else if (errno != ENOENT) {
    refuse(errno, errno == ENOTDIR ? "make its folder first" : "");
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string place = folder.empty() ? "." : folder.string();
  if (::access(place.c_str(), W_OK | X_OK) != 0) {
    refuse(errno, errno == ENOENT ? "make its folder first" : "");
  }
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!needs_quotes(word)) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

}  // namespace unroll::apps
