// ConvLSTM1D and ConvLSTM2D. A convolution is a product with a large matrix that is mostly zeros:
// with such matrices an ordinary LSTM is their specification.
#include "unroll/conv_lstm.h"

#include <cmath>

#include "tests/layers/rig.h"

namespace unroll {
namespace {

double distance(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return HUGE_VAL;
  double worst = 0;
  for (Index i = 0; i < a.elements(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    worst = std::max(
        worst, a.dtype() == DType::float64
                   ? std::abs(a.values<double>()[at] - b.values<double>()[at])
                   : static_cast<double>(std::abs(a.values<float>()[at] - b.values<float>()[at])));
  }
  return worst;
}

struct Window {
  Index kernel[2], stride[2], dilation[2];
  bool same;
};

struct Places {
  Index height, width;
};

/// One axis: places of the result, and zeros before.
std::pair<Index, Index> slid(const Window& w, int axis, Index size) {
  const Index reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1, stride = w.stride[axis];
  if (!w.same) return {(size - reach) / stride + 1, 0};
  const Index out = (size + stride - 1) / stride;
  return {out, std::max<Index>((out - 1) * stride + reach - size, 0) / 2};
}

/// The matrix (places channels, gates places' filters) of a convolution by kernel (kh, kw,
/// channels, gates filters).
Tensor matrix_of(const Tensor& kernel, const Window& w, Places from, Index gates) {
  const auto [out_height, before_y] = slid(w, 0, from.height);
  const auto [out_width, before_x] = slid(w, 1, from.width);
  const Index channels = kernel.shape()[2], filters = kernel.shape()[3] / gates;
  const Index places = out_height * out_width, columns = gates * places * filters;
  Tensor matrix({from.height * from.width * channels, columns}, DType::float64);
  for (Index y = 0; y < out_height; ++y) {
    for (Index x = 0; x < out_width; ++x) {
      for (Index i = 0; i < w.kernel[0]; ++i) {
        for (Index j = 0; j < w.kernel[1]; ++j) {
          const Index r = y * w.stride[0] + i * w.dilation[0] - before_y;
          const Index c = x * w.stride[1] + j * w.dilation[1] - before_x;
          if (r < 0 || r >= from.height || c < 0 || c >= from.width) continue;
          for (Index k = 0; k < channels; ++k) {
            for (Index n = 0; n < gates * filters; ++n) {
              const Index row = (r * from.width + c) * channels + k;
              const Index column =
                  (n / filters * places + y * out_width + x) * filters + n % filters;
              matrix.values<double>()[static_cast<std::size_t>(row * columns + column)] =
                  kernel.at({i, j, k, n});
            }
          }
        }
      }
    }
  }
  return matrix;
}

/// The bias of each gate, repeated at every place.
Tensor repeated(const Tensor& bias, Index places) {
  const Index filters = bias.shape()[0] / 4;
  Tensor result({4 * places * filters}, DType::float64);
  for (Index i = 0; i < result.elements(); ++i) {
    result.values<double>()[static_cast<std::size_t>(i)] =
        bias.at({i / (places * filters) * filters + i % filters});
  }
  return result;
}

struct Case {
  std::string name;
  int axes;
  Window window;
  bool go_backwards = false;
  bool masked = false;
};

class OfEachWindow : public testing::TestWithParam<Case> {
 protected:
  static constexpr Index filters = 2;

  ConvLSTMOptions options() const {
    const Window& w = GetParam().window;
    const bool one = GetParam().axes == 1;
    return {.strides = one ? Shape{w.stride[1]} : Shape{w.stride[0], w.stride[1]},
            .padding = w.same ? "same" : "valid",
            .dilation_rate = one ? Shape{w.dilation[1]} : Shape{w.dilation[0], w.dilation[1]},
            .return_sequences = true,
            .return_state = true,
            .go_backwards = GetParam().go_backwards};
  }
  Example example(const ConvLSTMOptions& options) const {
    const Window& w = GetParam().window;
    const bool one = GetParam().axes == 1;
    Example e{"",
              [=] {
                return one ? Layer(ConvLSTM1D(filters, w.kernel[1], options))
                           : Layer(ConvLSTM2D(filters, {w.kernel[0], w.kernel[1]}, options));
              },
              {one ? noise({2, 4, 5, 3}, 1) : noise({2, 4, 4, 5, 3}, 1)}};
    if (GetParam().masked) e.masks = {mask_of({2, 4}, {0, 1, 0, 1, 1, 1, 1, 0})};
    return e;
  }
};

TEST_P(OfEachWindow, IsAnLSTMWithMatricesMostlyOfZeros) {
  const Example convolutional = example(options());
  const Layer layer = built(convolutional);
  auto weights = layer.get_weights();
  if (GetParam().axes == 1) {
    for (std::size_t i = 0; i < 2; ++i) {
      const Shape& s = weights[i].shape();
      weights[i] = weights[i].reshape({1, s[0], s[1], s[2]});
    }
  }
  const Window& w = GetParam().window;
  const Places from{GetParam().axes == 1 ? 1 : 4, 5};
  const Places to{slid(w, 0, from.height).first, slid(w, 1, from.width).first};
  const Window state{{w.kernel[0], w.kernel[1]}, {1, 1}, {1, 1}, true};
  const Index places = to.height * to.width, units = places * filters;

  const LSTMOptions o{
      .return_sequences = true, .return_state = true, .go_backwards = GetParam().go_backwards};
  Example dense{"",
                [=] { return Layer(LSTM(units, o)); },
                {convolutional.inputs[0].reshape({2, 4, unknown})},
                convolutional.masks};
  const Layer lstm = built(dense);
  lstm.impl().parameters()[0]->assign(matrix_of(weights[0], w, from, 4));
  lstm.impl().parameters()[1]->assign(matrix_of(weights[1], state, to, 4));
  lstm.impl().parameters()[2]->assign(repeated(weights[2], places));
  const Outcome want = run(lstm, dense, {.time_first = true});
  const Outcome got = run(layer, convolutional, {.time_first = true});
  ASSERT_EQ(got.outputs.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_LE(distance(got.outputs[i].reshape(want.outputs[i].shape()), want.outputs[i]), 1e-12);
  }
  EXPECT_EQ(got.kept, want.kept);
}

TEST_P(OfEachWindow, RowHasTheSameBitsInAnyLane) {
  Example e = example(options());
  const Layer layer = built(e, DType::float32);
  e.inputs[0] = e.inputs[0].to(DType::float32);
  const Outcome whole = run(layer, e, {.time_first = true});
  for (Index row = 0; row < 2; ++row) {
    const Outcome alone =
        run(layer, e, {.time_first = true, .first_row = row, .last_row = row + 1});
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(distance(alone.outputs[i], whole.outputs[i].rows(row, row + 1)), 0);
    }
  }
}

/// As worst_gradient, time first.
TEST_P(OfEachWindow, GradientsAreThoseOfCentralDifferences) {
  EXPECT_LE(worst_gradient(example(options()), true), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(
    ConvLSTM, OfEachWindow,
    testing::Values(Case{"one_place", 1, {{1, 1}, {1, 1}, {1, 1}, false}},
                    Case{"valid", 1, {{1, 3}, {1, 1}, {1, 1}, false}},
                    Case{"same_masked", 1, {{1, 3}, {1, 1}, {1, 1}, true}, false, true},
                    Case{"strides_backwards", 1, {{1, 2}, {1, 2}, {1, 1}, true}, true, true},
                    Case{"dilated", 1, {{1, 2}, {1, 1}, {1, 2}, true}},
                    Case{"two_axes", 2, {{3, 2}, {1, 1}, {1, 1}, false}},
                    Case{"two_axes_same", 2, {{2, 3}, {2, 1}, {1, 1}, true}, false, true}),
    [](const auto& info) { return info.param.name; });

TEST(ConvLSTM, DropoutHasGradientsOfItsOwn) {
  const Example e{
      "",
      [] {
        return Layer(ConvLSTM1D(
            2, 2,
            {.padding = "same", .activation = "gelu", .dropout = 0.3, .recurrent_dropout = 0.3}));
      },
      {noise({2, 3, 4, 2}, 5)},
      {},
      true};
  EXPECT_LE(worst_gradient(e, true), 1e-6);
  const Layer layer = built(e);
  Example inference = e;
  inference.training = false;
  const Tensor dropped = run(layer, e, {.time_first = true}).outputs[0];
  EXPECT_GT(distance(dropped, run(layer, inference, {.time_first = true}).outputs[0]), 0.01);
}

TEST(ConvLSTM, StatefulHalvesAreTheWhole) {
  const auto make = [](bool stateful) {
    return [stateful] {
      return Layer(
          ConvLSTM1D(2, 3, {.padding = "same", .return_sequences = true, .stateful = stateful}));
    };
  };
  const Tensor x = noise({2, 6, 4, 2}, 5);
  const Example whole{"", make(false), {x}};
  const Layer plain = built(whole);
  const Tensor want = run(plain, whole, {.time_first = true}).outputs[0];
  Example half{"", make(true), {x}};
  const Layer layer = built(half);
  std::vector<Tensor> states;
  for (const Shape& shape : layer.impl().state_shapes(2))
    states.emplace_back(shape, DType::float64);
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(states[0].shape(), (Shape{2, 4, 2}));
  Tape tape(DType::float64, false);
  const Var all_steps = tape.constant(x), all_wanted = tape.constant(want);
  for (Index first : {0, 3}) {
    half.inputs = {all_steps[{all, range(first, first + 3)}].tensor()};
    const Tensor got = run(layer, half, {.time_first = true, .states = states}).outputs[0];
    EXPECT_EQ(distance(got, all_wanted[{all, range(first, first + 3)}].tensor()), 0);
  }
}

TEST(ConvLSTM, MaskedStepsGiveTheOutputBeforeOrZeros) {
  for (const bool zeros : {false, true}) {
    const Example e{
        "",
        [zeros] {
          return Layer(ConvLSTM1D(1, 1, {.return_sequences = true, .zero_output_for_mask = zeros}));
        },
        {noise({1, 3, 2, 1}, 5)},
        {mask_of({1, 3}, {0, 1, 0})}};
    const Tensor y = run(built(e), e, {.time_first = true}).outputs[0];
    for (Index place = 0; place < 2; ++place) {
      EXPECT_EQ(y.at({0, 0, place, 0}), 0);
      EXPECT_NE(y.at({0, 1, place, 0}), 0);
      EXPECT_EQ(y.at({0, 2, place, 0}), zeros ? 0 : y.at({0, 1, place, 0}));
    }
  }
}

TEST(ConvLSTM, ForgetGateBeginsOpen) {
  const ConvLSTM1D layer(2, 3);
  const Shape shape{unknown, 4, 5, 3};
  layer.impl().build_once(std::span(&shape, 1));
  const Tensor bias = layer.get_weights()[2];
  for (Index i = 0; i < 8; ++i) EXPECT_EQ(bias.at({i}), i / 2 == 1 ? 1 : 0);
}

TEST(ConvLSTM, Refuses) {
  const auto refused = [](const Layer& layer, std::vector<Shape> inputs) {
    return refusal([&] {
      layer.impl().build_once(inputs);
      layer.impl().output_shapes(inputs);
    });
  };
  const Shape film{unknown, 4, 8, 8, 3};
  EXPECT_EQ(refused(ConvLSTM2D(2, {3}), {film}), "");
  EXPECT_EQ(refused(ConvLSTM1D(2, 3), {film}),
            "ConvLSTM1D: the input has the wrong rank\n"
            "  got    (None, 4, 8, 8, 3)\n  want   (batch, time, width, channels)");
  EXPECT_EQ(refused(ConvLSTM2D(2, {9}), {film}),
            "ConvLSTM2D: the input is shorter than the window\n"
            "  got    (None, 4, 8, 8, 3)\n  want   at least 9 along axis 2\n"
            "hint: padding \"same\" takes any length");
  EXPECT_EQ(refused(ConvLSTM2D(2, {3}), {film, {unknown, 6, 6, 2}}),
            "ConvLSTM2D: another number of initial states\n  got    1\n  want   2");
  EXPECT_EQ(refused(ConvLSTM2D(2, {3}), {film, {unknown, 6, 6, 2}, {unknown, 8, 6, 2}}),
            "ConvLSTM2D: an initial state has another shape\n"
            "  got    (None, 8, 6, 2)\n  want   (None, 6, 6, 2)");
  EXPECT_EQ(refused(ConvLSTM2D(2, {3}, {.stateful = true}), {{unknown, 4, unknown, 8, 3}}),
            "ConvLSTM2D: a stateful layer's places are not known\n"
            "  got    (None, 4, None, 8, 3)");
  EXPECT_EQ(refusal([] { ConvLSTM1D(2, 3, {.dropout = 2}); }),
            "ConvLSTM1D: dropout is not a probability\n  got    2.000000\n  want   0 to 1");
}

}  // namespace
}  // namespace unroll
