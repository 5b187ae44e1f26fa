// What traces show agrees with what the model gives; how they are drawn, written, refused.
#include "unroll/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/refused.h"
#include "unroll/layers.h"
#include "unroll/recurrent.h"

namespace unroll {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr Index rows = 3, time_steps = 7, units = 4;

Tensor ids() {
  // Padded in front, inside, and not at all.
  return Tensor::of<std::int32_t>({rows, time_steps}, {0, 0, 3, 1, 4, 1, 5,  //
                                                       2, 0, 6, 5, 0, 3, 5,  //
                                                       8, 9, 7, 9, 3, 2, 3});
}

Sequential model_with(const Layer& recurrent) {
  Sequential model{InputLayer({.shape = {time_steps}}), Embedding(10, 5, {.mask_zero = true}),
                   recurrent};
  model.compile({.seed = 3});
  model.predict(ids());  // gives the weights their first values
  return model;
}

bool kept(Index row, Index t) { return ids().at({row, t}) != 0; }

/// Hidden states are what a layer with return_sequences gives at steps that count.
void expect_hidden(const Sequential& model, const char* part = "hidden", Index first = 0) {
  const Layer layer = model.layers().back();
  const Trace seen = trace(model, layer.name(), ids());
  Model copy = model;
  const Tensor y = copy.predict(ids())[0], &hidden = seen[part];
  ASSERT_EQ(hidden.shape(), (Shape{rows, time_steps, units}));
  for (Index row = 0; row < rows; ++row) {
    for (Index t = 0; t < time_steps; ++t) {
      for (Index u = 0; u < units; ++u) {
        if (kept(row, t)) {
          EXPECT_NEAR(hidden.at({row, t, u}), y.at({row, t, first + u}), 1e-5);
        } else {
          EXPECT_TRUE(std::isnan(hidden.at({row, t, u})));
        }
      }
    }
  }
}

TEST(Trace, HiddenStatesAreTheLayersOutputs) {
  expect_hidden(model_with(SimpleRNN(units, {.return_sequences = true})));
  expect_hidden(model_with(
      SimpleRNN(units, {.activation = "relu", .use_bias = false, .return_sequences = true})));
  expect_hidden(model_with(GRU(units, {.return_sequences = true})));
  expect_hidden(model_with(GRU(units, {.return_sequences = true, .reset_after = false})));
  expect_hidden(model_with(GRU(units, {.use_bias = false, .return_sequences = true})));
  expect_hidden(model_with(LSTM(units, {.return_sequences = true})));
  expect_hidden(model_with(RNN(LSTMCell(units), {.return_sequences = true})));
}

TEST(Trace, OfBothDirections) {
  const Sequential model =
      model_with(Bidirectional(GRU(units, {.bias_initializer = "ones", .return_sequences = true})));
  expect_hidden(model, "forward_hidden", 0);
  expect_hidden(model, "backward_hidden", units);
}

TEST(Trace, ShowsAllStepsOfALayerThatGivesTheLast) {
  const Sequential model = model_with(LSTM(units));
  const Trace seen = trace(model, "lstm", ids());
  Model copy = model;
  const Tensor last = copy.predict(ids())[0];
  for (Index u = 0; u < units; ++u) {
    EXPECT_NEAR(seen["hidden"].at({2, time_steps - 1, u}), last.at({2, u}), 1e-5);
  }
}

TEST(Trace, GatesMakeTheStates) {
  const Trace gru = trace(model_with(GRU(units)), "gru", ids());
  for (Index t = 1; t < time_steps; ++t) {
    for (Index u = 0; u < units; ++u) {
      const auto at = [&](const char* part, Index step) { return gru[part].at({2, step, u}); };
      const double z = at("update_gate", t);
      EXPECT_NEAR(at("hidden", t), z * at("hidden", t - 1) + (1 - z) * at("candidate", t), 1e-6);
      EXPECT_THAT(at("reset_gate", t), testing::AllOf(testing::Gt(0), testing::Lt(1)));
    }
  }
  const Trace lstm = trace(model_with(LSTM(units)), "lstm", ids());
  for (Index t = 1; t < time_steps; ++t) {
    for (Index u = 0; u < units; ++u) {
      const auto at = [&](const char* part, Index step) { return lstm[part].at({2, step, u}); };
      const double cell =
          at("forget_gate", t) * at("cell", t - 1) + at("input_gate", t) * at("candidate", t);
      EXPECT_NEAR(at("cell", t), cell, 1e-6);
      EXPECT_NEAR(at("hidden", t), at("output_gate", t) * std::tanh(cell), 1e-6);
    }
  }
}

TEST(Trace, OfAnyOtherLayerIsItsOutput) {
  const Sequential model = model_with(SimpleRNN(units, {.return_sequences = true}));
  const Trace seen = trace(model, "embedding", ids());
  ASSERT_EQ(seen.parts.size(), 1u);
  EXPECT_EQ(seen["output"].shape(), (Shape{rows, time_steps, 5}));
  const Tensor table = model.get_layer("embedding").get_weights()[0];
  EXPECT_EQ(seen["output"].at({0, 2, 1}), table.at({3, 1}));
}

TEST(Saturation, CountsWhatIsNearTheEnds) {
  Trace made{.layer = "gru", .parts = {}};
  made.parts.push_back(
      {"update_gate", Tensor::of<float>({1, 5, 1}, {0.01F, 0.5F, 0.97F, 0.99F, NAN}), 0, 1});
  made.parts.push_back({"hidden", Tensor::of<float>({1, 4, 1}, {-0.95F, -0.85F, 0, 0.95F}), -1, 1});
  made.parts.push_back({"cell", Tensor({1, 1, 1}), 0, 0});
  const auto found = saturation(made);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].part, "update_gate");
  EXPECT_EQ(found[0].low, 0.25);
  EXPECT_EQ(found[0].high, 0.5);
  EXPECT_EQ(found[1].low, 0.25);
  EXPECT_EQ(found[1].high, 0.25);
}

TEST(Trace, AsATable) {
  Trace made{.layer = "rnn", .parts = {}};
  made.parts.push_back({"hidden", Tensor::of<float>({1, 2, 2}, {0.5F, NAN, -1, 0.1F}), -1, 1});
  EXPECT_EQ(to_csv(made), "step,hidden_0,hidden_1\n0,0.5,\n1,-1,0.1\n");
  EXPECT_EQ(to_csv(made, {.steps = {"a", "b,\"c"}}),
            "step,word,hidden_0,hidden_1\n0,a,0.5,\n1,\"b,\"\"c\",-1,0.1\n");
}

TEST(Trace, AsPictures) {
  if (std::system("gnuplot --version >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "gnuplot is not installed";
  }
  const Trace seen = trace(model_with(GRU(units)), "gru", ids());
  const TraceView view{.row = 1, .steps = {"a", "b", "c", "d", "e", "f", "g"}};
  EXPECT_THAT(unit_lines(seen, "hidden", view).svg(),
              testing::AllOf(HasSubstr("hidden of \"gru\""), HasSubstr("unit 3")));
  EXPECT_THAT(heat_map(seen, "update_gate", view).svg(),
              testing::AllOf(HasSubstr("update_gate"), HasSubstr(">g<")));
  EXPECT_THAT(heat_map(seen, "update_gate", view).text(), HasSubstr("0 is ' ', 1 is '@'"));
}

TEST(Trace, Refuses) {
  const Sequential model = model_with(GRU(units));
  const Trace seen = trace(model, "gru", ids());
  EXPECT_EQ(refused_with_kind([&] { seen["forget_gate"]; }),
            "value: trace: layer \"gru\" has no such part\n"
            "  got    \"forget_gate\"\n"
            "  want   one of hidden, update_gate, reset_gate, candidate");
  EXPECT_THAT(refused_with_kind([&] { trace(model, "lstm", ids()); }), StartsWith("value: "));
  EXPECT_EQ(refused_with_kind([&] {
              trace(model, "gru", Tensor({2, 3}));
            }),
            "shape: input \"input_layer\" has another shape\n"
            "  got    (2, 3)\n"
            "  want   (None, 7)");
  EXPECT_EQ(refused_with_kind([&] { heat_map(seen, "hidden", {.row = 3}); }),
            "value: trace: no such row\n"
            "  got    3\n"
            "  want   0 to 2");
  EXPECT_EQ(refused_with_kind([&] { unit_lines(seen, "hidden", {.steps = {"a"}}); }),
            "shape: trace: not a word for each step\n"
            "  got    1\n"
            "  want   7");
  const Trace flat{.layer = "dense", .parts = {{"output", Tensor({2, 3})}}};
  EXPECT_EQ(refused_with_kind([&] { to_csv(flat); }),
            "shape: trace: \"output\" has no steps\n"
            "  got    (2, 3)\n"
            "  want   (rows, time, units)");
}

}  // namespace
}  // namespace unroll
