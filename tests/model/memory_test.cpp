// What training takes: said before, and measured.
#include "unroll/memory.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "src/base/memory.h"
#include "src/model/model_impl.h"
#include "tests/model/lesson_models.h"
#include "unroll/convolution.h"
#include "unroll/error.h"

namespace unroll {
namespace {

Tensor zeros(const Shape& shape, DType dtype = DType::float32) { return Tensor(shape, dtype); }

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

std::string megabytes(Index bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) * 1e-6);
  return text;
}

/// UNROLL_MEMORY for as long as it lives.
class Limit {
 public:
  explicit Limit(const char* bytes) { setenv("UNROLL_MEMORY", bytes, 1); }
  ~Limit() { unsetenv("UNROLL_MEMORY"); }
};

/// The arenas are foretold within 5 per cent of what they come to.
void expect_foretold(Model model, const Tensor& x, const Tensor& y, const Loss& loss) {
  model.compile({.optimizer = "adam", .loss = loss, .seed = 3, .threads = 2});
  const Index batch = x.shape()[0], time = x.rank() > 1 ? x.shape()[1] : 0;
  const TrainingMemory memory = training_memory(model, {.batch_size = batch, .time = time});
  for (int i = 0; i < 3; ++i) model.train_on_batch(x, y);
  const Index peak = model.impl().ready(true).arena_peak();
  EXPECT_NEAR(static_cast<double>(memory.arenas) / static_cast<double>(peak), 1, 0.05)
      << memory.arenas << " foretold, " << peak << " taken";
  EXPECT_EQ(memory.optimizer, 2 * model.impl().ready(true).flat().size() * 4);
  EXPECT_GE(memory.lanes * memory.lane_rows, batch);
}

TEST(Memory, OfTheForecasterIsForetold) {
  for (const Index rows : {8, 32, 50, 400}) {
    expect_foretold(forecaster(), zeros({rows, 50, 1}), zeros({rows, 1}), "mse");
  }
}

// Lanes go slice by slice, in an arena that each thread has.
TEST(Memory, OfArenasDoesNotGrowWithTheBatch) {
  Sequential model = forecaster();
  model.compile({.optimizer = "adam", .loss = "mse", .threads = 2});
  const Index some = training_memory(model, {.batch_size = 512}).arenas;
  EXPECT_EQ(training_memory(model, {.batch_size = 4096}).arenas, some);
  model.train_on_batch(zeros({4096, 50, 1}), zeros({4096, 1}));
  EXPECT_NEAR(static_cast<double>(model.impl().ready(true).arena_peak()), static_cast<double>(some),
              0.05 * static_cast<double>(some));
}

TEST(Memory, OfACriticIsForetold) {
  const Sequential model{InputLayer({.shape = {unknown}}),
                         Embedding(500, 32, {.mask_zero = true}),
                         Bidirectional(LSTM(24, {.dropout = 0.2, .return_sequences = true})),
                         GRU(16),
                         Dropout(0.5),
                         Dense(1, {.activation = "sigmoid"})};
  for (const Index rows : {5, 64, 200}) {
    expect_foretold(model, reviews(rows, 40, 500).words, zeros({rows, 1}), "binary_crossentropy");
  }
}

TEST(Memory, OfALanguageModelIsForetold) {
  const Sequential model{InputLayer({.shape = {unknown}}), Embedding(30, 8),
                         LSTM(64, {.return_sequences = true}),
                         Dense(30, {.activation = "softmax"})};
  for (const Index rows : {16, 300}) {
    expect_foretold(model, zeros({rows, 60}, DType::int32), zeros({rows, 60}, DType::int32),
                    "sparse_categorical_crossentropy");
  }
}

TEST(Memory, OfAJoinedBatchIsForetoldAndNothingIsLearnt) {
  const Sequential model{InputLayer({.shape = {20, 3}}), Conv1D(8, 3), BatchNormalization(),
                         SimpleRNN(12), Dense(2)};
  expect_foretold(model, zeros({70, 20, 3}), zeros({70, 2}), "mse");
  Sequential other{InputLayer({.shape = {4}}), BatchNormalization()};
  other.compile({.optimizer = "sgd", .loss = "mse"});
  const auto before = other.get_weights();
  training_memory(other, {.batch_size = 64});
  const auto after = other.get_weights();
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(before[i].values<float>(), after[i].values<float>()));
  }
}

TEST(Memory, IsPartOfASummary) {
  Sequential model = forecaster();
  model.compile({.optimizer = "adam", .loss = "mse"});
  const std::string text = summary(model, {.batch_size = 32});
  EXPECT_TRUE(text.starts_with(model.summary()));
  const std::string rest = text.substr(model.summary().size());
  EXPECT_TRUE(rest.starts_with("Training with batches of 32\n Weights: 0.0 MB\n")) << rest;
  EXPECT_NE(rest.find(" (4 lanes of 8 rows)\n Total: "), std::string::npos) << rest;
}

TEST(Memory, AsksForWhatItNeedsToKnow) {
  Sequential open{InputLayer({.shape = {unknown, 2}}), GRU(4)};
  EXPECT_EQ(refusal([&] { training_memory(open); }),
            "the model \"sequential\" is not compiled\n"
            "hint: model.compile({.optimizer = \"adam\", .loss = \"mse\"})");
  open.compile({});
  EXPECT_EQ(refusal([&] { training_memory(open); }),
            "how long the sequences are is left open\n"
            "  got    input \"input_layer\" (None, None, 2)\n"
            "  want   the steps of a sequence\n"
            "hint: {.batch_size = 32, .time = 100}");
  EXPECT_GT(training_memory(open, {.time = 10}).arenas, 0);
  Sequential unbuilt{GRU(4)};
  EXPECT_EQ(refusal([&] { training_memory(unbuilt); }),
            "the memory of a model that is not built is not known\n"
            "hint: an InputLayer says what the first layer is given");
}

TEST(Memory, FitRefusesWhatDoesNotFitAndTakesWhatDoes) {
  Sequential model{InputLayer({.shape = {100, 4}}), LSTM(32, {.return_sequences = true}), Dense(1)};
  model.compile({.optimizer = "adam", .loss = "mse", .threads = 2});
  const Tensor x({256, 100, 4}), y({256, 100, 1});
  const Limit limit("3000000");
  const TrainingMemory memory = training_memory(model, {.batch_size = 256});
  ASSERT_GT(memory.total(), 3'000'000);
  const std::string said = refusal([&] { model.fit(x, y, {.batch_size = 256}); });
  const std::string before = "training would take more memory than there is\n  got    " +
                             megabytes(memory.total()) + ": weights 0.0 MB, gradients " +
                             megabytes(memory.gradients) +
                             ", optimizer 0.0 MB, 16 lanes of 16 rows " + megabytes(memory.arenas) +
                             "\n  want   at most 3.0 MB\nhint: batch_size = ";
  ASSERT_TRUE(said.starts_with(before)) << said;
  const Index fits = std::stol(said.substr(before.size()));
  EXPECT_TRUE(said.ends_with(std::to_string(fits) + " fits; so may shorter sequences (tbptt)"));
  EXPECT_GT(fits, 64);
  model.fit(x, y, {.batch_size = fits});
  EXPECT_LT(model.impl().ready(true).arena_peak(), 3'000'000);
  model.fit(x, y, {.batch_size = 256, .shuffle = false, .tbptt = 10});
}

TEST(Memory, TheLimitIsANumberOfBytes) {
  {
    const Limit limit("12345");
    EXPECT_EQ(base::available_memory(), 12345);
  }
  {
    const Limit limit("2 GB");
    EXPECT_EQ(refusal([] { base::available_memory(); }),
              "UNROLL_MEMORY is not a number of bytes\n"
              "  got    \"2 GB\"\n"
              "  want   for example 2000000000");
  }
  EXPECT_GT(base::available_memory(), 1'000'000);  // of the machine
}

}  // namespace
}  // namespace unroll
