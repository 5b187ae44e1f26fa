// A network of areas with lateral, feedback and skip connections, run for one to five passes over
// digits, whole ones and half hidden ones.
#include "unroll/areas.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/lesson.h"
#include "unroll/idx.h"
#include "unroll/plot.h"
#include "unroll/plot_model.h"

namespace unroll::apps {

namespace {

constexpr Index passes = 5, epochs = 8;

struct Digits {
  Tensor x;  // (rows, side * side), 0 to 1
  Tensor y;  // (rows), labels
  Index side = 0;
  std::string what;
};

/// Ten made-up patterns of 12 x 12 with noise, for who has no data sets.
Digits patterns(const LessonRun& run) {
  constexpr Index side = 12, rows = 4000;
  Digits digits{Tensor({rows, side * side}), Tensor({rows}, DType::int32), side,
                "made-up patterns"};
  const Draws draws(run.seed);
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

Digits mnist(const std::string& folder) {
  const Tensor images = read_idx(folder + "/t10k-images-idx3-ubyte.gz");
  const Tensor labels = read_idx(folder + "/t10k-labels-idx1-ubyte.gz");
  const Index rows = images.shape()[0], side = images.shape()[1];
  Digits digits{Tensor({rows, side * side}), labels.to(DType::int32), side,
                "handwritten digits (MNIST)"};
  const auto bytes = images.values<std::uint8_t>();
  std::ranges::transform(bytes, digits.x.floats(),
                         [](std::uint8_t byte) { return static_cast<float>(byte) / 255; });
  return digits;
}

/// A square of half the side, somewhere, is blank.
Tensor occluded(const Tensor& x, Index side, std::uint64_t seed) {
  const Draws draws(seed);
  Tensor hidden = x.clone();
  const Index size = side / 2;
  for (Index row = 0; row < x.shape()[0]; ++row) {
    const Index top = draws.below(side - size + 1, 2 * row);
    const Index left = draws.below(side - size + 1, 2 * row + 1);
    for (Index i = 0; i < size; ++i) {
      float* line = hidden.floats() + row * side * side + (top + i) * side + left;
      std::fill_n(line, size, 0.0F);
    }
  }
  return hidden;
}

/// Two tensors, one after the other.
Tensor joined(const Tensor& a, const Tensor& b) {
  Tensor both({a.shape()[0] + b.shape()[0], a.shape()[1]});
  std::ranges::copy(b.values<float>(), std::ranges::copy(a.values<float>(), both.floats()).out);
  return both;
}

}  // namespace

LessonResult areas_lesson(const LessonRun& run) {
  const std::string folder = run.data.empty() ? "" : run.data + "/mnist-t10k";
  const Digits digits = std::filesystem::exists(folder) ? mnist(folder) : patterns(run);
  const Index rows = digits.x.shape()[0], train = rows * 9 / 10;
  const Tensor test = digits.x.rows(train, rows), test_y = digits.y.rows(train, rows);
  const Tensor hidden = occluded(test, digits.side, run.seed + 1);
  const Areas areas({.input = {digits.side * digits.side},
                     .areas = {{"V1", 256}, {"V2", 128}, {"IT", 64}},
                     .links = {{"V1", "IT"}, {"IT", "V1"}},
                     .dropout = 0.2,
                     .outputs = 10});
  // Read after every pass, and trained to be right after every one, on whole and occluded images.
  Model model = areas.model_of_every_pass(passes);
  model.compile({.optimizer = Adam{.learning_rate = 1e-3},
                 .loss = "sparse_categorical_crossentropy",
                 .metrics = {"accuracy"},
                 .seed = run.seed,
                 .threads = run.threads});
  run.note(fmt::format("{}: {} whole and as many occluded ones to learn from", digits.what, train));
  const Tensor learnt = digits.x.rows(0, train);
  const Tensor both = joined(learnt, occluded(learnt, digits.side, run.seed + 2));
  Tensor labels({2 * train}, DType::int32);
  for (Index i = 0; i < 2 * train; ++i) {
    labels.values<std::int32_t>()[static_cast<std::size_t>(i)] =
        digits.y.values<std::int32_t>()[static_cast<std::size_t>(i % train)];
  }
  const Tensors targets(passes, labels), test_targets(passes, test_y);
  model.fit(both, targets, {.batch_size = 64, .epochs = epochs, .interrupted = run.interrupted});
  if (run.interrupted()) return {};
  const auto accuracies = [&](const Tensor& x) {
    std::vector<double> found;
    for (const auto& [name, value] : model.evaluate(x, test_targets, {.batch_size = 256})) {
      if (name.ends_with("accuracy")) found.push_back(value);
    }
    return found;
  };
  const std::vector<double> clean = accuracies(test), covered = accuracies(hidden);
  LessonTable table{{"passes", "whole", "a quarter hidden"}, {}};
  for (std::size_t t = 0; t < clean.size(); ++t) {
    table.rows.push_back({std::to_string(t + 1), fmt::format("{:.1f} %", 100 * clean[t]),
                          fmt::format("{:.1f} %", 100 * covered[t])});
  }
  LessonResult result;
  result.tables = {table};
  result.seen = fmt::format(
      "One pass is feed-forward; every further one lets areas hear themselves and those above "
      "them. "
      "On {} unseen {}: {:.1f} % right after 1 pass and {:.1f} % after {}; with a quarter of each "
      "hidden {:.1f} % and {:.1f} %. --plot draws the network unrolled in space: the same number, "
      "the "
      "same weights.",
      rows - train, digits.what, 100 * clean.front(), 100 * clean.back(), passes,
      100 * covered.front(), 100 * covered.back());
  result.picture = [areas](const std::string& path) { save_dot(areas.to_dot(3), path); };
  return result;
}

}  // namespace unroll::apps
