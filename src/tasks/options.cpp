#include "src/tasks/options.h"

#include <algorithm>

#include "src/tasks/words.h"
#include "unroll/error.h"

namespace unroll::tasks {

void check_count(const char* who, const char* name, Index value, Index least, Index most) {
  if (value >= least && value <= most) return;
  throw Error(ErrorKind::value, std::string(who) + ": " + name + " is out of range",
              {.got = std::to_string(value),
               .want = "a whole number from " + std::to_string(least) + " to " + grouped(most)});
}

void check_number(const char* who, const char* name, double value, bool inside, const char* want) {
  if (inside) return;
  throw Error(ErrorKind::value, std::string(who) + ": " + name + " is out of range",
              {.got = spelt(value), .want = want});
}

void check_choice(const char* who, const char* name, const std::string& value,
                  const std::vector<std::string>& choices) {
  if (std::ranges::find(choices, value) != choices.end()) return;
  std::string list;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + choices[i];
  }
  throw Error(ErrorKind::value, std::string(who) + ": no such " + name,
              {.got = "\"" + value + "\"", .want = list});
}

void check_ids(const char* who, std::span<const std::int32_t> ids, Index vocabulary) {
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < vocabulary) continue;
    throw Error(ErrorKind::value, std::string(who) + ": an id that is not in the vocabulary",
                {.got = std::to_string(id), .want = "0 to " + std::to_string(vocabulary - 1)});
  }
}

}  // namespace unroll::tasks
