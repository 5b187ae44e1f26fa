// Law of the newer cells: the scan over a whole sequence gives what their steps give, values and
// gradients, for every walk and mask.
#include <gtest/gtest.h>

#include "src/recurrent/walker.h"
#include "tests/laws/rig.h"
#include "unroll/newer_cells.h"

namespace unroll {
namespace {

constexpr Index rows = 5, time = 4, features = 3, units = 5;

struct Kind {
  std::string name;
  std::function<Recurrent(const Walk&)> make;
  std::vector<Index> states = {units};
};

template <class L, class Options>
Kind kind(std::string name, Options options, std::vector<Index> states = {units}) {
  const auto make = [options](const Walk& walk) -> Recurrent {
    Options o = options;
    o.return_sequences = walk.return_sequences;
    o.return_state = walk.return_state;
    o.go_backwards = walk.go_backwards;
    o.zero_output_for_mask = walk.zero_output_for_mask;
    return L(units, o);
  };
  return {std::move(name), make, std::move(states)};
}

std::vector<Kind> kinds() {
  return {
      kind<MinGRU>("MinGRU", MinGRUOptions{}),
      kind<MinGRU>("MinGRUTanhNoBias", MinGRUOptions{.activation = "tanh", .use_bias = false}),
      kind<MinLSTM>("MinLSTM", MinLSTMOptions{}),
      kind<MinLSTM>("MinLSTMRelu", MinLSTMOptions{.activation = "relu"}),
      kind<LRU>("LRU", LRUOptions{}, {2 * units}),
      kind<LRU>("LRUOfManyStates", LRUOptions{.state_size = 9}, {18}),
      kind<QRNN>("QRNN", QRNNOptions{}, {units, features}),
      kind<QRNN>("QRNNOfThree", QRNNOptions{.window = 3, .activation = "linear"},
                 {units, 2 * features}),
      kind<QRNN>("QRNNOfOne", QRNNOptions{.window = 1, .use_bias = false}),
      kind<SRU>("SRU", SRUOptions{.highway_bias = -1}),
      kind<SRU>("SRUWithoutHighway", SRUOptions{.highway = false}),
      kind<IndRNN>("IndRNN", IndRNNOptions{.activation = "sigmoid"}),
  };
}

struct Found {
  std::vector<Tensor> outputs, gradients;
};

Found walk(const Kind& kind, const Walk& how, const Tensor& mask_values, bool initial, bool steps,
           DType dtype) {
  std::vector<Tensor> values{noise({rows, time, features}, 1)};
  Symbols inputs{Input({.shape = {unknown, features}})};
  for (const Index size : initial ? kind.states : std::vector<Index>()) {
    values.push_back(noise({rows, size}, static_cast<std::uint64_t>(size)));
    inputs.push_back(Input({.shape = {size}}));
  }
  const Symbols called = inputs;
  Symbol mask;
  if (!mask_values.empty()) {
    mask = Input({.shape = {unknown}});
    inputs.push_back(mask);
    values.push_back(mask_values);
  }
  const Recurrent layer = kind.make(how);
  const Symbol used = layer.connect(called, mask);
  auto& walker = dynamic_cast<WalkerImpl&>(layer.impl());
  EXPECT_TRUE(walker.can_run_fused());
  walker.set_step_by_step(steps);
  Rig rig(inputs, outputs_of(used), values, {.dtype = dtype});
  return {rig.outputs(), rig.gradients()};
}

void expect_near(const std::vector<Tensor>& got, const std::vector<Tensor>& want, double room,
                 const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_LT(distance(got[i], want[i]), room * (1 + magnitude(want[i]))) << what << ", " << i;
  }
}

/// None; padding on the right and on the left; holes, an empty row, a full one; nothing kept.
std::vector<Tensor> masks() {
  const auto mask_of = [](std::initializer_list<std::uint8_t> kept) {
    return Tensor::of<std::uint8_t>({rows, time}, kept);
  };
  return {
      Tensor(),
      mask_of({1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}),
      mask_of({0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1}),
      mask_of({1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1}),
      mask_of({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
  };
}

class ScanIsStepByStep : public testing::TestWithParam<std::size_t> {};

TEST_P(ScanIsStepByStep, ForEveryWalkAndMask) {
  const Kind kind = kinds()[GetParam()];
  std::size_t masked = 0;
  for (const Tensor& mask : masks()) {
    for (int flags = 0; flags < 32; ++flags) {
      const Walk how{.return_sequences = (flags & 1) != 0,
                     .return_state = (flags & 2) != 0,
                     .go_backwards = (flags & 4) != 0,
                     .zero_output_for_mask = (flags & 8) != 0};
      const bool initial = (flags & 16) != 0;
      const std::string what =
          kind.name + ", flags " + std::to_string(flags) + ", mask " + std::to_string(masked);
      const Found scan = walk(kind, how, mask, initial, false, DType::float64);
      const Found rough = walk(kind, how, mask, initial, false, DType::float32);
      const Found steps = walk(kind, how, mask, initial, true, DType::float64);
      expect_near(scan.outputs, steps.outputs, 1e-13, what);
      expect_near(scan.gradients, steps.gradients, 1e-12, what + ", gradient");
      expect_near(rough.outputs, steps.outputs, 3e-6, what + ", float32");
      expect_near(rough.gradients, steps.gradients, 2e-5, what + ", gradient, float32");
    }
    ++masked;
  }
}

INSTANTIATE_TEST_SUITE_P(Laws, ScanIsStepByStep, testing::Range<std::size_t>(0, kinds().size()),
                         [](const auto& info) { return kinds()[info.param].name; });

TEST(LinearScan, IsALayerOfOnesOwn) {
  const Tensor a = noise({6, 2, 3}, 1), b = noise({6, 2, 3}, 2), h0 = noise({2, 3}, 3);
  const auto run = [&](bool by_steps) {
    Tape tape(DType::float64);
    const Var va = tape.variable(a), vb = tape.variable(b), v0 = tape.variable(h0);
    Var h = v0, total;
    if (by_steps) {
      for (Index t = 0; t < 6; ++t) {
        h = va[{t}] * h + vb[{t}];
        total = t == 0 ? sum(h * h) : total + sum(h * h);
      }
    } else {
      const Var all_steps = linear_scan(va, vb, v0);
      total = sum(all_steps * all_steps);
    }
    tape.backward(total);
    return std::vector<Tensor>{tape.gradient(va), tape.gradient(vb), tape.gradient(v0)};
  };
  expect_near(run(false), run(true), 1e-14, "gradient");
}

TEST(LinearScan, RefusesOtherShapes) {
  Tape tape(DType::float64);
  const Var a = tape.constant(noise({6, 2}, 1)), b = tape.constant(noise({5, 2}, 2));
  try {
    linear_scan(a, b);
    FAIL() << "other shapes were not refused";
  } catch (const std::exception& error) {
    EXPECT_EQ(std::string(error.what()),
              "linear_scan: shapes do not fit\n"
              "  got    (6, 2), (5, 2)\n"
              "  want   a and b (time, ...), and h0 of a step's shape");
  }
  EXPECT_EQ(linear_scan(a, a).shape().to_string(), "(6, 2)");
}

}  // namespace
}  // namespace unroll
