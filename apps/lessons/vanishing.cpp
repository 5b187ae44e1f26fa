// How long a gradient is when it has gone back through time.
#include <fmt/format.h>

#include <cmath>

#include "apps/lesson.h"
#include "unroll/callbacks.h"
#include "unroll/initializers.h"
#include "unroll/layers.h"
#include "unroll/plot.h"
#include "unroll/recurrent.h"
#include "unroll/unrolled.h"

namespace unroll::apps {

namespace {

constexpr Index steps = 50, units = 32, features = 4, rows = 32;

struct Data2 {
  Tensor x, y;
};

Data2 noise(const LessonRun& run) {
  const Draws draws(run.seed);
  Data2 data{Tensor({rows, steps, features}), Tensor({rows, 1})};
  for (Index i = 0; i < data.x.elements(); ++i) data.x.floats()[i] = draws.number(i);
  for (Index i = 0; i < rows; ++i) data.y.floats()[i] = draws.sign(data.x.elements() + i);
  return data;
}

struct Start {
  const char* name;
  Initializer recurrent;
};

const std::vector<Start>& starts() {
  static const std::vector<Start> all{{"orthogonal", orthogonal(1.0)},
                                      {"small", random_normal(0.0, 0.05)},
                                      {"large", orthogonal(1.6)}};
  return all;
}

struct Kind {
  const char* name;
  Layer (*make)(const Initializer&);
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"SimpleRNN tanh",
       [](const Initializer& r) -> Layer {
         return SimpleRNN(units, {.recurrent_initializer = r});
       }},
      {"SimpleRNN relu",
       [](const Initializer& r) -> Layer {
         return SimpleRNN(units, {.activation = "relu", .recurrent_initializer = r});
       }},
      {"GRU",
       [](const Initializer& r) -> Layer { return GRU(units, {.recurrent_initializer = r}); }},
      {"LSTM",
       [](const Initializer& r) -> Layer { return LSTM(units, {.recurrent_initializer = r}); }}};
  return all;
}

Sequential network(const Layer& recurrent) {
  return Sequential{InputLayer({.shape = {steps, features}}), recurrent, Dense(1)};
}

/// 30 steps of plain gradient descent; the loss at the end.
double descended(const LessonRun& run, const Data2& data, std::optional<double> clipnorm) {
  Sequential model = network(kinds()[1].make(orthogonal(1.6)));
  SGD descent{.learning_rate = 0.01};
  if (clipnorm) descent.global_clipnorm = clipnorm;
  model.compile({.optimizer = descent, .loss = "mse", .seed = run.seed, .threads = run.threads});
  return model.fit(data.x, data.y, {.epochs = 30, .shuffle = false})["loss"].back();
}

std::string scientific(double value) {
  return std::isfinite(value) ? fmt::format("{:.1e}", value) : "overflow";
}

}  // namespace

LessonResult vanishing_lesson(const LessonRun& run) {
  const Data2 data = noise(run);
  LessonTable table{{"cell", "first weights", "1 step back", "10", "25", "49"}, {}};
  PlotOptions plot{.title = "What is left of the gradient",
                   .x_label = "steps back in time",
                   .y_label = "|dL/dh(t)| / |dL/dh(T)|",
                   .command = run.command,
                   .log_y = true};
  double vanilla = 0, gated = 0, exploded = 0;
  for (const Kind& kind : kinds()) {
    for (const Start& start : starts()) {
      if (run.interrupted()) return {};
      Sequential model = network(kind.make(start.recurrent));
      model.compile({.loss = "mse", .seed = run.seed, .threads = run.threads});
      const std::vector<double> norms = gradients_by_step(model, data.x, data.y)[0].norms;
      const auto left = [&](Index distance) {
        return norms[static_cast<std::size_t>(steps - 1 - distance)] / norms.back();
      };
      table.rows.push_back({kind.name, start.name, scientific(left(1)), scientific(left(10)),
                            scientific(left(25)), scientific(left(49))});
      Tensor line({steps});
      for (Index d = 0; d < steps; ++d) line.floats()[d] = static_cast<float>(left(d));
      plot.lines.push_back({fmt::format("{}, {}", kind.name, start.name), line});
      const std::string cell = kind.name, first = start.name;
      if (cell == "SimpleRNN tanh" && first == "small") vanilla = left(49);
      if (cell == "LSTM" && first == "small") gated = left(49);
      if (cell == "SimpleRNN relu" && first == "large") exploded = left(49);
    }
  }
  run.note("30 steps of gradient descent, with large first weights");
  const double wild = descended(run, data, {}), clipped = descended(run, data, 1.0);
  LessonTable descent{{"SimpleRNN relu, large", "loss after 30 steps of SGD"}, {}};
  descent.rows.push_back({"as it is", scientific(wild)});
  descent.rows.push_back({"global_clipnorm = 1", scientific(clipped)});
  LessonResult result;
  result.tables = {table, descent};
  result.seen = fmt::format(
      "A gradient that goes back 49 steps has been multiplied by the recurrent weights 49 times. "
      "With small weights {} of it is left in a SimpleRNN and {} in an LSTM, whose forget gate "
      "carries it; with large ones and relu it has grown to {}. Orthogonal weights keep its length "
      "where the activation lets it; clipping cuts what has grown: without it {}, with it {}.",
      scientific(vanilla), scientific(gated), scientific(exploded),
      std::isfinite(wild) ? "the loss ends at " + scientific(wild) : "the loss overflows",
      scientific(clipped));
  result.picture = [plot](const std::string& path) { Plot(plot).save(path); };
  return result;
}

}  // namespace unroll::apps
