// The same bytes on any number of threads, the same seed, and any cut into batches of predict.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/model/lesson_models.h"
#include "unroll/csv.h"
#include "unroll/newer_cells.h"
#include "unroll/scalers.h"

namespace unroll {
namespace {

const std::vector<int> thread_counts{1, 2, 3, 4, 7, 40};

/// Trains with each number of threads and expects the bytes of one.
template <class Train>
void expect_same_bytes(Train train) {
  const auto [weights, losses] = train(1);
  EXPECT_LT(losses.back(), losses.front());
  for (const int threads : thread_counts) {
    const auto [bytes, history] = train(threads);
    EXPECT_EQ(bytes == weights, true) << threads << " threads";
    EXPECT_EQ(history, losses) << threads << " threads";
  }
}

using Trained = std::pair<std::string, std::vector<double>>;

Trained train_forecaster(const Windows& data, int threads) {
  Sequential model = forecaster();
  model.compile({.optimizer = "adam", .loss = "mse", .seed = 7, .threads = threads});
  const History history = model.fit(data.x, data.y, {.batch_size = 32, .epochs = 3});
  return {bytes_of(model), history["loss"]};
}

TEST(Threads, DoNotShowInTheForecaster) {
  const Windows data = windows(wave(700), {.length = 50});
  expect_same_bytes([&](int threads) { return train_forecaster(data, threads); });
}

TEST(Threads, DoNotShowInTheForecasterOfRealData) {
  const char* folder = std::getenv("UNROLL_DATA_DIR");
  if (folder == nullptr) GTEST_SKIP() << "UNROLL_DATA_DIR is not set";
  const auto file = std::filesystem::path(folder) / "vix-daily.csv";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no vix-daily.csv";
  const Tensor series = MinMaxScaler().fit_transform(read_csv(file.string()).column("CLOSE"));
  const Windows data = windows(series, {.length = 50});
  const Trained alone = train_forecaster(data, 1);
  for (const int threads : {2, 3, 4}) {
    EXPECT_EQ(train_forecaster(data, threads) == alone, true) << threads << " threads";
  }
}

TEST(Threads, DoNotShowInTheCritic) {
  const Reviews data = reviews(300, 40, 5000);
  expect_same_bytes([&](int threads) -> Trained {
    Model model = critic(40, 5000);
    model.compile({.optimizer = "adam",
                   .loss = "binary_crossentropy",
                   .metrics = {"accuracy"},
                   .seed = 3,
                   .threads = threads});
    const History history = model.fit(data.words, data.labels, {.batch_size = 64, .epochs = 3});
    return {bytes_of(model), history["loss"]};
  });
}

TEST(Threads, DoNotShowWithDropoutMasksClippingAndPenalties) {
  const Reviews data = reviews(100, 12, 50);
  expect_same_bytes([&](int threads) -> Trained {
    Sequential model{InputLayer({.shape = {12}}),
                     Embedding(50, 8, {.embeddings_regularizer = l2(1e-4), .mask_zero = true}),
                     Bidirectional(GRU(6, {.dropout = 0.1, .return_sequences = true})),
                     LSTM(5, {.recurrent_dropout = 0.1}),
                     Dropout(0.1),
                     Dense(1, {.activation = "sigmoid"})};
    model.compile({.optimizer = RMSprop{.learning_rate = 0.01, .clipnorm = 0.5},
                   .loss = "binary_crossentropy",
                   .seed = 9,
                   .threads = threads});
    const History history = model.fit(data.words, data.labels, {.batch_size = 48, .epochs = 3});
    return {bytes_of(model), history["loss"]};
  });
}

TEST(Threads, DoNotShowInLanesThatGoInSlices) {
  const Windows data = windows(wave(900), {.length = 60});
  expect_same_bytes([&](int threads) -> Trained {
    Sequential model{GRU(12, {.dropout = 0.1}), Dense(1)};
    model.compile({.optimizer = "adam", .loss = "mse", .seed = 5, .threads = threads});
    const History history = model.fit(data.x, data.y, {.batch_size = 700, .epochs = 4});
    return {bytes_of(model), history["loss"]};
  });
}

// One lane, whose products the threads share.
TEST(Threads, DoNotShowWhereFewRowsMeetLargeWeights) {
  const Windows data = windows(wave(60), {.length = 12});
  expect_same_bytes([&](int threads) -> Trained {
    Sequential model{LSTM(160, {.return_sequences = true}), GRU(150), Dense(40), Dense(1)};
    model.compile({.optimizer = "adam", .loss = "mse", .seed = 5, .threads = threads});
    const History history = model.fit(data.x, data.y, {.batch_size = 12, .epochs = 2});
    return {bytes_of(model), history["loss"]};
  });
}

TEST(Threads, DoNotShowInNewerCells) {
  const Windows data = windows(wave(90), {.length = 40});
  for (const Index rows : {7, 50}) {  // one lane that the threads share, and several
    expect_same_bytes([&](int threads) -> Trained {
      Sequential model{MinGRU(160, {.return_sequences = true}),
                       LRU(90, {.return_sequences = true}),
                       QRNN(40, {.window = 3, .dropout = 0.2, .return_sequences = true}),
                       SRU(40, {.return_sequences = true}),
                       MinLSTM(40, {.return_sequences = true}),
                       IndRNN(30),
                       Dense(1)};
      model.compile({.optimizer = "adam", .loss = "mse", .seed = 5, .threads = threads});
      const History history = model.fit(data.x, data.y, {.batch_size = rows, .epochs = 2});
      return {bytes_of(model), history["loss"]};
    });
  }
}

TEST(Seed, NamesEveryRandomNumber) {
  const Windows data = windows(wave(200), {.length = 20});
  const auto trained = [&](std::uint64_t seed) {
    Sequential model{GRU(7, {.dropout = 0.2}), Dense(1)};
    model.compile({.optimizer = "sgd", .loss = "mae", .seed = seed});
    model.fit(data.x, data.y, {.batch_size = 16, .epochs = 2});
    return bytes_of(model);
  };
  const std::string first = trained(1);
  EXPECT_EQ(trained(1) == first, true);
  EXPECT_EQ(trained(2) == first, false);
}

TEST(Predict, GivesARowTheSameBitsWhateverIsBesideIt) {
  const Windows data = windows(wave(190), {.length = 50});
  for (const int threads : {1, 3}) {
    Sequential model = forecaster();
    model.compile({.optimizer = "adam", .loss = "mse", .seed = 7, .threads = threads});
    const Tensor whole = model.predict(data.x);
    ASSERT_EQ(whole.shape(), (Shape{data.x.count(), 1}));
    for (const Index size : {Index{1}, Index{5}, Index{33}}) {
      const Tensor parts = model.predict(data.x, {.batch_size = size});
      EXPECT_EQ(std::memcmp(parts.raw(), whole.raw(), static_cast<std::size_t>(whole.bytes())), 0);
    }
    for (const Index row : {Index{0}, Index{7}, data.x.count() - 1}) {
      const Tensor alone = model.predict(data.x.slice(row, row + 1));
      EXPECT_EQ(alone.at({0, 0}), whole.at({row, 0}));
    }
  }
}

}  // namespace
}  // namespace unroll
