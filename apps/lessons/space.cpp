// A network of areas unrolled in space: every area at every pass is a node, and connections that
// share weights carry one mark.
#include <fmt/format.h>

#include <cmath>

#include "apps/lesson.h"
#include "unroll/areas.h"
#include "unroll/plot_model.h"

namespace unroll::apps {

namespace {

constexpr Index passes = 4, features = 6;

double worst_difference(const Tensor& a, const Tensor& b) {
  double worst = 0;
  for (Index i = 0; i < a.elements(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a.floats()[i] - b.floats()[i])));
  }
  return worst;
}

}  // namespace

LessonResult space_lesson(const LessonRun& run) {
  const Areas areas({.input = {features},
                     .areas = {{"V1", 8}, {"V2", 6}, {"IT", 4}},
                     .links = {{"V1", "IT"}, {"IT", "V1"}},
                     .outputs = 3});
  const Draws draws(run.seed);
  Tensor x({16, features});
  for (Index i = 0; i < x.elements(); ++i) x.floats()[i] = draws.number(i);
  Model deep = areas.model(passes), every = areas.model_of_every_pass(passes);
  deep.compile({.seed = run.seed, .threads = run.threads});
  const double differs = worst_difference(deep.predict(x)[0], every.predict(x).back());
  LessonTable table{{"mark", "from", "to", "kind", "drawn", "weights"}, {}};
  Index drawn = 0, marks = 0;
  for (const AreasConnection& one : areas.connections(passes)) {
    table.rows.push_back({std::to_string(one.mark), one.from, one.to, one.kind,
                          std::to_string(one.drawn), std::to_string(one.weights)});
    drawn += one.drawn;
    ++marks;
  }
  LessonResult result;
  result.tables = {table};
  result.seen = fmt::format(
      "Over {} passes {} connections become {} arrows between areas at one pass and the next: as "
      "many layers of a feed-forward network, with {} sets of weights. It has {} numbers to learn, "
      "whatever the passes; read after the last pass, or after each, it says the same (different "
      "by {:.0e}). --plot draws it: one mark and one colour, one set of weights.",
      passes, marks, drawn, marks, deep.count_params(), differs);
  result.picture = [areas](const std::string& path) { save_dot(areas.to_dot(passes), path); };
  return result;
}

}  // namespace unroll::apps
