#include "src/base/memory.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include "unroll/error.h"

namespace unroll::base {

namespace {

constexpr Index unlimited = std::numeric_limits<Index>::max();

/// The number that follows a name in a file of lines; -1: none.
Index number_after(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    Index value = -1;
    if (word == name && file >> value) return value;
  }
  return -1;
}

/// The number that a file holds; -1 where there is none ("max", no such file).
Index number_in(const char* path) {
  std::ifstream file(path);
  Index value = -1;
  return file >> value ? value : -1;
}

Index machine_memory() {
  const Index kilobytes = number_after("/proc/meminfo", "MemAvailable:");
  return kilobytes < 0 ? unlimited : kilobytes * 1024;
}

/// What a limit leaves. Pages of files that nobody has looked at lately will make room.
Index left(Index limit, Index used, Index cached) {
  if (limit < 0 || used < 0) return unlimited;
  return std::max<Index>(limit - used + std::max<Index>(cached, 0), 0);
}

Index cgroup_memory() {
  return std::min(
      left(number_in("/sys/fs/cgroup/memory.max"), number_in("/sys/fs/cgroup/memory.current"),
           number_after("/sys/fs/cgroup/memory.stat", "inactive_file")),
      left(number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
           number_in("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
           number_after("/sys/fs/cgroup/memory/memory.stat", "total_inactive_file")));
}

}  // namespace

Index available_memory() {
  const char* text = std::getenv("UNROLL_MEMORY");
  if (text == nullptr || *text == '\0') return std::min(machine_memory(), cgroup_memory());
  Index bytes = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, bytes);
  if (error == std::errc() && stop == end && bytes > 0) return bytes;
  throw Error(ErrorKind::value, "UNROLL_MEMORY is not a number of bytes",
              {.got = std::string("\"") + text + "\"", .want = "for example 2000000000"});
}

}  // namespace unroll::base
