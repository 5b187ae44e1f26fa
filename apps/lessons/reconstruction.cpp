// A restricted Boltzmann machine sees images, and gives them again through its hidden units and the
// same weights back.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/lesson.h"
#include "unroll/idx.h"
#include "unroll/plot.h"
#include "unroll/rbm.h"

namespace unroll::apps {

namespace {

constexpr Index hidden = 128, shown = 10;

struct Images {
  Tensor train, test;  // (rows, side * side), 0 to 1
  Index side;
  std::string what;
};

/// Images of bars: every row, or every column, is on or off as a whole.
Images bars(const LessonRun& run) {
  constexpr Index side = 12, train = 2000, test = 500;
  const Draws draws(run.seed);
  const auto made = [&](Index first, Index count) {
    Tensor x({count, side * side});
    for (Index image = 0; image < count; ++image) {
      const Index at = (first + image) * (side + 1);
      const bool upright = draws.below(2, at) == 0;
      for (Index i = 0; i < side * side; ++i) {
        const Index bar = upright ? i % side : i / side;
        x.floats()[image * side * side + i] = draws.below(2, at + 1 + bar) == 0 ? 0.0F : 1.0F;
      }
    }
    return x;
  };
  return {made(0, train), made(train, test), side, "made-up images of bars"};
}

/// The digits, 9,000 to learn from and 1,000 to look at.
Images digits(const std::string& folder) {
  const Tensor raw = read_idx(folder + "/t10k-images-idx3-ubyte.gz");
  const Index count = raw.shape()[0], side = raw.shape()[1], size = side * side;
  Tensor all({count, size});
  const auto bytes = raw.values<std::uint8_t>();
  std::ranges::transform(bytes, all.floats(),
                         [](std::uint8_t byte) { return static_cast<float>(byte) / 255; });
  const Index train = count * 9 / 10;
  return {all.rows(0, train), all.rows(train, count), side, "handwritten digits (MNIST)"};
}

double squared_difference(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (Index i = 0; i < a.elements(); ++i) {
    const double d = static_cast<double>(a.floats()[i] - b.floats()[i]);
    sum += d * d;
  }
  return sum / static_cast<double>(a.elements());
}

/// Some images in a row, what became of them below.
Tensor pairs(const Tensor& above, const Tensor& below, Index side) {
  Tensor grid({2 * side, shown * side});
  for (Index image = 0; image < shown; ++image) {
    for (Index i = 0; i < side * side; ++i) {
      const Index row = i / side, column = image * side + i % side;
      const Index from = image * side * side + i;
      grid.floats()[row * shown * side + column] = above.floats()[from];
      grid.floats()[(side + row) * shown * side + column] = below.floats()[from];
    }
  }
  return grid;
}

}  // namespace

LessonResult reconstruction_lesson(const LessonRun& run) {
  const std::string folder = run.data.empty() ? "" : run.data + "/mnist-t10k";
  const Images images = std::filesystem::exists(folder) ? digits(folder) : bars(run);
  RBM machine({.visible = images.side * images.side, .hidden = hidden, .seed = run.seed});
  run.note(fmt::format("{}: {} to learn from", images.what, images.train.shape()[0]));
  // What gives every image the mean of all.
  Tensor mean({1, images.train.shape()[1]});
  for (Index i = 0; i < images.train.elements(); ++i) {
    mean.floats()[i % mean.elements()] +=
        images.train.floats()[i] / static_cast<float>(images.train.shape()[0]);
  }
  Tensor means(images.test.shape());
  for (Index i = 0; i < means.elements(); ++i)
    means.floats()[i] = mean.floats()[i % mean.elements()];
  const double before = squared_difference(images.test, machine.reconstruct(images.test));
  const History history = machine.fit(images.train, {.epochs = 8, .interrupted = run.interrupted});
  if (run.interrupted()) return {};
  LessonTable curve{{"epoch", "reconstruction error"}, {}};
  const std::vector<double>& errors = history["reconstruction_error"];
  for (std::size_t i = 0; i < errors.size(); ++i) {
    curve.rows.push_back({std::to_string(i + 1), fmt::format("{:.4f}", errors[i])});
  }
  const Tensor again = machine.reconstruct(images.test);
  const double after = squared_difference(images.test, again),
               of_mean = squared_difference(images.test, means);
  LessonTable unseen{{"unseen images", "mean squared error"}, {}};
  unseen.rows.push_back({"before learning", fmt::format("{:.4f}", before)});
  unseen.rows.push_back({"the mean image", fmt::format("{:.4f}", of_mean)});
  unseen.rows.push_back({"reconstructed", fmt::format("{:.4f}", after)});
  LessonResult result;
  result.tables = {curve, unseen};
  result.seen = fmt::format(
      "{} numbers go through {} hidden units and come back through the same weights, with an error "
      "of "
      "{:.4f} on images it has not seen; the mean image has {:.4f}. It learnt {} in {:.1f} s.",
      images.train.shape()[1], hidden, after, of_mean, images.what, history.seconds);
  const HeatMapOptions plot{.title = "Images above, reconstructions below",
                            .values = pairs(images.test, again, images.side),
                            .scale_label = "brightness",
                            .low = 0,
                            .high = 1,
                            .height = 3.2,
                            .command = run.command};
  result.picture = [plot](const std::string& path) { HeatMap(plot).save(path); };
  return result;
}

}  // namespace unroll::apps
