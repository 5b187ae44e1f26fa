// unroll --version.
#include "unroll/version.h"

#include <fmt/format.h>

#include "apps/commands.h"
#include "src/kernels/vector.h"

namespace unroll::apps {

std::string version_text() {
  std::string text =
      fmt::format("unroll {}\ncompiler      {}\nsimd          {} (built: {})\n", version(),
                  compiler(), kernels::simd_target(), kernels::simd_targets_built());
  for (const OptionalPart& part : optional_parts()) {
    text += fmt::format("{:<13} {}: {}\n", part.name, part.built_in ? "built in" : "left out",
                        part.purpose);
  }
  return text;
}

}  // namespace unroll::apps
