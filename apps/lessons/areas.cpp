// Convolutional areas with lateral and feedback connections, run for one to five passes over
// digits, whole ones and littered ones. Source: Spoerer, McClure, Kriegeskorte, "Recurrent
// convolutional neural networks: a better model of biological object recognition", 2017.
#include "unroll/areas.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/lesson.h"
#include "apps/lessons/digits.h"
#include "unroll/layers.h"
#include "unroll/plot.h"
#include "unroll/schedules.h"

namespace unroll::apps {

namespace {

constexpr Index passes = 5, epochs = 4, batch = 32, fragments = 6;

/// Ten made-up patterns of 12 x 12 with noise, for who has no data sets.
Digits patterns(std::uint64_t seed) {
  constexpr Index side = 12, rows = 4000;
  Digits digits{Tensor({rows, side, side, 1}), Tensor({rows}, DType::int32), side,
                "made-up patterns"};
  const Draws draws(seed);
  for (Index row = 0; row < rows; ++row) {
    const Index label = draws.below(10, row);
    digits.y.values<std::int32_t>()[static_cast<std::size_t>(row)] =
        static_cast<std::int32_t>(label);
    for (Index i = 0; i < side * side; ++i) {
      const float pattern = draws.number(rows + label * side * side + i) > 0.4F ? 0.8F : 0.1F;
      const float noise = 0.45F * draws.number(10'000'000 + row * side * side + i);
      digits.x.floats()[row * side * side + i] = std::clamp(pattern + noise, 0.0F, 1.0F);
    }
  }
  return digits;
}

/// One tensor after the other.
template <class T>
Tensor joined(const Tensor& a, const Tensor& b) {
  Shape shape = a.shape();
  shape.set(0, shape[0] + b.shape()[0]);
  Tensor both(shape, a.dtype());
  const auto middle = std::ranges::copy(a.values<T>(), both.values<T>().begin()).out;
  std::ranges::copy(b.values<T>(), middle);
  return both;
}

/// What one network got right, pass by pass, from 0 to 1.
struct Right {
  std::vector<double> whole, covered;
};

/// Trains a network read after every pass on whole and littered digits, littered anew every epoch,
/// and asks it about unseen ones.
Right trained(const LessonRun& run, std::uint64_t seed, const Digits& digits, Index with_passes) {
  const Index rows = digits.x.shape()[0], train = rows * 9 / 10;
  const Tensor x = digits.x.rows(0, train), test = digits.x.rows(train, rows);
  const Tensor labels = digits.y.rows(0, train);
  const Tensor y = joined<std::int32_t>(labels, labels);
  const Areas areas({.input = x.shape().without(0),
                     .areas = {{"V1", 12, "relu", 2}, {"V2", 24, "relu", 2}},
                     .outputs = 10});
  Model model = areas.model_of_every_pass(with_passes);
  const Index updates = epochs * ((2 * train + batch - 1) / batch);
  model.compile({.optimizer = Adam{.learning_rate = CosineDecay{.initial_learning_rate = 2e-3,
                                                                .decay_steps = updates},
                                   .global_clipnorm = 5.0},
                 .loss = "sparse_categorical_crossentropy",
                 .metrics = {"accuracy"},
                 .seed = seed,
                 .threads = run.threads});
  const auto outputs = static_cast<std::size_t>(with_passes);
  for (Index epoch = 0; epoch < epochs; ++epoch) {
    const std::uint64_t litter = 1000 * seed + static_cast<std::uint64_t>(epoch);
    model.fit(joined<float>(x, littered(x, x, fragments, litter)), Tensors(outputs, y),
              {.batch_size = batch,
               .epochs = epoch + 1,
               .interrupted = run.interrupted,
               .initial_epoch = epoch});
    if (run.interrupted()) return {};
  }
  const auto right = [&](const Tensor& images) {
    const Tensors targets(outputs, digits.y.rows(train, rows));
    std::vector<double> found;
    for (const auto& [name, value] : model.evaluate(images, targets, {.batch_size = 250})) {
      if (name.ends_with("accuracy")) found.push_back(value);
    }
    return found;
  };
  // Littered with fragments of digits that nobody has learnt from.
  return {right(test), right(littered(test, test, fragments, 1000 * seed + 999))};
}

/// The mean over seeds, position by position.
std::vector<double> mean_of(const std::vector<Right>& all, std::vector<double> Right::*which) {
  std::vector<double> mean((all[0].*which).size());
  for (const Right& one : all) {
    for (std::size_t t = 0; t < mean.size(); ++t) {
      mean[t] += (one.*which)[t] / static_cast<double>(all.size());
    }
  }
  return mean;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

Line curve(const char* name, const std::vector<double>& shares) {
  Line line{name, Tensor({static_cast<Index>(shares.size())}), 1};
  std::ranges::transform(shares, line.values.floats(),
                         [](double share) { return static_cast<float>(100 * share); });
  return line;
}

}  // namespace

LessonResult areas_lesson(const LessonRun& run) {
  const std::optional<Digits> real = mnist_digits(run.data);
  const Digits digits = real ? *real : patterns(run.seed);
  std::vector<Right> recurrent, forward;
  LessonTable by_seed{{"seed", "littered, 1 pass", "5 passes", "gain", "whole, 5 passes"}, {}};
  for (Index i = 0; i < run.seeds; ++i) {
    const std::uint64_t seed = run.seed + static_cast<std::uint64_t>(i);
    run.note(fmt::format("seed {}: {}, trained to be right after each of {} passes; and after one",
                         seed, digits.what, passes));
    recurrent.push_back(trained(run, seed, digits, passes));
    if (run.interrupted()) return {};
    forward.push_back(trained(run, seed, digits, 1));
    if (run.interrupted()) return {};
    const Right& now = recurrent.back();
    by_seed.rows.push_back(
        {std::to_string(seed), percent(now.covered.front()), percent(now.covered.back()),
         fmt::format("{:+.1f}", 100 * (now.covered.back() - now.covered.front())),
         percent(now.whole.back())});
  }
  const auto whole = mean_of(recurrent, &Right::whole),
             covered = mean_of(recurrent, &Right::covered);
  const double alone = mean_of(forward, &Right::whole)[0],
               alone_covered = mean_of(forward, &Right::covered)[0];
  LessonTable table{{"passes", "whole", "littered"}, {}};
  for (std::size_t t = 0; t < whole.size(); ++t) {
    table.rows.push_back({std::to_string(t + 1), percent(whole[t]), percent(covered[t])});
  }
  table.rows.push_back({"1, trained for it alone", percent(alone), percent(alone_covered)});
  LessonResult result;
  result.tables = {table};
  if (run.seeds > 1) result.tables.push_back(by_seed);
  result.seen = fmt::format(
      "One pass is feed-forward; every further one lets areas hear themselves and the one above. "
      "Of {} unseen {}, {} are right after 1 pass and {} after {}; littered with fragments of "
      "others, {} and {}: {:+.1f} points from recurrence in one network, {:+.1f} beside a network "
      "that was trained for one pass alone.",
      digits.x.shape()[0] / 10, digits.what, percent(whole.front()), percent(whole.back()), passes,
      percent(covered.front()), percent(covered.back()), 100 * (covered.back() - covered.front()),
      100 * (covered.back() - alone_covered));
  const PlotOptions plot{.title = "What further passes bring",
                         .lines = {curve("whole", whole), curve("littered", covered)},
                         .x_label = "passes",
                         .y_label = "right, %",
                         .command = run.command};
  result.picture = [plot](const std::string& path) { Plot(plot).save(path); };
  return result;
}

}  // namespace unroll::apps
