// Layers against their definitions, written as plain loops.
#include <cmath>

#include "tests/layers/rig.h"
#include "unroll/attention.h"
#include "unroll/convolution.h"

namespace unroll {
namespace {

void expect_close(const Tensor& got, const Tensor& want, double allowed = 1e-12) {
  ASSERT_EQ(got.shape(), want.shape());
  for (std::size_t i = 0; i < want.values<double>().size(); ++i) {
    EXPECT_NEAR(got.values<double>()[i], want.values<double>()[i], allowed) << i;
  }
}

double& at(Tensor& t, std::initializer_list<Index> position) {
  Index i = 0;
  int axis = 0;
  for (const Index p : position) i = i * t.shape()[axis++] + p;
  return t.values<double>()[static_cast<std::size_t>(i)];
}

/// What a window over two axes does: f(sum or maximum so far, place inside?, tap, channel).
struct Picture {
  Index kernel[2], stride[2], dilation[2], before[2], out[2];
};

/// Sizes as TensorFlow defines padding "same" and "valid".
Picture picture(const Shape& x, const Shape& kernel, const Shape& stride, const Shape& dilation,
                bool same) {
  Picture p{};
  for (int i = 0; i < 2; ++i) {
    p.kernel[i] = kernel[i];
    p.stride[i] = stride[i];
    p.dilation[i] = dilation[i];
    const Index reach = dilation[i] * (kernel[i] - 1) + 1, size = x[i + 1];
    if (same) {
      p.out[i] = (size + stride[i] - 1) / stride[i];
      p.before[i] = std::max<Index>((p.out[i] - 1) * stride[i] + reach - size, 0) / 2;
    } else {
      p.out[i] = (size - reach) / stride[i] + 1;
    }
  }
  return p;
}

/// f(i, j, y, x) for the taps of window (top, left) that lie on the picture.
template <class F>
void each_tap(const Picture& p, const Shape& x, Index top, Index left, F f) {
  for (Index i = 0; i < p.kernel[0]; ++i) {
    for (Index j = 0; j < p.kernel[1]; ++j) {
      const Index r = top * p.stride[0] + i * p.dilation[0] - p.before[0];
      const Index c = left * p.stride[1] + j * p.dilation[1] - p.before[1];
      if (r >= 0 && r < x[1] && c >= 0 && c < x[2]) f(i, j, r, c);
    }
  }
}

Tensor convolved(const Tensor& x, const Tensor& kernel, const Tensor& bias, const Picture& p,
                 Index groups) {
  const Shape& s = x.shape();
  const Index filters = kernel.shape()[3], channels = s[3] / groups;
  Tensor y({s[0], p.out[0], p.out[1], filters}, DType::float64);
  for (Index b = 0; b < s[0]; ++b) {
    for (Index top = 0; top < p.out[0]; ++top) {
      for (Index left = 0; left < p.out[1]; ++left) {
        for (Index f = 0; f < filters; ++f) {
          double total = bias.at({f});
          const Index group = f / (filters / groups);
          each_tap(p, s, top, left, [&](Index i, Index j, Index r, Index c) {
            for (Index k = 0; k < channels; ++k) {
              total += x.at({b, r, c, group * channels + k}) * kernel.at({i, j, k, f});
            }
          });
          at(y, {b, top, left, f}) = total;
        }
      }
    }
  }
  return y;
}

struct Convolution {
  Shape kernel, strides, dilation;
  std::string padding;
  Index groups;
};

TEST(Conv2D, IsTheSumUnderItsWindow) {
  const Tensor x = noise({2, 7, 6, 4}, 3);
  for (const Convolution& c : {Convolution{{3, 2}, {1, 1}, {1, 1}, "valid", 1},
                               {{2, 3}, {2, 1}, {1, 1}, "valid", 2},
                               {{3, 4}, {2, 3}, {1, 1}, "same", 1},
                               {{2, 3}, {1, 1}, {2, 1}, "same", 4},
                               {{1, 1}, {1, 1}, {1, 1}, "same", 1}}) {
    const Example example{"",
                          [&] {
                            return Layer(Conv2D(8, c.kernel,
                                                {.strides = c.strides,
                                                 .padding = c.padding,
                                                 .dilation_rate = c.dilation,
                                                 .groups = c.groups}));
                          },
                          {x}};
    const Layer layer = built(example);
    const auto weights = layer.get_weights();
    const Picture p = picture(x.shape(), c.kernel, c.strides, c.dilation, c.padding == "same");
    expect_close(run(layer, example).outputs[0], convolved(x, weights[0], weights[1], p, c.groups));
  }
}

TEST(Conv2DTranspose, AddsEachPlaceWhereAWindowWouldLie) {
  const Tensor x = noise({2, 3, 4, 5}, 6);
  for (const Convolution& c : {Convolution{{3, 2}, {1, 1}, {1, 1}, "valid", 1},
                               {{2, 3}, {2, 3}, {1, 1}, "same", 1},
                               {{3, 5}, {2, 2}, {1, 1}, "same", 1},
                               {{1, 4}, {3, 2}, {1, 1}, "valid", 1},
                               {{2, 3}, {1, 1}, {3, 2}, "same", 1},
                               {{1, 1}, {1, 1}, {1, 1}, "same", 1}}) {
    const Example example{
        "",
        [&] {
          return Layer(Conv2DTranspose(
              6, c.kernel,
              {.strides = c.strides, .padding = c.padding, .dilation_rate = c.dilation}));
        },
        {x}};
    const Layer layer = built(example);
    const auto weights = layer.get_weights();
    ASSERT_EQ(weights[0].shape(), (Shape{c.kernel[0], c.kernel[1], 6, 5}));
    Index size[2];
    for (int i = 0; i < 2; ++i) {
      const Index reach = c.dilation[i] * (c.kernel[i] - 1) + 1, stride = c.strides[i];
      size[i] = x.shape()[i + 1] * stride;
      if (c.padding == "valid") size[i] += std::max<Index>(reach - stride, 0);
    }
    Tensor want({2, size[0], size[1], 6}, DType::float64);
    const Picture p = picture(want.shape(), c.kernel, c.strides, c.dilation, c.padding == "same");
    ASSERT_EQ(p.out[0], 3);
    ASSERT_EQ(p.out[1], 4);
    for (Index i = 0; i < want.elements(); ++i) {
      want.values<double>()[static_cast<std::size_t>(i)] = weights[1].at({i % 6});
    }
    for (Index place = 0; place < 2 * 3 * 4; ++place) {
      const Index b = place / 12, top = place / 4 % 3, left = place % 4;
      each_tap(p, want.shape(), top, left, [&](Index i, Index j, Index r, Index q) {
        for (Index f = 0; f < 6; ++f) {
          for (Index k = 0; k < 5; ++k) {
            at(want, {b, r, q, f}) += x.at({b, top, left, k}) * weights[0].at({i, j, f, k});
          }
        }
      });
    }
    expect_close(run(layer, example).outputs[0], want);
  }
}

TEST(Conv1D, WithGroupsIsTheSumUnderItsWindow) {
  const Tensor x = noise({2, 9, 6}, 4);
  const Example example{
      "", [] { return Layer(Conv1D(4, 3, {.strides = 2, .padding = "same", .groups = 2})); }, {x}};
  const Layer layer = built(example);
  const auto weights = layer.get_weights();
  const Picture p = picture({2, 1, 9, 6}, {1, 3}, {1, 2}, {1, 1}, true);
  const Tensor want =
      convolved(x.reshape({2, 1, 9, 6}), weights[0].reshape({1, 3, 3, 4}), weights[1], p, 2);
  expect_close(run(layer, example).outputs[0], want.reshape({2, 5, 4}));
}

TEST(Pooling2D, TakesTheLargestOrTheMeanOfThePlacesUnderAWindow) {
  const Tensor x = noise({2, 5, 7, 3}, 5);
  for (const bool same : {false, true}) {
    const Pooling2DOptions options{
        .pool_size = {3, 2}, .strides = {2, 3}, .padding = same ? "same" : "valid"};
    const Picture p = picture(x.shape(), {3, 2}, {2, 3}, {1, 1}, same);
    Tensor largest({2, p.out[0], p.out[1], 3}, DType::float64), mean = largest.clone();
    for (Index i = 0; i < largest.elements(); ++i) {
      const Index b = i / (3 * p.out[0] * p.out[1]), channel = i % 3;
      const Index top = i / (3 * p.out[1]) % p.out[0], left = i / 3 % p.out[1];
      double most = -HUGE_VAL, total = 0, count = 0;
      each_tap(p, x.shape(), top, left, [&](Index, Index, Index r, Index c) {
        most = std::max(most, x.at({b, r, c, channel}));
        total += x.at({b, r, c, channel});
        ++count;
      });
      at(largest, {b, top, left, channel}) = most;
      at(mean, {b, top, left, channel}) = total / count;
    }
    const Example max{"", [&] { return Layer(MaxPooling2D(options)); }, {x}};
    const Example average{"", [&] { return Layer(AveragePooling2D(options)); }, {x}};
    expect_close(run(built(max), max).outputs[0], largest);
    expect_close(run(built(average), average).outputs[0], mean);
  }
}

TEST(RMSNormalization, DividesByTheRootOfTheMeanSquare) {
  const Tensor x = noise({2, 3, 4}, 6);
  const Example example{"", [] { return Layer(RMSNormalization()); }, {x}};
  const Layer layer = built(example);
  const Tensor scale = layer.get_weights()[0];
  Tensor want(x.shape(), DType::float64);
  for (Index r = 0; r < 6; ++r) {
    double squares = 0;
    for (Index i = 0; i < 4; ++i) squares += std::pow(x.at({r / 3, r % 3, i}), 2);
    for (Index i = 0; i < 4; ++i) {
      at(want, {r / 3, r % 3, i}) =
          scale.at({i}) * x.at({r / 3, r % 3, i}) / std::sqrt(squares / 4 + 1e-6);
    }
  }
  expect_close(run(layer, example).outputs[0], want);
}

/// Attention in heads, head by head; step t of a query sees the values where seen(row, t, j).
template <class Seen>
std::vector<Tensor> attended(const std::vector<Tensor>& w, const Tensor& q, const Tensor& v,
                             const Tensor& k, Seen seen) {
  const Index B = q.shape()[0], Tq = q.shape()[1], Tv = v.shape()[1];
  const Index H = w[0].shape()[1], K = w[0].shape()[2], V = w[4].shape()[2], out = w[7].shape()[0];
  const auto projected = [&](const Tensor& x, std::size_t kernel, Index b, Index t, Index h,
                             Index i) {
    double total = w[kernel + 1].at({h, i});
    for (Index f = 0; f < x.shape()[2]; ++f) total += x.at({b, t, f}) * w[kernel].at({f, h, i});
    return total;
  };
  Tensor y({B, Tq, out}, DType::float64), scores({B, H, Tq, Tv}, DType::float64);
  for (Index b = 0; b < B; ++b) {
    for (Index t = 0; t < Tq; ++t) {
      for (Index o = 0; o < out; ++o) at(y, {b, t, o}) = w[7].at({o});
      for (Index h = 0; h < H; ++h) {
        double total = 0;
        for (Index j = 0; j < Tv; ++j) {
          double score = 0;
          for (Index i = 0; i < K; ++i) {
            score += projected(q, 0, b, t, h, i) * projected(k, 2, b, j, h, i);
          }
          at(scores, {b, h, t, j}) =
              seen(b, t, j) ? std::exp(score / std::sqrt(static_cast<double>(K))) : 0;
          total += scores.at({b, h, t, j});
        }
        for (Index j = 0; j < Tv; ++j) {
          double& share = at(scores, {b, h, t, j});
          share = total > 0 ? share / total : 0;
          for (Index i = 0; i < V; ++i) {
            for (Index o = 0; o < out; ++o) {
              at(y, {b, t, o}) += share * projected(v, 4, b, j, h, i) * w[6].at({h, i, o});
            }
          }
        }
      }
    }
  }
  return {y, scores};
}

TEST(MultiHeadAttention, IsAttentionInEachHead) {
  const Tensor q = noise({2, 4, 3}, 7), v = noise({2, 5, 2}, 8), k = noise({2, 5, 4}, 9);
  const Tensor q_mask = mask_of({2, 4}, {1, 1, 1, 0, 1, 1, 1, 1});
  const Tensor v_mask = mask_of({2, 5}, {0, 1, 1, 0, 1, 1, 1, 1, 1, 1});
  const Tensor k_mask = mask_of({2, 5}, {1, 1, 0, 1, 1, 1, 1, 0, 1, 1});
  const auto make = [](bool causal) {
    return [causal] {
      return Layer(MultiHeadAttention(
          3, 4, {.value_dim = 2, .use_causal_mask = causal, .return_attention_scores = true}));
    };
  };
  const Example plain{"", make(false), {q, v, k}};
  const Layer layer = built(plain);
  const Outcome got = run(layer, plain);
  const auto want =
      attended(layer.get_weights(), q, v, k, [](Index, Index, Index) { return true; });
  expect_close(got.outputs[0], want[0]);
  expect_close(got.outputs[1], want[1]);
  EXPECT_FALSE(got.mask);

  const Example masked{"", make(true), {q, v, k}, {q_mask, v_mask, k_mask}};
  const Layer causal = built(masked);
  const auto seen = [&](Index b, Index t, Index j) {
    return j <= t && q_mask.at({b, t}) * v_mask.at({b, j}) * k_mask.at({b, j}) != 0;
  };
  const Outcome hidden = run(causal, masked);
  const auto expected = attended(causal.get_weights(), q, v, k, seen);
  expect_close(hidden.outputs[0], expected[0]);
  expect_close(hidden.outputs[1], expected[1]);
  EXPECT_EQ(hidden.kept, (std::vector<std::uint8_t>{1, 1, 1, 1, 1, 1, 0, 1}));
}

TEST(Attention, HandsTheQueriesMaskOnAndZeroesWhatItHides) {
  const Example example{"",
                        [] { return Layer(Attention()); },
                        {noise({1, 2, 3}, 1), noise({1, 4, 3}, 2)},
                        {mask_of({1, 2}, {0, 1}), Tensor()}};
  const Outcome got = run(built(example), example);
  EXPECT_EQ(got.kept, (std::vector<std::uint8_t>{0, 1}));
  for (Index i = 0; i < 3; ++i) EXPECT_EQ(got.outputs[0].at({0, 0, i}), 0);
}

TEST(SpatialDropout1D, DropsAChannelOfARowAtAllSteps) {
  const Tensor x = Tensor::full({40, 6, 25}, 1, DType::float64);
  const Example example{"", [] { return Layer(SpatialDropout1D(0.4)); }, {x}, {}, true};
  const Tensor y = run(built(example), example).outputs[0];
  Index dropped = 0;
  for (Index row = 0; row < 40; ++row) {
    for (Index c = 0; c < 25; ++c) {
      const double first = y.at({row, 0, c});
      EXPECT_TRUE(first == 0 || std::abs(first - 1 / 0.6) < 1e-15);
      for (Index t = 1; t < 6; ++t) EXPECT_EQ(y.at({row, t, c}), first);
      dropped += first == 0 ? 1 : 0;
    }
  }
  EXPECT_NEAR(static_cast<double>(dropped) / 1000, 0.4, 0.05);  // three deviations
}

TEST(GaussianNoise, HasItsDeviation) {
  const Tensor x({200, 100}, DType::float64);
  const Example example{"", [] { return Layer(GaussianNoise(0.5)); }, {x}, {}, true};
  const Tensor y = run(built(example), example).outputs[0];
  double total = 0, squares = 0;
  for (const double v : y.values<double>()) {
    total += v;
    squares += v * v;
  }
  EXPECT_NEAR(total / 20000, 0, 0.011);
  EXPECT_NEAR(squares / 20000, 0.25, 0.008);
}

TEST(MaxPooling1D, GivesATiesGradientToTheFirst) {
  const Tensor x = Tensor::of<double>({1, 4, 1}, {2, 2, 1, 3});
  const Example example{"", [] { return Layer(MaxPooling1D()); }, {x}};
  const Outcome got = run(built(example), example, {.gradients = true});
  EXPECT_NE(got.d_inputs[0].at({0, 0, 0}), 0);
  EXPECT_EQ(got.d_inputs[0].at({0, 1, 0}), 0);
  EXPECT_EQ(got.d_inputs[0].at({0, 2, 0}), 0);
}

TEST(GlobalAveragePooling1D, OfARowWithoutStepsIsNotANumber) {
  const Example example{"",
                        [] { return Layer(GlobalAveragePooling1D()); },
                        {noise({2, 3, 1}, 1)},
                        {mask_of({2, 3}, {0, 0, 0, 1, 0, 0})}};
  const Tensor y = run(built(example), example).outputs[0];
  EXPECT_TRUE(std::isnan(y.at({0, 0})));
  EXPECT_EQ(y.at({1, 0}), example.inputs[0].at({1, 0, 0}));
}

}  // namespace
}  // namespace unroll
