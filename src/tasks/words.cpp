#include "src/tasks/words.h"

#include <fmt/format.h>

namespace unroll::tasks {

std::string grouped(Index value) {
  std::string digits = std::to_string(value);
  const std::size_t sign = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string counted(Index count, const std::string& noun) {
  return grouped(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string spelt(double value) { return fmt::format("{}", value); }

}  // namespace unroll::tasks
