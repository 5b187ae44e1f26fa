#include "src/plot/gnuplot.h"

#include <optional>

#include "src/base/process.h"
#include "unroll/error.h"

namespace unroll::plot {

std::string run_gnuplot(const std::string& script) {
  // Its own variables would change where it draws, and -d leaves out its start-up files.
  std::optional<std::string> picture = base::run_process({"gnuplot", "-d"}, script, "GNU");
  if (picture) return *std::move(picture);
  throw Error(ErrorKind::unsupported, "a picture needs gnuplot, which is not installed",
              {.hint = "apt-get install gnuplot-nox fonts-dejavu-core"});
}

}  // namespace unroll::plot
