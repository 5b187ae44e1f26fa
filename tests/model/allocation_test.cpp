// A training step that has been done before takes nothing from the heap: operator new is counted,
// and what is taken from malloc beside it.
#include <gtest/gtest.h>
#include <malloc.h>

#include "src/model/model_impl.h"
#include "tests/allocations.h"
#include "tests/model/lesson_models.h"
#include "unroll/stream.h"

namespace unroll {
namespace {

/// Bytes that malloc has given out, over all arenas. A sanitizer's malloc says 0 always.
std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Steps 1 and 2 may allocate; 3 to 10 may not.
void expect_none(Model& model, const Data& x, const Data& y) {
  model.train_on_batch(x, y);  // binds weights, resolves metrics
  Trainer& trainer = model.impl().ready(true);
  Totals totals(trainer.metrics());
  std::vector<Index> numbers;
  for (Index i = 0; i < x[0].count(); ++i) numbers.push_back(i);
  const Batch batch{.x = &x, .y = &y, .numbers = numbers};
  States& states = model.impl().states(model.impl().session);
  for (int step = 1; step <= 2; ++step) trainer.train(batch, states, totals);
  const long before = allocations;
  const std::size_t bytes = bytes_in_use();
  for (int step = 3; step <= 10; ++step) trainer.train(batch, states, totals);
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(bytes_in_use(), bytes);
}

TEST_F(Allocation, NoneInAStepOfTheForecaster) {
  const Windows data = windows(wave(82), {.length = 50});
  for (const int threads : {1, 3}) {
    Sequential model = forecaster();
    model.compile({.optimizer = "adam", .loss = "mse", .metrics = {"mae"}, .threads = threads});
    expect_none(model, data.x, data.y);
  }
}

TEST_F(Allocation, NoneInAStepOfTheCritic) {
  const Reviews data = reviews(64, 40, 5000);
  for (const int threads : {1, 3}) {
    Model model = critic(40, 5000);
    model.compile({.optimizer = "adam",
                   .loss = "binary_crossentropy",
                   .metrics = {"accuracy"},
                   .threads = threads});
    expect_none(model, data.words, data.labels);
  }
}

TEST_F(Allocation, NoneInAStepWithMasksDropoutClippingAndPenalties) {
  const Reviews data = reviews(40, 12, 50);
  Sequential model{InputLayer({.shape = {12}}),
                   Embedding(50, 8, {.mask_zero = true}),
                   Bidirectional(GRU(6, {.dropout = 0.1, .return_sequences = true})),
                   LSTM(5, {.kernel_regularizer = l2(1e-3), .recurrent_dropout = 0.1}),
                   Dropout(0.1),
                   Dense(1, {.activation = "sigmoid"})};
  model.compile({.optimizer = RMSprop{.clipnorm = 0.5}, .loss = "binary_crossentropy"});
  expect_none(model, data.words, data.labels);
}

TEST_F(Allocation, NoneInTheStepsOfASession) {
  const Symbol words = Input({.shape = {unknown}});
  const Symbol h =
      LSTM(6, {.return_sequences = true})(Embedding(50, 8, {.mask_zero = true})(words));
  // GELU has no kernel: that layer runs by its call().
  const Symbol g = GRU(5, {.activation = "gelu", .return_sequences = true})(h);
  const Symbol y = Dense(4, {.activation = "softmax"})(Concatenate()({g, Dropout(0.1)(h)}));
  const PackedModel packed(Model({.inputs = {words}, .outputs = {y}}));
  for (const WeightType weights : {WeightType::float32, WeightType::bfloat16, WeightType::int8}) {
    Session session(PackedModel(Model({.inputs = {words}, .outputs = {y}}), {.weights = weights}));
    Session other(packed), fork(packed);
    const long before = allocations;
    const std::size_t bytes = bytes_in_use();
    for (const std::int32_t id : {3, 0, 0, 49, 7, 1}) {
      session.step(id);
      other.step(id);
    }
    fork.set_states(other);
    session.reset();
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(bytes_in_use(), bytes);
  }
}

TEST_F(Allocation, NoneInTheStepsOfFit) {
  const Windows data = windows(wave(82), {.length = 50});
  Sequential model = forecaster();
  model.compile({.optimizer = "adam", .loss = "mse", .metrics = {"mae"}, .threads = 1});
  const auto taken = [&](Index steps) {
    const long before = allocations;
    model.fit(data.x, data.y, {.batch_size = 4, .steps_per_epoch = steps});
    return allocations - before;
  };
  taken(2);
  // What fit takes before and after its steps is the same, however many there are.
  EXPECT_EQ(taken(2), taken(8));
}

}  // namespace
}  // namespace unroll
