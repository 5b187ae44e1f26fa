// A cue at the first of 20 steps, noise after it: what was the cue? Only what remembers can say.
#include <fmt/format.h>

#include "apps/lesson.h"
#include "unroll/layers.h"
#include "unroll/plot.h"
#include "unroll/recurrent.h"

namespace unroll::apps {

namespace {

constexpr Index steps = 20, rows = 2000, tests = 1000, epochs = 12;

/// x (count, time, 2): a cue of -1 or 1 at the first step only, and noise at every step; y: whether
/// the cue was 1.
Windows cues(Index count, Index time, std::uint64_t seed) {
  const Draws draws(seed);
  Tensor x({count, time, 2}), y({count, 1});
  for (Index row = 0; row < count; ++row) {
    const float cue = draws.sign(row);
    for (Index t = 0; t < time; ++t) {
      x.floats()[(row * time + t) * 2 + 1] = draws.number(count + row * time + t);
    }
    x.floats()[row * time * 2] = cue;
    y.floats()[row] = cue > 0 ? 1.0F : 0.0F;
  }
  return {x, y};
}

/// The last step of each row alone: all that a network without memory sees when it has to answer.
Tensor last_steps(const Tensor& x) {
  const Index count = x.shape()[0], time = x.shape()[1];
  Tensor last({count, 2});
  for (Index row = 0; row < count; ++row) {
    for (Index f = 0; f < 2; ++f) {
      last.floats()[row * 2 + f] = x.floats()[(row * time + time - 1) * 2 + f];
    }
  }
  return last;
}

}  // namespace

LessonResult feed_forward_lesson(const LessonRun& run) {
  const Windows train = cues(rows, steps, run.seed), test = cues(tests, steps, run.seed + 1),
                longer = cues(tests, 2 * steps, run.seed + 2);
  const Tensor train_x = train.x.tensor(), test_x = test.x.tensor(), longer_x = longer.x.tensor();
  Sequential blind{Dense(16, {.activation = "tanh"}), Dense(16, {.activation = "tanh"}),
                   Dense(1, {.activation = "sigmoid"})};
  Sequential flat{Flatten(), Dense(16, {.activation = "tanh"}), Dense(16, {.activation = "tanh"}),
                  Dense(1, {.activation = "sigmoid"})};
  Sequential recurrent{InputLayer({.shape = {unknown, 2}}), GRU(16),
                       Dense(1, {.activation = "sigmoid"})};
  LessonResult result;
  LessonTable table{{"network", "sees", "parameters", "right, 20 steps", "right, 40 steps"}, {}};
  PlotOptions plot{.title = "Which cue was it, 20 steps ago?",
                   .x_label = "epoch",
                   .y_label = "accuracy",
                   .command = run.command};
  const auto learn = [&](Sequential& model, const char* name, const char* sees, const Tensor& x,
                         const Tensor& seen, const Tensor* seen_longer) {
    run.note(fmt::format("training {}", name));
    model.compile({.optimizer = Adam{.learning_rate = 1e-2},
                   .loss = "binary_crossentropy",
                   .metrics = {"accuracy"},
                   .seed = run.seed,
                   .threads = run.threads});
    const History history =
        model.fit(x, train.y, {.epochs = epochs, .interrupted = run.interrupted});
    if (run.interrupted()) return 0.0;
    const auto right = [&](const Tensor& data, const Rows& y) {
      return value_of(model.evaluate(data, y), "accuracy");
    };
    const double accuracy = right(seen, test.y);
    table.rows.push_back(
        {name, sees, std::to_string(model.count_params()), fmt::format("{:.1f} %", 100 * accuracy),
         seen_longer == nullptr ? std::string("cannot read them")
                                : fmt::format("{:.1f} %", 100 * right(*seen_longer, longer.y))});
    Tensor line({static_cast<Index>(history.epochs())});
    for (std::size_t i = 0; i < history.epochs(); ++i) {
      line.floats()[i] = static_cast<float>(history["accuracy"][i]);
    }
    plot.lines.push_back({name, line, 1});
    return accuracy;
  };
  const Tensor train_last = last_steps(train_x), test_last = last_steps(test_x),
               longer_last = last_steps(longer_x);
  const double without =
      learn(blind, "MLP(16, 16)", "the current step", train_last, test_last, &longer_last);
  learn(flat, "MLP(16, 16) on a window", "20 steps at once", train_x, test_x, nullptr);
  const double with = learn(recurrent, "GRU(16)", "step after step", train_x, test_x, &longer_x);
  result.tables.push_back(table);
  result.seen = fmt::format(
      "The cue is 20 steps old when it is asked for. A feed-forward network that sees the current "
      "step knows nothing of it: {:.0f} %, where guessing gives 50. One that is given all 20 steps "
      "as "
      "separate inputs can learn where to look, but reads sequences of that length only. The "
      "recurrent network carries the cue along: {:.0f} %, and reads any length.",
      100 * without, 100 * with);
  result.picture = [plot](const std::string& path) { Plot(plot).save(path); };
  return result;
}

}  // namespace unroll::apps
