// Laws of states: two halves of a sequence are the whole, sessions do not see each other.
#include <gtest/gtest.h>

#include "tests/laws/rig.h"
#include "unroll/model.h"
#include "unroll/newer_cells.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

constexpr Index rows = 11, time = 7, features = 3, units = 4;

/// Makes a layer with or without states.
struct Maker {
  std::string name;
  std::function<Recurrent(bool stateful)> make;
};

std::vector<Maker> makers() {
  return {
      {"SimpleRNN",
       [](bool s) { return SimpleRNN(units, {.return_sequences = true, .stateful = s}); }},
      {"GRU", [](bool s) { return GRU(units, {.return_sequences = true, .stateful = s}); }},
      {"GRUResetBefore",
       [](bool s) {
         return GRU(units, {.return_sequences = true, .stateful = s, .reset_after = false});
       }},
      {"LSTM", [](bool s) { return LSTM(units, {.return_sequences = true, .stateful = s}); }},
      {"MinGRU", [](bool s) { return MinGRU(units, {.return_sequences = true, .stateful = s}); }},
      {"MinLSTM", [](bool s) { return MinLSTM(units, {.return_sequences = true, .stateful = s}); }},
      {"LRU", [](bool s) { return LRU(units, {.return_sequences = true, .stateful = s}); }},
      {"QRNN",
       [](bool s) { return QRNN(units, {.window = 3, .return_sequences = true, .stateful = s}); }},
      {"SRU", [](bool s) { return SRU(units, {.return_sequences = true, .stateful = s}); }},
      {"IndRNN", [](bool s) { return IndRNN(units, {.return_sequences = true, .stateful = s}); }},
      {"ESN", [](bool s) { return ESN(units, {.return_sequences = true, .stateful = s}); }},
      {"RNNOfTwoCells",
       [](bool s) {
         return RNN(std::vector<Cell>{LSTMCell(units), GRUCell(units)},
                    {.return_sequences = true, .stateful = s});
       }},
  };
}

/// A model of one layer, all with the same weights.
Model model_of(const Recurrent& layer) {
  const Symbol x = Input({.shape = {unknown, features}});
  Model model({.inputs = {x}, .outputs = {layer(x)}});
  std::vector<Tensor> weights;
  std::uint64_t stream = 70;
  for (const Tensor& weight : model.get_weights()) {
    weights.push_back(noise(weight.shape(), stream++, 0.6, DType::float32));
  }
  model.set_weights(weights);
  return model;
}

/// Steps [first, last) of sequences (rows, time, n).
Tensor steps(const Tensor& x, Index first, Index last) {
  const Index n = x.shape()[2];
  Tensor part({x.shape()[0], last - first, n});
  for (Index r = 0; r < x.shape()[0]; ++r) {
    std::copy_n(x.floats() + (r * x.shape()[1] + first) * n, (last - first) * n,
                part.floats() + r * (last - first) * n);
  }
  return part;
}

class OfStates : public testing::TestWithParam<std::size_t> {
 protected:
  Maker maker() const { return makers()[GetParam()]; }
  const Tensor x = noise({rows, time, features}, 60, 1, DType::float32);
};

TEST_P(OfStates, HalvesAreTheWhole) {
  Model whole = model_of(maker().make(false)), halves = model_of(maker().make(true));
  const Tensor want = whole.predict(x);
  for (const Index cut : {Index{1}, Index{3}, Index{6}}) {
    halves.reset_states();
    const Tensor first = halves.predict(steps(x, 0, cut), {.batch_size = rows});
    const Tensor second = halves.predict(steps(x, cut, time), {.batch_size = rows});
    EXPECT_EQ(distance(first, steps(want, 0, cut)), 0);
    EXPECT_EQ(distance(second, steps(want, cut, time)), 0);
  }
}

TEST_P(OfStates, BelongToASession) {
  Model model = model_of(maker().make(true));
  const Tensor start = steps(x, 0, 2), next = steps(x, 2, 4);
  Session alice, bob;
  const Tensor alone = model.predict(bob, next, {.batch_size = rows});
  bob.reset();
  model.predict(alice, start, {.batch_size = rows});
  const Tensor after = model.predict(alice, next, {.batch_size = rows});
  EXPECT_EQ(distance(model.predict(bob, next, {.batch_size = rows}), alone), 0);
  EXPECT_GT(distance(after, alone), 1e-3);
  alice.reset();
  EXPECT_EQ(distance(model.predict(alice, next, {.batch_size = rows}), alone), 0);
}

TEST_P(OfStates, KeepAStateForEveryRow) {
  Model model = model_of(maker().make(true));
  model.predict(x, {.batch_size = rows});
  try {
    model.predict(steps(x, 0, 1).rows(0, rows - 1), {.batch_size = rows - 1});
    FAIL() << "a batch of another size was not refused";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what())
                  .find("the batch has another number of rows\n"
                        "  got    10\n"
                        "  want   11, as in the batch before\n"),
              std::string::npos)
        << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Laws, OfStates, testing::Range<std::size_t>(0, makers().size()),
                         [](const auto& info) { return makers()[info.param].name; });

}  // namespace
}  // namespace unroll
