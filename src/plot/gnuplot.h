// gnuplot as a process: a script in, a picture out.
#pragma once

#include <string>

namespace unroll::plot {

/// Runs gnuplot on a script and returns what it writes to its standard output. gnuplot reads no
/// start-up files; no shell is involved.
/// Throws: Error (unsupported) where gnuplot is missing or fails.
/// Threads: safe from many at once.
std::string run_gnuplot(const std::string& script);

}  // namespace unroll::plot
