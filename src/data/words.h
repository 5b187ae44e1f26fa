// How refusals spell what they found.
#pragma once

#include <string>
#include <string_view>

namespace unroll::data {

/// In quotes, cut after about 60 bytes, control characters spelt \n, \t, \x07.
std::string quoted(std::string_view text);

/// The shortest spelling that reads back as the same number: "0.7", "1e+30".
std::string spelt(double value);

/// "3 fields", "1 field".
std::string counted(long long count, std::string_view noun);

}  // namespace unroll::data
