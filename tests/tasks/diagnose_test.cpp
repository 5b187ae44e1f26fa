// GradientWatch: what it sees, what it says, and that it changes nothing.
#include "unroll/diagnose.h"

#include <gtest/gtest.h>

#include <cmath>

#include "src/base/random.h"
#include "tests/refused.h"
#include "unroll/initializers.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"
#include "unroll/unrolled.h"

namespace unroll {
namespace {

constexpr Index rows = 48, steps = 40;

Tensor noise(const Shape& shape, std::uint64_t seed) {
  Tensor tensor(shape);
  const base::Random random(seed);
  for (Index i = 0; i < tensor.elements(); ++i) {
    tensor.floats()[i] = static_cast<float>(random.normal(static_cast<std::uint64_t>(i)));
  }
  return tensor;
}

Sequential network(const Layer& recurrent, bool clipped = true) {
  Sequential model{InputLayer({.shape = {steps, 2}}), recurrent, Dense(1)};
  SGD descent{.learning_rate = 1e-3};
  if (clipped) descent.global_clipnorm = 1.0;
  model.compile({.optimizer = descent, .loss = "mse", .seed = 3});
  return model;
}

TEST(GradientWatch, FindsWhatVanishes) {
  Sequential model = network(SimpleRNN(8, {.recurrent_initializer = random_normal(0.0, 0.05)}));
  const Tensor x = noise({rows, steps, 2}, 1), y = noise({rows, 1}, 2);
  std::vector<std::string> warned;
  const auto watch = gradient_watch(
      x, y, {.warn = [&](const GradientFinding& found) { warned.push_back(found.to_string()); }});
  model.fit(x, y, {.epochs = 2, .callbacks = {watch}});
  ASSERT_EQ(watch->findings().size(), 1u);  // once, though it is so after every epoch
  const GradientFinding& found = watch->findings()[0];
  EXPECT_FALSE(found.explodes);
  EXPECT_EQ(found.epoch, -1);
  EXPECT_LT(found.reach.left, 1e-20);
  EXPECT_EQ(found.reach.steps, steps - 1);
  EXPECT_LE(found.reach.far, 3);
  ASSERT_EQ(warned.size(), 1u);
  EXPECT_EQ(warned[0].find("the gradient vanishes in SimpleRNN \"simple_rnn\" (with the first "
                           "weights): "),
            0u);
  EXPECT_NE(warned[0].find("GRU or LSTM instead"), std::string::npos);
}

TEST(GradientWatch, FindsWhatExplodes) {
  Sequential model =
      network(SimpleRNN(8, {.activation = "relu", .recurrent_initializer = orthogonal(2.5)}));
  const Tensor x = noise({rows, steps, 2}, 1), y = noise({rows, 1}, 2);
  const auto watch = gradient_watch(x, y);
  model.fit(x, y, {.epochs = 1, .callbacks = {watch}});
  ASSERT_FALSE(watch->findings().empty());
  EXPECT_TRUE(watch->findings()[0].explodes);
  EXPECT_NE(watch->findings()[0].to_string().find("global_clipnorm"), std::string::npos);
}

TEST(GradientWatch, SaysHowFarItReachesWhereAllIsWell) {
  Sequential model = network(GRU(8));
  const Tensor x = noise({rows, steps, 2}, 1), y = noise({rows, 1}, 2);
  const auto watch = gradient_watch(x, y, {.rows = 8, .vanished = 1e-30});
  model.fit(x, y, {.epochs = 1, .callbacks = {watch}});
  EXPECT_TRUE(watch->findings().empty());
  ASSERT_EQ(watch->reach().size(), 1u);
  const GradientReach& reach = watch->reach()[0];
  EXPECT_EQ(reach.class_name, "GRU");
  // The same rows by hand: every sixth.
  std::vector<Index> sixth;
  for (Index i = 0; i < 8; ++i) sixth.push_back(6 * i);
  const auto norms =
      gradients_by_step(model, Rows(x).gather(sixth), Rows(y).gather(sixth))[0].norms;
  EXPECT_DOUBLE_EQ(reach.left, norms.front() / norms.back());
  EXPECT_GE(norms[static_cast<std::size_t>(steps - 1 - reach.far)], norms.back() / 100);
}

TEST(GradientWatch, ChangesNothing) {
  const Tensor x = noise({rows, steps, 2}, 1), y = noise({rows, 1}, 2);
  const auto trained = [&](const std::vector<std::shared_ptr<Callback>>& callbacks) {
    Sequential model{InputLayer({.shape = {steps, 2}}), LSTM(5), Dense(1)};
    model.compile({.optimizer = "adam", .loss = "mse", .seed = 3});
    const History history = model.fit(x, y, {.epochs = 3, .callbacks = callbacks});
    return std::pair(model.get_weights(), history["loss"]);
  };
  const auto [weights, losses] = trained({});
  const auto [watched_weights, watched_losses] = trained({gradient_watch(x, y)});
  EXPECT_EQ(losses, watched_losses);
  ASSERT_EQ(weights.size(), watched_weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    for (Index k = 0; k < weights[i].elements(); ++k) {
      ASSERT_EQ(weights[i].floats()[k], watched_weights[i].floats()[k]);
    }
  }
}

TEST(GradientWatch, Refuses) {
  const Tensor x = noise({rows, steps, 2}, 1), y = noise({rows, 1}, 2);
  EXPECT_EQ(refused_with_kind([&] { gradient_watch(x, y, {.every = 0}); }),
            "value: GradientWatch: every is not positive\n  got    0");
  EXPECT_EQ(refused_with_kind([&] { gradient_watch(x, y, {.vanished = -1}); }),
            "value: GradientWatch: vanished is not positive\n  got    -1");
  EXPECT_EQ(refused_with_kind([&] {
              gradient_watch(Tensor({0, 3, 2}), Tensor({0, 1}));
            }),
            "value: GradientWatch: no rows");
}

}  // namespace
}  // namespace unroll
