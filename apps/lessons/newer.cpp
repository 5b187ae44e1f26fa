// The newer recurrences beside a GRU: what they cost, and what they remember. Source of the task:
// Hochreiter, Schmidhuber, 1997; of the cells, see unroll/newer_cells.h.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "apps/lesson.h"
#include "unroll/layers.h"
#include "unroll/newer_cells.h"
#include "unroll/plot.h"
#include "unroll/problems.h"
#include "unroll/readout.h"
#include "unroll/schedules.h"
#include "unroll/stream.h"

namespace unroll::apps {

namespace {

constexpr Index units = 32, reservoir = 300, steps = 100;
constexpr Index train_rows = 4000, test_rows = 1000, batch = 50, epochs = 12;

constexpr std::array cells{"GRU", "MinGRU", "MinLSTM", "LRU", "QRNN", "SRU", "IndRNN", "ESN"};

Layer layer_of(const std::string& name) {
  if (name == "GRU") return GRU(units);
  if (name == "MinGRU") return MinGRU(units);
  if (name == "MinLSTM") return MinLSTM(units);
  // For long sequences the paper begins with slow eigenvalues of small angles.
  if (name == "LRU") return LRU(units, {.r_min = 0.9, .r_max = 0.999, .max_phase = 0.314});
  if (name == "QRNN") return QRNN(units);
  if (name == "SRU") return SRU(units);
  if (name == "IndRNN") {
    return IndRNN(units, {.recurrent_constraint = max_norm(std::pow(2.0, 1.0 / steps))});
  }
  return ESN(reservoir, {.leaky = 0.3, .spectral_radius = 0.99});
}

struct Reached {
  Index parameters = 0, trained = 0;
  double milliseconds = 0, nanoseconds = 0;  ///< of a training step; of one step at a time
  double error = 0;
  std::vector<double> errors = {};  ///< by epoch
};

/// One step of one sequence with carried states.
double one_step(const Model& model) {
  const PackedModel packed(model);
  Session session(packed);
  const float features[] = {0.5F, 0};
  constexpr int count = 2000;
  double best = INFINITY;
  for (int round = 0; round < 5; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) session.step(features);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
    best = std::min(best, took.count() / count);
  }
  return best;
}

/// Gradient descent through all steps.
Reached trained(const LessonRun& run, const std::string& cell, const Problem& train,
                const Problem& test) {
  // The layer in front lets a linear recurrence see marked numbers apart from the others.
  Sequential model{InputLayer({.shape = {unknown, 2}}), Dense(units, {.activation = "relu"}),
                   layer_of(cell), Dense(1)};
  model.compile(
      {.optimizer = Adam{.learning_rate = CosineDecay{.initial_learning_rate = 1e-2,
                                                      .decay_steps = epochs * train_rows / batch},
                         .global_clipnorm = 1.0},
       .loss = "mse",
       .seed = run.seed,
       .threads = run.threads});
  const History history = model.fit(train.x, train.y,
                                    {.batch_size = batch,
                                     .epochs = epochs,
                                     .validation_data = Validation{test.x, test.y},
                                     .interrupted = run.interrupted});
  if (run.interrupted()) return {};
  Reached result{.parameters = model.count_params(), .trained = model.count_trainable()};
  result.errors = history["val_loss"];
  result.error = result.errors.back();
  result.milliseconds =
      1000 * history.seconds / static_cast<double>(history.steps_per_epoch * epochs);
  result.nanoseconds = one_step(model);
  return result;
}

/// A reservoir as it is, and a readout in closed form.
Reached read_out(const LessonRun& run, const Problem& train, const Problem& test) {
  Sequential model{InputLayer({.shape = {unknown, 2}}), layer_of("ESN"), Dense(1)};
  model.compile({.loss = "mse", .seed = run.seed, .threads = run.threads});
  fit_readout(model, train.x, train.y, {.batch_size = 200});
  Reached result{.parameters = model.count_params(), .trained = reservoir + 1};
  result.error = model.evaluate(test.x, test.y)[0].second;
  result.nanoseconds = one_step(model);
  return result;
}

}  // namespace

LessonResult newer_lesson(const LessonRun& run) {
  const Problem train = adding_problem(train_rows, steps, run.seed),
                test = adding_problem(test_rows, steps, run.seed + 1'000'000);
  LessonTable table{{"cell", "parameters", "trained", "ms a training step", "us one step", "error"},
                    {}};
  PlotOptions plot{.title = fmt::format("The adding problem over {} steps", steps),
                   .x_label = "epoch",
                   .y_label = "mean squared error",
                   .command = run.command,
                   .log_y = true};
  Reached gru, min_gru, reservoir_only;
  for (const std::string cell : cells) {
    run.note(fmt::format("{} on {} steps", cell, steps));
    const bool drawn = cell == "ESN";
    const Reached r = drawn ? read_out(run, train, test) : trained(run, cell, train, test);
    if (run.interrupted()) return {};
    table.rows.push_back({cell, std::to_string(r.parameters), std::to_string(r.trained),
                          drawn ? "closed form" : fmt::format("{:.2f}", r.milliseconds),
                          fmt::format("{:.2f}", r.nanoseconds / 1000),
                          fmt::format("{:.5f}", r.error)});
    if (cell == "GRU") gru = r;
    if (cell == "MinGRU") min_gru = r;
    if (drawn) {
      reservoir_only = r;
      continue;
    }
    Tensor line({static_cast<Index>(r.errors.size())});
    std::ranges::transform(r.errors, line.floats(), [](double e) { return static_cast<float>(e); });
    plot.lines.push_back({cell, line, 1});
  }
  LessonResult result;
  result.tables.push_back(table);
  result.seen = fmt::format(
      "Of {} numbers two are marked; always to say 1 is wrong by 0.167. A minGRU decides by its "
      "input alone what to keep: it has {} weights where the model with a GRU has {}, and a "
      "training step takes {:.2f} ms instead of {:.2f}, as all products are taken for the whole "
      "sequence at once; the GRU ends at {:.5f}, the minGRU at {:.5f}. The echo state network "
      "trains {} weights in closed form and none of its reservoir, which has forgotten most of the "
      "first number by the end: {:.3f}.",
      steps, min_gru.parameters, gru.parameters, min_gru.milliseconds, gru.milliseconds, gru.error,
      min_gru.error, reservoir_only.trained, reservoir_only.error);
  result.picture = [plot](const std::string& path) { Plot(plot).save(path); };
  return result;
}

}  // namespace unroll::apps
