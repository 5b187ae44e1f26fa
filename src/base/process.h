// Other programs as processes: text in, text out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::base {

/// Runs a program of the PATH on an input and returns what it writes to its standard output; none
/// where there is no such program. No shell is involved. The program has the caller's environment,
/// with LC_ALL set to C.UTF-8 and without the variables whose names begin with `without`.
/// Throws: Error (unsupported), "dot failed", with its last words where it fails or is killed.
/// Threads: safe from many at once.
std::optional<std::string> run_process(const std::vector<std::string>& command,
                                       std::string_view input, std::string_view without = {});

}  // namespace unroll::base
