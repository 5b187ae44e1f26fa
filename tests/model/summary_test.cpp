// summary() against Keras's recorded tables.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/model/lesson_models.h"

namespace unroll {
namespace {

/// A text with the blanks at the ends of its lines, and empty lines at its end, taken off.
std::string stripped(std::istream&& text) {
  std::string result;
  for (std::string line; std::getline(text, line);) {
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  }
  while (result.ends_with("\n\n")) result.pop_back();
  return result;
}

class Summary : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("UNROLL_GOLDEN_DIR");
    if (folder == nullptr) GTEST_SKIP() << "UNROLL_GOLDEN_DIR is not set";
    folder_ = std::filesystem::path(folder) / "summary";
  }

  void expect(const std::string& file, const Model& model, const SummaryOptions& options) const {
    std::ifstream recorded(folder_ / file);
    ASSERT_TRUE(recorded) << file;
    const std::string got = stripped(std::istringstream(model.summary(options)));
    const std::string want = stripped(std::move(recorded));
    EXPECT_TRUE(got == want) << file << "\ngot\n" << got << "want\n" << want;
  }
  /// The four ways that most tables are recorded in.
  void expect_all(const std::string& name, const Model& model) const {
    expect(name + ".txt", model, {});
    expect(name + ".1.txt", model, {.columns = 200});
    expect(name + ".2.txt", model, {.line_length = 60});
    expect(name + ".3.txt", model, {.columns = 200, .show_trainable = true});
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(Summary, OfAFunctionalModel) {
  const Symbol words = Input({.shape = {100}});
  const Symbol h = Embedding(5000, 32)(words);
  const Symbol states = SimpleRNN(16, {.return_sequences = true})(h);
  const Model model({.inputs = {words}, .outputs = {Dense(1)(states[{all, -1, all}])}});
  expect_all("functional_imdb", model);
  EXPECT_EQ(model.count_params(), 160801);
}

TEST_F(Summary, OfASequential) {
  const Sequential model{InputLayer({.shape = {50}}),
                         Embedding(1000, 64),
                         Bidirectional(LSTM(32, {.return_sequences = true})),
                         GRU(16),
                         Dropout(0.5),
                         Dense(10)};
  expect_all("sequential_mixed", model);
  EXPECT_EQ(model.count_params(), 92938);
}

TEST_F(Summary, ListsWhatMasksAreMadeByWhereTheyAreRead) {
  const Symbol source = Input({.shape = {unknown}, .name = "enc_in"});
  const Symbol target = Input({.shape = {unknown}, .name = "dec_in"});
  const auto [encoded, h, c] =
      LSTM(128, {.return_state = true})(Embedding(1000, 64, {.mask_zero = true})(source))
          .unpack<3>();
  const Symbol decoded = LSTM(128, {.return_sequences = true})(
      Embedding(1000, 64, {.mask_zero = true})(target), {h, c});
  const Model model({.inputs = {source, target}, .outputs = {Dense(1000)(decoded)}});
  expect("functional_seq2seq.txt", model, {});
  expect("functional_seq2seq.1.txt", model, {.columns = 200});
  EXPECT_EQ(model.count_params(), 454632);
}

TEST_F(Summary, OfAModelThatIsNotBuilt) {
  const Sequential model{Embedding(5000, 32), SimpleRNN(16), Dense(1)};
  expect("unbuilt_sequential.txt", model, {});
  expect("unbuilt_sequential.1.txt", model, {.columns = 200});
}

TEST_F(Summary, CountsTheOptimizerOnceItHasBeenUsed) {
  Sequential model{InputLayer({.shape = {10, 3}}), GRU(8), Dense(1)};
  model.compile({.optimizer = "adam", .loss = "mse"});
  model.fit(Tensor({2, 10, 3}), Tensor({2, 1}));
  expect("compiled_with_optimizer.txt", model, {});
  EXPECT_EQ(model.count_params(), 321);
}

}  // namespace
}  // namespace unroll
