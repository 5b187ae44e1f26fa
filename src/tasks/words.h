// How tasks spell numbers.
#pragma once

#include <string>

#include "unroll/index.h"

namespace unroll::tasks {

/// "9,000".
std::string grouped(Index value);
/// "1 row", "9,000 rows".
std::string counted(Index count, const std::string& noun);
/// The shortest spelling that reads back as the same number.
std::string spelt(double value);

}  // namespace unroll::tasks
