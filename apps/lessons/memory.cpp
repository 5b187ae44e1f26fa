// How far back SimpleRNN, GRU and LSTM remember, on three problems of the literature, and what they
// cost.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "apps/lesson.h"
#include "unroll/callbacks.h"
#include "unroll/layers.h"
#include "unroll/plot.h"
#include "unroll/problems.h"
#include "unroll/recurrent.h"
#include "unroll/schedules.h"

namespace unroll::apps {

namespace {

constexpr std::array cells{"SimpleRNN", "GRU", "LSTM"};
constexpr std::array<Index, 3> lags{10, 30, 100};

/// A problem, and how long one trains on it.
struct Task {
  const char* name;
  const char* right;  ///< what its share of right answers counts
  Index units, rows, epochs, batch;
  double rate;
};
constexpr Task adding{"adding", "sums within 0.04", 48, 6000, 14, 32, 1e-2};
constexpr Task copying{"copy", "symbols said again", 48, 2000, 16, 16, 1e-2};
constexpr Task ordering{"order", "orders told", 32, 2000, 8, 16, 5e-3};
constexpr Index test_rows = 1000, copied = 2;

/// What one network reached.
struct Reached {
  double right = 0, error = 0;  ///< share; loss on unseen rows
  double milliseconds = 0;      ///< of a training step
  Index parameters = 0;
  std::vector<double> errors;  ///< by epoch
};

Layer layer_of(const std::string& name, Index units, bool every_step) {
  if (name == "SimpleRNN") return SimpleRNN(units, {.return_sequences = every_step});
  if (name == "GRU") return GRU(units, {.return_sequences = every_step});
  return LSTM(units, {.return_sequences = every_step});
}

Problem problem_of(const Task& task, Index rows, Index lag, std::uint64_t seed) {
  if (&task == &adding) return adding_problem(rows, lag, seed);
  if (&task == &copying) return copy_problem(rows, copied, lag, seed);
  return temporal_order_problem(rows, lag, seed);
}

/// The share of right answers: sums within 0.04 (Hochreiter, Schmidhuber, 1997), or most probable
/// symbols; of the copy problem only where something has to be said.
double share_right(const Task& task, const Tensor& said, const Problem& test) {
  if (&task == &adding) {
    Index right = 0;
    for (Index i = 0; i < said.elements(); ++i) {
      right += std::abs(said.floats()[i] - test.y.floats()[i]) < 0.04F;
    }
    return static_cast<double>(right) / static_cast<double>(said.elements());
  }
  const Index classes = said.shape()[-1], answers = said.elements() / classes;
  const Index steps = &task == &copying ? test.y.shape()[1] : 1,
              asked = &task == &copying ? copied : 1;
  Index right = 0, counted = 0;
  for (Index i = 0; i < answers; ++i) {
    if (i % steps < steps - asked) continue;
    const float* row = said.floats() + i * classes;
    const Index best = std::max_element(row, row + classes) - row;
    right += best == test.y.values<std::int32_t>()[static_cast<std::size_t>(i)];
    ++counted;
  }
  return static_cast<double>(right) / static_cast<double>(counted);
}

Reached reached(const LessonRun& run, const Task& task, const std::string& cell, Index lag,
                std::uint64_t seed) {
  const Problem train = problem_of(task, task.rows, lag, seed),
                test = problem_of(task, test_rows, lag, seed + 1'000'000);
  const bool sums = &task == &adding, every = &task == &copying;
  const Index classes = every ? 9 : 4;
  Sequential model{InputLayer({.shape = train.x.shape().without(0)}),
                   layer_of(cell, task.units, every),
                   sums ? Dense(1) : Dense(classes, {.activation = "softmax"})};
  model.compile(
      {.optimizer =
           Adam{.learning_rate = CosineDecay{.initial_learning_rate = task.rate,
                                             .decay_steps = task.epochs * task.rows / task.batch},
                .global_clipnorm = 1.0},
       .loss = sums ? Loss("mse") : Loss("sparse_categorical_crossentropy"),
       .seed = seed,
       .threads = run.threads});
  const History history = model.fit(train.x, train.y,
                                    {.batch_size = task.batch,
                                     .epochs = task.epochs,
                                     .validation_data = Validation{test.x, test.y},
                                     .interrupted = run.interrupted});
  if (run.interrupted()) return {};
  Reached result{.errors = history["val_loss"]};
  result.error = result.errors.back();
  result.right = share_right(task, model.predict(test.x)[0], test);
  result.parameters = model.count_params();
  result.milliseconds =
      1000 * history.seconds / static_cast<double>(history.steps_per_epoch * task.epochs);
  return result;
}

double mean(const std::vector<Reached>& all, double Reached::*what) {
  double sum = 0;
  for (const Reached& one : all) sum += one.*what;
  return sum / static_cast<double>(all.size());
}

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

/// The mean over seeds and, of several, the least and the most.
std::string share_text(const std::vector<Reached>& all) {
  const std::string text = percent(mean(all, &Reached::right));
  if (all.size() == 1) return text;
  const auto [least, most] = std::ranges::minmax(all, {}, &Reached::right);
  return fmt::format("{} ({:.0f}-{:.0f})", text, 100 * least.right, 100 * most.right);
}

using AllReached = std::map<std::pair<std::string, Index>, std::vector<Reached>>;  // cell, lag

/// Every cell at every lag, with every seed; empty where it was interrupted.
AllReached measured(const LessonRun& run, const Task& task) {
  AllReached all;
  for (const std::string cell : cells) {
    run.note(fmt::format("the {} problem: {} over {} to {} steps", task.name, cell, lags.front(),
                         lags.back()));
    for (const Index lag : lags) {
      for (Index i = 0; i < run.seeds; ++i) {
        const std::uint64_t seed = run.seed + static_cast<std::uint64_t>(i);
        all[{cell, lag}].push_back(reached(run, task, cell, lag, seed));
        if (run.interrupted()) return {};
      }
    }
  }
  return all;
}

LessonTable costs(const AllReached& sums) {
  LessonTable table{
      {"cell", "parameters", "ms a step, T = 100", "error, T = 10", "T = 30", "T = 100"}, {}};
  for (const std::string cell : cells) {
    const std::vector<Reached>& longest = sums.at({cell, lags.back()});
    std::vector<std::string> row{cell, std::to_string(longest[0].parameters),
                                 fmt::format("{:.2f}", mean(longest, &Reached::milliseconds))};
    for (const Index lag : lags) {
      row.push_back(fmt::format("{:.5f}", mean(sums.at({cell, lag}), &Reached::error)));
    }
    table.rows.push_back(row);
  }
  return table;
}

LessonTable shares(const Task& task, const AllReached& all) {
  LessonTable table{{fmt::format("{}: {}", task.name, task.right), "T = 10", "T = 30", "T = 100"},
                    {}};
  for (const std::string cell : cells) {
    std::vector<std::string> row{cell};
    for (const Index lag : lags) row.push_back(share_text(all.at({cell, lag})));
    table.rows.push_back(row);
  }
  return table;
}

/// Right answers over the lag, a line a cell and problem.
void draw(const Task& task, const AllReached& all, PlotOptions& plot) {
  for (const std::string cell : cells) {
    Tensor line({static_cast<Index>(lags.size())});
    for (std::size_t i = 0; i < lags.size(); ++i) {
      line.floats()[i] = static_cast<float>(100 * mean(all.at({cell, lags[i]}), &Reached::right));
    }
    plot.lines.push_back({fmt::format("{}, {}", task.name, cell), line});
  }
}

}  // namespace

LessonResult memory_lesson(const LessonRun& run) {
  LessonResult result;
  PlotOptions plot{.title = "How far back they remember",
                   .x_label = "steps",
                   .y_label = "right, %",
                   .x = {lags.begin(), lags.end()},
                   .command = run.command};
  std::map<const Task*, AllReached> reached_in;
  for (const Task* task : {&adding, &copying, &ordering}) {
    const AllReached& all = reached_in[task] = measured(run, *task);
    if (run.interrupted()) return {};
    if (task == &adding) result.tables.push_back(costs(all));
    result.tables.push_back(shares(*task, all));
    draw(*task, all, plot);
  }
  const auto error = [&](const char* cell) {
    return mean(reached_in[&adding].at({cell, lags.back()}), &Reached::error);
  };
  const auto right = [&](const Task& task, const char* cell) {
    return percent(mean(reached_in[&task].at({cell, lags[1]}), &Reached::right));
  };
  result.seen = fmt::format(
      "In the adding problem two of T numbers are marked; always to say 1 is wrong by 0.167. Over "
      "100 steps the SimpleRNN ends at {:.4f}, the GRU at {:.5f} and the LSTM at {:.5f}: gates let "
      "a number through time unchanged. {} symbols to be said again after {} steps: {}, {} and {} "
      "right; the order of two marks near the beginning of {}: {}, {} and {}. A GRU has three "
      "times the weights of a SimpleRNN, an LSTM four times.",
      error("SimpleRNN"), error("GRU"), error("LSTM"), copied, lags[1], right(copying, "SimpleRNN"),
      right(copying, "GRU"), right(copying, "LSTM"), lags[1], right(ordering, "SimpleRNN"),
      right(ordering, "GRU"), right(ordering, "LSTM"));
  result.picture = [plot](const std::string& path) { Plot(plot).save(path); };
  return result;
}

}  // namespace unroll::apps
