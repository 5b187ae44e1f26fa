// Laws of what belongs to rows: random numbers see neither lanes nor the order in memory; seeds and
// frozen weights are kept.
#include <gtest/gtest.h>

#include <functional>

#include "tests/laws/rig.h"
#include "unroll/model.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

constexpr Index rows = 24, time = 5, features = 4;

Tensor values() { return noise({rows, time, features}, 40, 1, DType::float32); }

/// What a layer adds to the output of another while it trains.
Tensor added(const Layer& before, const Layer& noisy) {
  const Symbol input = Input({.shape = {time, features}});
  const Symbol base = before(input);
  Rig rig({input}, {base, noisy(base)}, {values()}, {.training = true});
  const std::vector<Tensor> outputs = rig.outputs();
  Tensor difference = outputs[1].clone();
  for (std::size_t i = 0; i < difference.values<double>().size(); ++i) {
    difference.values<double>()[i] -= outputs[0].values<double>()[i];
  }
  return difference;
}

TEST(Rows, RandomNumbersDoNotSeeTheOrderInMemory) {
  // A walk through time leaves its sequence time first, a Dense leaves it as it came; both are two
  // components, so that the layer behind them draws the same numbers.
  for (const bool wrapped : {false, true}) {
    const auto noisy = [&] {
      const GaussianNoise layer(1, {.seed = 4});
      return wrapped ? Layer(TimeDistributed(layer)) : Layer(layer);
    };
    const Tensor by_row = added(TimeDistributed(Dense(features)), noisy());
    const Tensor by_time = added(SimpleRNN(features, {.return_sequences = true}), noisy());
    EXPECT_GT(magnitude(by_row), 1);
    EXPECT_LT(distance(by_row, by_time), 1e-14);
  }
}

/// The weights after two epochs; batches of 24 rows are cut into three lanes.
std::vector<Tensor> trained(const Layer& between, int threads, std::uint64_t seed = 3) {
  Sequential model{InputLayer({.shape = {time, features}}),
                   GRU(features, {.return_sequences = true}), between, GRU(2)};
  model.compile({.optimizer = "adam", .loss = "mse", .seed = seed, .threads = threads});
  model.fit(values(), noise({rows, 2}, 41, 1, DType::float32), {.batch_size = rows, .epochs = 2});
  return model.get_weights();
}

const std::vector<std::function<Layer(Index seed)>> makers{
    [](Index seed) { return Layer(Dropout(0.3, {.seed = seed})); },
    [](Index seed) { return Layer(TimeDistributed(Dropout(0.3, {.seed = seed}))); },
    [](Index seed) { return Layer(GaussianNoise(0.3, {.seed = seed})); },
    [](Index seed) { return Layer(SpatialDropout1D(0.3, {.seed = seed})); },
    [](Index seed) {
      return Layer(SimpleRNN(features, {.dropout = 0.3, .seed = seed, .return_sequences = true}));
    },
    [](Index seed) {
      return Layer(
          GRU(features, {.recurrent_dropout = 0.3, .seed = seed, .return_sequences = true}));
    },
    [](Index seed) {
      return Layer(LSTM(features, {.dropout = 0.3, .seed = seed, .return_sequences = true}));
    },
};

TEST(Rows, ThreadsDoNotChangeWhatIsDropped) {
  for (const auto& make : makers) {
    const auto one = trained(make(-1), 1), three = trained(make(-1), 3);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(distance(one[i], three[i]), 0);
  }
}

/// What a layer makes of ones while it trains, under a model's seed.
Tensor dropped(const Layer& layer, std::uint64_t model_seed) {
  const Symbol input = Input({.shape = {time, features}});
  Rig rig({input}, {layer(input)}, {values()}, {.training = true, .seed = model_seed});
  return rig.outputs()[0].clone();
}

TEST(Rows, ASeedOfItsOwnDoesNotFollowTheModels) {
  for (const auto& make : makers) {
    EXPECT_EQ(distance(dropped(make(7), 1), dropped(make(7), 2)), 0);
    EXPECT_GT(distance(dropped(make(7), 1), dropped(make(8), 1)), 1e-3);
    EXPECT_GT(distance(dropped(make(-1), 1), dropped(make(-1), 2)), 1e-3);
  }
}

TEST(Rows, FrozenBeforeItIsBuiltALayerStaysAsItBegan) {
  const Dense dense(3);
  const LSTM walk(3);
  const BatchNormalization normal;
  const Layer frozen[] = {dense, walk, normal};
  for (const Layer& layer : frozen) layer.impl().set_trainable(false);
  Sequential model{InputLayer({.shape = {time, features}}), TimeDistributed(Dense(features)), walk,
                   normal, dense};
  model.compile({.optimizer = "adam", .loss = "mse", .seed = 3});
  const Tensor y = noise({rows, 3}, 41, 1, DType::float32);
  model.fit(values(), y, {.batch_size = rows});
  const std::vector<Tensor> begun = model.get_weights();
  model.fit(values(), y, {.batch_size = rows, .epochs = 3});
  const std::vector<Tensor> after = model.get_weights();
  for (std::size_t i = 0; i < begun.size(); ++i) {
    const bool learns = i < 2;  // the first Dense
    EXPECT_EQ(distance(begun[i], after[i]) > 0, learns) << i;
  }
  EXPECT_EQ(model.count_trainable(), features * features + features);
  // Moving averages never become trainable.
  Layer(normal).set_trainable(true);
  EXPECT_EQ(model.count_trainable(), features * features + features + 2 * 3);
}

}  // namespace
}  // namespace unroll
