// The embedded Reber grammar, as a graph whose arrows carry symbols.
#include <algorithm>
#include <array>

#include "src/base/random.h"
#include "unroll/error.h"
#include "unroll/problems.h"

namespace unroll {

namespace {

struct Arrow {
  char symbol;
  int to;
};

/// Reber's grammar, by node; an arrow to -1 ends a string.
constexpr std::array<std::array<Arrow, 2>, 7> inner{{{{{'B', 1}, {'B', 1}}},
                                                     {{{'T', 2}, {'P', 3}}},
                                                     {{{'S', 2}, {'X', 4}}},
                                                     {{{'T', 3}, {'V', 5}}},
                                                     {{{'X', 3}, {'S', 6}}},
                                                     {{{'P', 4}, {'V', 6}}},
                                                     {{{'E', -1}, {'E', -1}}}}};

/// A walk through the embedded grammar, a symbol at a time.
class Walk {
 public:
  /// What may come: one symbol or two.
  std::string next() const {
    switch (place_) {
      case Place::begin:
        return "B";
      case Place::branch:
        return "PT";
      case Place::inside: {
        const auto& arrows = inner[static_cast<std::size_t>(node_)];
        std::string symbols{std::min(arrows[0].symbol, arrows[1].symbol)};
        if (arrows[0].symbol != arrows[1].symbol) {
          symbols += std::max(arrows[0].symbol, arrows[1].symbol);
        }
        return symbols;
      }
      case Place::again:
        return {branch_};
      case Place::end:
        return "E";
      default:
        return "";
    }
  }

  /// False for a symbol that may not come.
  bool take(char symbol) {
    if (next().find(symbol) == std::string::npos) return false;
    if (place_ == Place::branch) branch_ = symbol;
    if (place_ == Place::inside) {
      const auto& arrows = inner[static_cast<std::size_t>(node_)];
      node_ = arrows[0].symbol == symbol ? arrows[0].to : arrows[1].to;
      if (node_ >= 0) return true;
    }
    place_ = static_cast<Place>(static_cast<int>(place_) + 1);
    return true;
  }

 private:
  enum class Place { begin, branch, inside, again, end, done };
  Place place_ = Place::begin;
  int node_ = 0;
  char branch_ = 0;
};

}  // namespace

std::vector<std::string> reber_strings(Index count, std::uint64_t seed) {
  if (count < 0) {
    throw Error(ErrorKind::value, "reber_strings: no such count",
                {.got = std::to_string(count), .want = "0 or more"});
  }
  std::vector<std::string> strings;
  for (Index i = 0; i < count; ++i) {
    const base::Random random(seed, static_cast<std::uint64_t>(i));
    std::string text;
    Walk walk;
    for (std::string may = walk.next(); !may.empty(); may = walk.next()) {
      text +=
          may[static_cast<std::size_t>(random.below(static_cast<Index>(may.size()), text.size()))];
      walk.take(text.back());
    }
    strings.push_back(text);
  }
  return strings;
}

std::string legal_after(std::string_view beginning) {
  Walk walk;
  for (std::size_t i = 0; i < beginning.size(); ++i) {
    if (walk.take(beginning[i])) continue;
    throw Error(ErrorKind::value, "legal_after: the grammar has no such beginning",
                {.got = "\"" + std::string(beginning.substr(0, i + 1)) + "\"",
                 .want = walk.next().empty() ? "nothing more" : "one of " + walk.next()});
  }
  return walk.next();
}

}  // namespace unroll
