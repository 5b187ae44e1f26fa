// Laws of recurrent layers: fused as step by step, and halves of a stateful sequence as the whole.
#include "unroll/recurrent.h"

#include <gtest/gtest.h>

#include "src/recurrent/walker.h"
#include "tests/laws/rig.h"

namespace unroll {
namespace {

constexpr Index rows = 5, time = 4;

enum class Kind { simple_rnn, gru, gru_reset_after, lstm };

/// What a sequence is walked with; one of many.
struct Walked {
  Kind kind = Kind::simple_rnn;
  Index units = 5, features = 3;
  Activation activation = "tanh", recurrent_activation = "sigmoid";
  bool use_bias = true;
  Walk walk = {};
  Tensor mask = {};
  bool initial_state = false;
};

std::string described(const Walked& w) {
  const char* kinds[] = {"SimpleRNN", "GRU", "GRU(reset_after)", "LSTM"};
  std::string text = std::string(kinds[static_cast<int>(w.kind)]) + "(" + std::to_string(w.units) +
                     ") " + std::string(w.activation.name()) + " " +
                     std::string(w.recurrent_activation.name());
  if (!w.use_bias) text += " no bias";
  if (w.walk.return_sequences) text += " sequences";
  if (w.walk.return_state) text += " state";
  if (w.walk.go_backwards) text += " backwards";
  if (w.walk.zero_output_for_mask) text += " zero_output";
  if (!w.mask.empty()) text += " masked";
  if (w.initial_state) text += " initial_state";
  return text;
}

template <class Options>
Options with_walk(Options options, const Walked& w) {
  options.activation = w.activation;
  options.use_bias = w.use_bias;
  options.return_sequences = w.walk.return_sequences;
  options.return_state = w.walk.return_state;
  options.go_backwards = w.walk.go_backwards;
  options.stateful = w.walk.stateful;
  options.zero_output_for_mask = w.walk.zero_output_for_mask;
  return options;
}

Layer layer_of(const Walked& w) {
  if (w.kind == Kind::simple_rnn) return SimpleRNN(w.units, with_walk(SimpleRNNOptions{}, w));
  if (w.kind == Kind::lstm) {
    auto options = with_walk(LSTMOptions{}, w);
    options.recurrent_activation = w.recurrent_activation;
    return LSTM(w.units, options);
  }
  auto options = with_walk(GRUOptions{}, w);
  options.recurrent_activation = w.recurrent_activation;
  options.reset_after = w.kind == Kind::gru_reset_after;
  return GRU(w.units, options);
}

struct Found {
  std::vector<Tensor> outputs, gradients;
};

Found walk(const Walked& w, bool step_by_step, DType dtype) {
  std::vector<Tensor> values{noise({rows, time, w.features}, 1)};
  Symbols inputs{Input({.shape = {unknown, w.features}})};
  const int states = w.initial_state ? (w.kind == Kind::lstm ? 2 : 1) : 0;
  for (int i = 0; i < states; ++i) {
    values.push_back(noise({rows, w.units}, static_cast<std::uint64_t>(2 + i)));
    inputs.push_back(Input({.shape = {w.units}}));
  }
  const Symbols called = inputs;
  Symbol mask;
  if (!w.mask.empty()) {
    mask = Input({.shape = {unknown}});
    inputs.push_back(mask);
    values.push_back(w.mask);
  }
  const Layer layer = layer_of(w);
  const Symbol used = layer.connect(called, mask);
  auto& walker = dynamic_cast<WalkerImpl&>(layer.impl());
  EXPECT_TRUE(walker.can_run_fused());
  walker.set_step_by_step(step_by_step);
  Rig rig(inputs, outputs_of(used), values, {.dtype = dtype});
  return {rig.outputs(), rig.gradients()};
}

void expect_same_both_ways(const Walked& w) {
  const Found fused = walk(w, false, DType::float64), steps = walk(w, true, DType::float64);
  const Found rough = walk(w, false, DType::float32);
  ASSERT_EQ(fused.outputs.size(), steps.outputs.size());
  for (std::size_t i = 0; i < fused.outputs.size(); ++i) {
    const double size = 1 + magnitude(steps.outputs[i]);
    EXPECT_LT(distance(fused.outputs[i], steps.outputs[i]), 1e-13 * size) << described(w);
    EXPECT_LT(distance(rough.outputs[i], steps.outputs[i]), 2e-6 * size) << described(w);
  }
  ASSERT_EQ(fused.gradients.size(), steps.gradients.size());
  for (std::size_t i = 0; i < fused.gradients.size(); ++i) {
    const double size = 1 + magnitude(steps.gradients[i]);
    EXPECT_LT(distance(fused.gradients[i], steps.gradients[i]), 1e-12 * size)
        << described(w) << ", gradient " << i;
    EXPECT_LT(distance(rough.gradients[i], steps.gradients[i]), 1e-5 * size)
        << described(w) << ", gradient " << i;
  }
}

Tensor mask_of(std::initializer_list<std::uint8_t> kept) {
  return Tensor::of<std::uint8_t>({rows, time}, kept);
}

/// None; padding on the right and on the left; holes, an empty row, a full one; nothing kept.
std::vector<Tensor> masks() {
  return {
      Tensor(),
      mask_of({1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}),
      mask_of({0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1}),
      mask_of({1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1}),
      mask_of({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
  };
}

class FusedIsStepByStep : public testing::TestWithParam<Kind> {};

TEST_P(FusedIsStepByStep, ForEveryWalkAndMask) {
  for (const Tensor& mask : masks()) {
    for (int flags = 0; flags < 32; ++flags) {
      Walked w{.kind = GetParam(), .mask = mask};
      w.walk.return_sequences = (flags & 1) != 0;
      w.walk.return_state = (flags & 2) != 0;
      w.walk.go_backwards = (flags & 4) != 0;
      w.walk.zero_output_for_mask = (flags & 8) != 0;
      w.initial_state = (flags & 16) != 0;
      expect_same_both_ways(w);
    }
  }
}

TEST_P(FusedIsStepByStep, ForEveryActivation) {
  const Activation fusable[] = {"linear", "relu", "sigmoid", "tanh", "hard_sigmoid"};
  for (const Activation activation : fusable) {
    for (const Activation recurrent : fusable) {
      for (const bool use_bias : {false, true}) {
        Walked w{.kind = GetParam(),
                 .activation = activation,
                 .recurrent_activation = recurrent,
                 .use_bias = use_bias,
                 .walk = {.return_sequences = true},
                 .mask = masks()[3]};
        expect_same_both_ways(w);
        if (w.kind == Kind::simple_rnn && recurrent != fusable[0]) break;
      }
    }
  }
}

TEST_P(FusedIsStepByStep, ForManySizes) {
  for (const Index units : {Index{1}, Index{8}, Index{16}, Index{17}, Index{33}}) {
    for (const Index features : {Index{1}, Index{2}, Index{19}}) {
      expect_same_both_ways({.kind = GetParam(), .units = units, .features = features});
    }
  }
}

std::string name_of(const testing::TestParamInfo<Kind>& info) {
  switch (info.param) {
    case Kind::simple_rnn:
      return "SimpleRNN";
    case Kind::gru:
      return "GRU";
    case Kind::gru_reset_after:
      return "GRUResetAfter";
    default:
      return "LSTM";
  }
}

INSTANTIATE_TEST_SUITE_P(Laws, FusedIsStepByStep,
                         testing::Values(Kind::simple_rnn, Kind::gru, Kind::gru_reset_after,
                                         Kind::lstm),
                         name_of);

}  // namespace
}  // namespace unroll
