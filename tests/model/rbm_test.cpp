// A restricted Boltzmann machine: its sums against all states, what it learns, what it refuses.
#include "unroll/rbm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "src/base/random.h"
#include "tests/model/training_data.h"

namespace unroll {
namespace {

/// Rows of two kinds: the left half on, or the right one, each unit wrong one time in 20.
Tensor halves(Index rows, Index width) {
  Tensor x({rows, width});
  const base::Random random(3);
  for (Index i = 0; i < x.elements(); ++i) {
    const bool left = (i / width) % 2 == 0, on = (i % width < width / 2) == left;
    const bool wrong = random.uniform(static_cast<std::uint64_t>(i)) < 0.05;
    x.floats()[i] = on != wrong ? 1.0F : 0.0F;
  }
  return x;
}

TEST(RBM, FreeEnergyIsTheSumOverHiddenStates) {
  RBM machine({.visible = 3, .hidden = 4, .seed = 1});
  const base::Random random(5);
  std::vector<Tensor> weights = machine.get_weights();
  std::uint64_t at = 0;
  for (Tensor& one : weights) {
    for (float& value : one.values<float>()) value = static_cast<float>(random.normal(at++));
  }
  machine.set_weights(weights);
  const Tensor v = Tensor::of<float>({2, 3}, {1, 0, 1, 0, 0, 0});
  const Tensor energy = machine.free_energy(v);
  for (Index row = 0; row < 2; ++row) {
    double sum = 0;  // over all hidden states, of e^-E
    for (unsigned state = 0; state < 16; ++state) {
      double e = 0;
      for (Index i = 0; i < 3; ++i) {
        e -= static_cast<double>(v.at({row, i}) * weights[1].at({i}));
        for (Index j = 0; j < 4; ++j) {
          if (state >> j & 1) e -= static_cast<double>(v.at({row, i}) * weights[0].at({i, j}));
        }
      }
      for (Index j = 0; j < 4; ++j) {
        if (state >> j & 1) e -= static_cast<double>(weights[2].at({j}));
      }
      sum += std::exp(-e);
    }
    EXPECT_NEAR(energy.values<double>()[static_cast<std::size_t>(row)], -std::log(sum), 1e-5);
  }
}

TEST(RBM, ReconstructsWhatItHasLearnt) {
  const Tensor x = halves(400, 12);
  for (const bool persistent : {false, true}) {
    RBM machine({.visible = 12, .hidden = 6, .seed = 2});
    const History history =
        machine.fit(x, {.epochs = 30, .batch_size = 20, .persistent = persistent});
    const std::vector<double>& error = history["reconstruction_error"];
    EXPECT_GT(error.front(), 0.2);
    // One unit in 20 cannot be foretold: 0.05 (1 - 0.05) is the least.
    // A chain of its own learns the distribution rather than the way back.
    EXPECT_LT(error.back(), persistent ? 0.15 : 0.08);
    // A broken row is mended.
    const Tensor again =
        machine.reconstruct(Tensor::of<float>({1, 12}, {1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_GT(again.at({0, 5}), 0.6F);
    EXPECT_LT(again.at({0, 11}), 0.4F);
    // What it has seen is more probable than noise.
    const Tensor noise = Tensor::of<float>({1, 12}, {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0});
    EXPECT_LT(machine.free_energy(halves(1, 12)).values<double>()[0],
              machine.free_energy(noise).values<double>()[0]);
  }
}

TEST(RBM, OfRealNumbers) {
  // Two hidden causes of six numbers.
  Tensor x({500, 6});
  const base::Random random(9);
  for (Index row = 0; row < 500; ++row) {
    const float cause = random.below(2, static_cast<std::uint64_t>(row)) == 0 ? -0.95F : 0.95F;
    for (Index i = 0; i < 6; ++i) {
      const double noise = 0.3 * random.normal(static_cast<std::uint64_t>(1000 + row * 6 + i));
      x.floats()[row * 6 + i] = (i % 2 == 0 ? cause : -cause) + static_cast<float>(noise);
    }
  }
  RBM machine({.visible = 6, .hidden = 4, .gaussian = true});
  const History history = machine.fit(x, {.epochs = 40, .learning_rate = 0.01});
  EXPECT_GT(history["reconstruction_error"].front(), 0.5);
  EXPECT_LT(history["reconstruction_error"].back(), 0.2);
}

TEST(RBM, GivesTheSameBytesAgain) {
  const Tensor x = halves(50, 8);
  const auto trained = [&] {
    RBM machine({.visible = 8, .hidden = 4, .seed = 6});
    machine.fit(x, {.epochs = 2, .k = 2});
    return machine;
  };
  const RBM a = trained(), b = trained();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        std::ranges::equal(a.get_weights()[i].values<float>(), b.get_weights()[i].values<float>()));
  }
  EXPECT_TRUE(
      std::ranges::equal(a.sample(x, 5, 1).values<float>(), b.sample(x, 5, 1).values<float>()));
  EXPECT_FALSE(
      std::ranges::equal(a.sample(x, 5, 1).values<float>(), a.sample(x, 5, 2).values<float>()));
  Index asked = 0;
  RBM other({.visible = 8, .hidden = 4});
  other.fit(x, {.epochs = 9, .interrupted = [&] { return ++asked == 3; }});
  EXPECT_EQ(asked, 3);
}

TEST(RBM, BeginsADenseLayer) {
  const Tensor x = halves(20, 8);
  RBM machine({.visible = 8, .hidden = 4, .seed = 6});
  machine.fit(x, {.epochs = 3});
  Sequential model{InputLayer({.shape = {8}}), machine.dense("features"), Dense(1)};
  model.compile({.loss = "mse"});
  Model features({.inputs = model.inputs(), .outputs = {model.get_layer("features").output()}});
  const Tensor want = machine.hidden(x), got = features.predict(x)[0];
  for (Index i = 0; i < want.elements(); ++i) EXPECT_NEAR(got.floats()[i], want.floats()[i], 1e-6F);
}

TEST(RBM, Refuses) {
  EXPECT_EQ(refusal([] { RBM({.visible = 0, .hidden = 4}); }),
            "value: RBM: visible is out of range\n"
            "  got    0\n"
            "  want   1 or more");
  RBM machine({.visible = 2, .hidden = 3});
  EXPECT_EQ(refusal([&] {
              machine.fit(Tensor({4, 3}));
            }),
            "shape: RBM: rows of another shape or type\n"
            "  got    (4, 3) float32\n"
            "  want   (rows, 2) float32");
  EXPECT_EQ(refusal([&] { machine.fit(Tensor({0, 2})); }), "value: RBM: no rows to learn from");
  EXPECT_EQ(refusal([&] {
              machine.fit(Tensor::of<float>({1, 2}, {0, 255}));
            }),
            "value: RBM: a number that the visible units cannot be\n"
            "  got    255\n"
            "  want   0 to 1");
  EXPECT_EQ(refusal([&] {
              machine.fit(Tensor({1, 2}), {.k = 0});
            }),
            "value: RBM: k is out of range\n"
            "  got    0\n"
            "  want   1 or more");
  EXPECT_EQ(refusal([&] {
              machine.set_weights({Tensor({2, 2})});
            }),
            "shape: RBM: other weights\n"
            "  got    (2, 2)\n"
            "  want   (2, 3), (2,), (3,)");
  RBM real({.visible = 2, .hidden = 3, .gaussian = true});
  EXPECT_EQ(refusal([&] {
              real.fit(Tensor::of<float>({2, 2}, {1e3F, -1e3F, 1e3F, 1e3F}),
                       {.epochs = 50, .learning_rate = 1e38});
            }),
            "value: RBM: the weights are no longer finite\n"
            "  got    in epoch 2\n"
            "hint: a smaller learning_rate");
}

}  // namespace
}  // namespace unroll
