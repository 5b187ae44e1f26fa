#include "src/base/process.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "unroll/error.h"

namespace unroll::base {

namespace {

std::string words_of(int error) { return std::generic_category().message(error); }

/// A file without a name in memory. In place of pipes: nobody waits for a reader, and a program
/// that dies early cannot kill the caller by a broken pipe.
class MemoryFile {
 public:
  MemoryFile() : number_(::memfd_create("unroll", MFD_CLOEXEC)) {
    if (number_ < 0) throw std::system_error(errno, std::generic_category());
  }
  ~MemoryFile() { ::close(number_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int number() const { return number_; }

  void write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(number_, text.data(), text.size());
      if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category());
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
      if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category());
      if (count == 0) return text;
      if (count > 0) text.append(block, static_cast<std::size_t>(count));
    }
  }

 private:
  int number_;
};

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

std::vector<char*> environment(std::string_view without) {
  static char locale[] = "LC_ALL=C.UTF-8";
  std::vector<char*> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool dropped = !without.empty() && text.starts_with(without);
    if (!text.starts_with("LC_ALL=") && !dropped) result.push_back(*entry);
  }
  result.push_back(locale);
  result.push_back(nullptr);
  return result;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category());
  }
  return status;
}

/// The last line that says something: programs show the place of an error before its cause.
std::string last_line(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

std::optional<std::string> run(const std::vector<std::string>& command, std::string_view input,
                               std::string_view without, std::string& failure) {
  const MemoryFile in, out, err;
  in.write(input);
  SpawnActions actions;
  actions.redirect(STDIN_FILENO, in);
  actions.redirect(STDOUT_FILENO, out);
  actions.redirect(STDERR_FILENO, err);
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, arguments[0], actions.get(), nullptr, arguments.data(),
                                   environment(without).data());
  if (error == ENOENT || error == ENOTDIR) return std::nullopt;
  if (error != 0) throw std::system_error(error, std::generic_category());
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) {
    failure = "ended by signal " + std::to_string(WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 0) {
    failure = last_line(err.read());
    if (failure.empty()) failure = "exit status " + std::to_string(WEXITSTATUS(status));
  }
  return out.read();
}

}  // namespace

std::optional<std::string> run_process(const std::vector<std::string>& command,
                                       std::string_view input, std::string_view without) {
  std::string failure;
  std::optional<std::string> output;
  try {
    output = run(command, input, without, failure);
  } catch (const std::system_error& error) {
    failure = words_of(error.code().value());
  }
  if (failure.empty()) return output;
  throw Error(ErrorKind::unsupported, command[0] + " failed", {.got = failure});
}

}  // namespace unroll::base
