#include "src/data/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <new>
#include <system_error>

namespace unroll::data {

namespace {

constexpr std::size_t block = std::size_t{1} << 20;

/// A file descriptor that closes itself, but for standard input.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ > STDIN_FILENO) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

Error cannot_read(const std::string& name, int error) {
  if (error == ENOENT || error == ENOTDIR) return Error(ErrorKind::file, name + ": no such file");
  std::string why = std::generic_category().message(error);
  if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z') why[0] = static_cast<char>(why[0] | 0x20);
  return Error(ErrorKind::file, name + ": cannot be read", {.got = why});
}

Bytes read_all(int descriptor, const std::string& name, Index max_bytes) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) throw cannot_read(name, errno);
  if (S_ISDIR(status.st_mode)) {
    throw Error(ErrorKind::file, name + ": a directory, not a file");
  }
  Bytes bytes;
  // One byte more than the file has: the last read then finds its end without growing the buffer.
  std::size_t want = block;
  if (S_ISREG(status.st_mode) && status.st_size > 0) {
    if (status.st_size > max_bytes) throw too_large(name, max_bytes);
    want = static_cast<std::size_t>(status.st_size) + 1;
  }
  for (;;) {
    char* const room = bytes.reserve(want);
    const ssize_t count = ::read(descriptor, room, want);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw cannot_read(name, errno);
    if (count == 0) return bytes;
    bytes.added(static_cast<std::size_t>(count));
    if (static_cast<Index>(bytes.size()) > max_bytes) throw too_large(name, max_bytes);
    want = want > static_cast<std::size_t>(count) ? want - static_cast<std::size_t>(count) : block;
  }
}

}  // namespace

char* Bytes::reserve(std::size_t more) {
  if (more > capacity_ - size_) {
    const std::size_t capacity = std::max(size_ + more, capacity_ + capacity_ / 2);
    auto* grown = static_cast<char*>(std::realloc(data_.get(), capacity));
    if (grown == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(grown);
    capacity_ = capacity;
  }
  return data_.get() + size_;
}

void Bytes::append(std::string_view text) {
  std::ranges::copy(text, reserve(text.size()));
  added(text.size());
}

bool is_url(std::string_view source) {
  auto starts = [&](std::string_view scheme) {
    return source.size() > scheme.size() &&
           std::ranges::equal(source.substr(0, scheme.size()), scheme, [](char a, char b) {
             return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b;
           });
  };
  return starts("http://") || starts("https://");
}

std::string source_name(std::string_view source) {
  if (source == "-") return "standard input";
  std::string name(source);
  if (!is_url(source)) return name;
  const auto host = name.find("//") + 2;
  const auto end = std::min(name.find_first_of("/?#", host), name.size());
  const auto at = name.substr(0, end).rfind('@');
  if (at != std::string::npos && at >= host) name.erase(host, at + 1 - host);
  return name;
}

Error too_large(const std::string& name, Index max_bytes) {
  return Error(ErrorKind::format, name + ": too large",
               {.got = "more than " + std::to_string(max_bytes) + " bytes",
                .want = "at most that many (max_bytes)"});
}

Bytes read_source(std::string_view source, const CsvOptions& options) {
  const std::string name = source_name(source);
  if (is_url(source)) return fetch(source, options);
  if (source == "-") return read_all(STDIN_FILENO, name, options.max_bytes);
  if (source.find('\0') != std::string_view::npos) throw cannot_read(name, ENOENT);
  const Descriptor file(::open(std::string(source).c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) throw cannot_read(name, errno);
  return read_all(file.number(), name, options.max_bytes);
}

}  // namespace unroll::data
