#include "src/plot/gnuplot.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include "unroll/error.h"

namespace unroll::plot {

namespace {

Error failed(const std::string& why) {
  return Error(ErrorKind::unsupported, "gnuplot failed", {.got = why});
}

/// A file without a name in memory. In place of pipes: nobody waits for a reader, and a gnuplot
/// that dies early cannot kill the caller by a broken pipe.
class MemoryFile {
 public:
  MemoryFile() : number_(::memfd_create("unroll-plot", MFD_CLOEXEC)) {
    if (number_ < 0) throw failed(std::generic_category().message(errno));
  }
  ~MemoryFile() { ::close(number_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int number() const { return number_; }

  void write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(number_, text.data(), text.size());
      if (count < 0 && errno != EINTR) throw failed(std::generic_category().message(errno));
      if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    }
    ::lseek(number_, 0, SEEK_SET);
  }

  std::string read() const {
    std::string text;
    char block[65536];
    ::lseek(number_, 0, SEEK_SET);
    for (;;) {
      const ssize_t count = ::read(number_, block, sizeof(block));
      if (count < 0 && errno != EINTR) throw failed(std::generic_category().message(errno));
      if (count == 0) return text;
      if (count > 0) text.append(block, static_cast<std::size_t>(count));
    }
  }

 private:
  int number_;
};

/// The caller's environment, but for what would change how gnuplot writes numbers or where it
/// draws.
std::vector<char*> environment() {
  static char locale[] = "LC_ALL=C.UTF-8";
  std::vector<char*> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("LC_ALL=") && !text.starts_with("GNU")) result.push_back(*entry);
  }
  result.push_back(locale);
  result.push_back(nullptr);
  return result;
}

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void redirect(int standard, const MemoryFile& file) {
    ::posix_spawn_file_actions_adddup2(&actions_, file.number(), standard);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw failed(std::generic_category().message(errno));
  }
  return status;
}

/// The last line that says something: gnuplot shows the place of an error before its cause.
std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

std::string run_gnuplot(const std::string& script) {
  const MemoryFile in, out, err;
  in.write(script);
  SpawnActions actions;
  actions.redirect(STDIN_FILENO, in);
  actions.redirect(STDOUT_FILENO, out);
  actions.redirect(STDERR_FILENO, err);
  char name[] = "gnuplot", no_startup_files[] = "-d";
  char* const arguments[] = {name, no_startup_files, nullptr};
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, name, actions.get(), nullptr, arguments, environment().data());
  if (error == ENOENT || error == ENOTDIR) {
    throw Error(ErrorKind::unsupported, "a picture needs gnuplot, which is not installed",
                {.hint = "apt-get install gnuplot-nox fonts-dejavu-core"});
  }
  if (error != 0) throw failed(std::generic_category().message(error));
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) throw failed("ended by signal " + std::to_string(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) throw failed(last_line(err.read()));
  return out.read();
}

}  // namespace unroll::plot
