// An Embedding and its recurrent layer as one: the same weights after training as apart.
#include "src/model/tabulated.h"

#include <gtest/gtest.h>

#include "src/model/model_impl.h"
#include "tests/model/lesson_models.h"
#include "tests/model/training_data.h"
#include "unroll/error.h"

namespace unroll {
namespace {

/// The classifier of reviews; with `apart`, a layer that changes nothing stands between the two.
Sequential classifier(const Layer& layer, bool masked, bool apart) {
  std::vector<Layer> layers{InputLayer({.shape = {12}}), Embedding(20, 6, {.mask_zero = masked})};
  if (apart) layers.push_back(ActivationLayer("linear"));
  layers.push_back(layer);
  layers.push_back(Dense(1, {.activation = "sigmoid"}));
  return Sequential(layers);
}

std::vector<Tensor> trained(Sequential model, const Optimizer& optimizer, Index batch,
                            bool expect_tabulated) {
  const Reviews data = reviews(96, 12, 20);
  model.compile({.optimizer = optimizer, .loss = "binary_crossentropy", .seed = 5, .threads = 2});
  model.fit(data.words, data.labels, {.batch_size = batch, .epochs = 2, .shuffle = false});
  EXPECT_EQ(Tabulated::of(*model.impl().graph).size(), expect_tabulated ? 1u : 0u);
  return model.get_weights();
}

void expect_same(const Layer& one, const Layer& other, bool masked, const Optimizer& optimizer,
                 Index batch) {
  const auto together = trained(classifier(one, masked, false), optimizer, batch, true);
  const auto apart = trained(classifier(other, masked, true), optimizer, batch, false);
  ASSERT_EQ(together.size(), apart.size());
  for (std::size_t k = 0; k < apart.size(); ++k) {
    for (Index i = 0; i < apart[k].elements(); ++i) {
      ASSERT_NEAR(together[k].floats()[i], apart[k].floats()[i], 2e-5) << k << " " << i;
    }
  }
}

// 40 rows: by step, and by id in the lanes of large models; the last batch has 16 rows.
TEST(Tabulated, TrainsAsTheLayersApart) {
  for (const bool masked : {false, true}) {
    expect_same(SimpleRNN(9), SimpleRNN(9), masked, SGD{.learning_rate = 0.1}, 40);
    expect_same(GRU(16), GRU(16), masked, SGD{.learning_rate = 0.1}, 40);
    expect_same(GRU(5, {.reset_after = false}), GRU(5, {.reset_after = false}), masked,
                SGD{.learning_rate = 0.1}, 40);
    expect_same(LSTM(16, {.go_backwards = true}), LSTM(16, {.go_backwards = true}), masked,
                SGD{.learning_rate = 0.1}, 40);
    expect_same(LSTM(130), LSTM(130), masked, SGD{.learning_rate = 0.1}, 96);
  }
}

TEST(Tabulated, TrainsAsTheLayersApartWithClippingAndAccumulation) {
  expect_same(GRU(8), GRU(8), true, SGD{.learning_rate = 0.1, .clipnorm = 0.01}, 32);
  expect_same(GRU(8), GRU(8), false, SGD{.learning_rate = 0.1, .gradient_accumulation_steps = 2},
              32);
}

TEST(Tabulated, LeavesLayersAloneThatNeedTheRows) {
  const auto count = [](const Symbol& x, const Symbols& outputs) {
    return Tabulated::of(Graph({x}, outputs)).size();
  };
  const Symbol x = Input({.shape = {12}});
  const Symbol words = Embedding(20, 6)(x);
  EXPECT_EQ(count(x, {GRU(4)(words)}), 1u);
  EXPECT_EQ(count(x, {GRU(4)(words), words}), 0u);          // an output of the model
  EXPECT_EQ(count(x, {GRU(4)(words), GRU(4)(words)}), 0u);  // two readers
  EXPECT_EQ(count(x, {Bidirectional(GRU(4))(words)}), 0u);
  const Layer shared = GRU(4);
  const Symbol y = Input({.shape = {12}});
  EXPECT_EQ(Tabulated::of(Graph({x, y}, {shared(words), shared(Embedding(20, 6)(y))})).size(), 0u);
}

TEST(Tabulated, RefusesAnIdThatIsNotInTheTable) {
  Sequential model = classifier(GRU(4), false, false);
  Reviews data = reviews(16, 12, 20);
  data.words.values<std::int32_t>()[5] = 20;
  model.compile({.optimizer = "adam", .loss = "binary_crossentropy"});
  try {
    model.fit(data.words, data.labels, {.batch_size = 16});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "Embedding \"embedding\": an id lies outside the table\n"
                 "  got    20\n"
                 "  want   0 to 19\n"
                 "hint: input_dim is the largest id plus 1");
  }
  // And the model still trains.
  data.words.values<std::int32_t>()[5] = 19;
  model.fit(data.words, data.labels, {.batch_size = 16});
}

}  // namespace
}  // namespace unroll
