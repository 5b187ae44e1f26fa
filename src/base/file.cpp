#include "src/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "unroll/error.h"

namespace unroll::base {

namespace {

std::string reason(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] | 0x20);
  return text;
}

Error cannot_read(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) return Error(ErrorKind::file, path + ": no such file");
  return Error(ErrorKind::file, path + ": cannot be read", {.got = reason(error)});
}

Error cannot_write(const std::string& path, int error) {
  const bool no_folder = error == ENOENT || error == ENOTDIR;
  return Error(ErrorKind::file, path + ": cannot be written",
               {.got = reason(error), .hint = no_folder ? "make its folder first" : ""});
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  /// What close says counts: some file systems report a full disk only there.
  bool close() { return ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

void write_into(const std::string& path, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) throw cannot_write(path, errno);
  const int error = write_all(file.number(), bytes);
  if (error != 0) throw cannot_write(path, error);
  if (!file.close()) throw cannot_write(path, errno);
}

/// Writes and syncs a file that is not there yet; 0, or why it could not.
int write_new(const std::string& path, std::string_view bytes, mode_t mode) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file) return errno;
  int error = write_all(file.number(), bytes);
  if (error == 0 && ::fsync(file.number()) != 0) error = errno;
  if (!file.close() && error == 0) error = errno;
  if (error != 0) ::unlink(path.c_str());
  return error;
}

/// A rename is on the disk only when its folder is. Folders of some file systems cannot be synced:
/// the file itself is safe then all the same.
void sync_folder(const std::filesystem::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened) static_cast<void>(::fsync(opened.number()));
}

void replace(const std::string& path, std::string_view bytes, mode_t mode, bool keep_mode) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path end = fs::weakly_canonical(path, ignored);
  const fs::path target = end.empty() ? fs::path(path) : end;
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::string beside;
  int error = EEXIST;
  for (int attempt = 0; error == EEXIST && attempt < 100; ++attempt) {
    beside = (folder / ("." + target.filename().string() + "." + std::to_string(::getpid()) + "-" +
                        std::to_string(attempt)))
                 .string();
    error = write_new(beside, bytes, mode);
  }
  if (error != 0) throw cannot_write(path, error);
  if (keep_mode) static_cast<void>(::chmod(beside.c_str(), mode));
  if (::rename(beside.c_str(), target.c_str()) != 0) {
    error = errno;
    ::unlink(beside.c_str());
    throw cannot_write(path, error);
  }
  sync_folder(folder);
}

}  // namespace

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

std::string read_file(const std::string& path, Index most) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw cannot_read(path, errno);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) throw cannot_read(path, errno);
  if (S_ISDIR(status.st_mode)) throw Error(ErrorKind::file, path + ": a folder, not a file");
  std::string bytes;
  const auto refuse_beyond = [&](Index size) {
    if (size <= most) return;
    throw Error(ErrorKind::format, path + ": too large",
                {.got = std::to_string(size) + " bytes or more",
                 .want = "at most " + std::to_string(most)});
  };
  refuse_beyond(status.st_size);
  // One byte more than the file has: the last read then finds its end without another round.
  std::size_t want = std::max<std::size_t>(static_cast<std::size_t>(status.st_size) + 1, 1 << 16);
  for (;;) {
    const std::size_t size = bytes.size();
    bytes.resize(size + want);
    const ssize_t count = ::read(file.number(), bytes.data() + size, want);
    bytes.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw cannot_read(path, errno);
    if (count == 0) return bytes;
    refuse_beyond(static_cast<Index>(bytes.size()));
    want = std::max<std::size_t>(want - static_cast<std::size_t>(count), 1 << 16);
  }
}

void write_file(const std::string& path, std::string_view bytes) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) throw cannot_write(path, errno);
    return replace(path, bytes, 0666, false);
  }
  if (S_ISDIR(status.st_mode)) throw cannot_write(path, EISDIR);
  if (!S_ISREG(status.st_mode)) return write_into(path, bytes);
  // Renaming asks the folder only: a file that must not be written would be replaced all the same.
  if (::access(path.c_str(), W_OK) != 0) throw cannot_write(path, errno);
  replace(path, bytes, status.st_mode & 0777, true);
}

}  // namespace unroll::base
