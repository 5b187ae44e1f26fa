// How weights begin, and the bounds they are kept in.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/layers/rig.h"

namespace unroll {
namespace {

using Json = nlohmann::json;

Tensor drawn(const Initializer& initializer, const Shape& shape, std::uint64_t seed = 1) {
  Tensor values(shape, DType::float64);
  initializer.fill(values, seed, 0);
  return values;
}

struct Moments {
  double low = HUGE_VAL, high = -HUGE_VAL, mean = 0, deviation = 0;
};

/// Of numbers drawn again and again until there are enough to tell.
Moments moments(const Initializer& initializer, const Shape& shape) {
  Moments m;
  double count = 0, squares = 0;
  for (std::uint64_t seed = 0; count < 40000; ++seed) {
    const Tensor values = drawn(initializer, shape, seed);
    for (const double v : values.values<double>()) {
      m.low = std::min(m.low, v);
      m.high = std::max(m.high, v);
      m.mean += v;
      squares += v * v;
      ++count;
    }
  }
  m.mean /= count;
  m.deviation = std::sqrt(squares / count - m.mean * m.mean);
  return m;
}

/// The deviation of a normal distribution cut at two of its deviations, in those.
constexpr double cut_deviation = 0.87962566103423978;

void check_uniform(const Json& c, const Moments& m) {
  const double low = c["low"], high = c["high"], width = high - low;
  EXPECT_GE(m.low, low);
  EXPECT_LE(m.high, high);
  EXPECT_NEAR(m.mean, (low + high) / 2, 0.01 * width);
  EXPECT_NEAR(m.deviation, width / std::sqrt(12.0), 0.01 * width);
}

void check_truncated(const Json& c, const Moments& m) {
  const double before = c["stddev_before_truncation"], mean = c["mean"];
  EXPECT_GE(m.low, c["truncated_at"][0].get<double>());
  EXPECT_LE(m.high, c["truncated_at"][1].get<double>());
  EXPECT_NEAR(m.mean, mean, 0.02 * before);
  EXPECT_NEAR(m.deviation, cut_deviation * before, 0.015 * before);
}

void check_normal(const Json& c, const Moments& m) {
  const double deviation = c["stddev"];
  EXPECT_NEAR(m.mean, c["mean"].get<double>(), 0.02 * deviation);
  EXPECT_NEAR(m.deviation, deviation, 0.015 * deviation);
  EXPECT_GT(m.high, 3 * deviation);  // not cut
}

/// The shorter side's vectors are orthogonal to each other, of length `gain`.
void check_orthogonal(const Tensor& q, double gain) {
  const bool wide = q.shape()[0] <= q.shape()[1];
  const Index n = wide ? q.shape()[0] : q.shape()[1], length = wide ? q.shape()[1] : q.shape()[0];
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) {
      double dot = 0;
      for (Index k = 0; k < length; ++k) {
        dot += wide ? q.at({i, k}) * q.at({j, k}) : q.at({k, i}) * q.at({k, j});
      }
      EXPECT_NEAR(dot, i == j ? gain * gain : 0, 1e-12);
    }
  }
}

Initializer initializer_of(const Json& c) {
  const Initializer named = parse_initializer(c["class_name"].get<std::string>());
  const Json& kwargs = c["kwargs"];
  const double a = kwargs.value("gain", kwargs.value("value", named.a()));
  return Initializer(named.kind(), a, named.b());
}

TEST(Initializers, HaveTheDistributionsThatKerasHas) {
  const char* folder = std::getenv("UNROLL_GOLDEN_DIR");
  if (folder == nullptr) GTEST_SKIP() << "UNROLL_GOLDEN_DIR names no reference data";
  std::ifstream file(std::string(folder) + "/initializers.json");
  ASSERT_TRUE(file);
  int checked = 0;
  const Json golden = Json::parse(file);
  for (const Json& c : golden["cases"]) {
    const std::string kind = c["distribution"];
    if (kind == "layer_defaults") continue;
    SCOPED_TRACE(c.dump());
    const Shape shape(std::span<const Index>(c["shape"].get<std::vector<Index>>()));
    const Initializer initializer = initializer_of(c);
    if (kind == "uniform") {
      check_uniform(c, moments(initializer, shape));
    } else if (kind == "truncated_normal") {
      check_truncated(c, moments(initializer, shape));
    } else if (kind == "normal") {
      check_normal(c, moments(initializer, shape));
    } else if (kind == "orthogonal") {
      check_orthogonal(drawn(initializer, shape), c["gain"]);
    } else {
      ASSERT_EQ(kind, "deterministic");
      const Tensor values = drawn(initializer, shape);
      for (Index i = 0; i < values.elements(); ++i) {
        EXPECT_EQ(values.at({i / shape[1], i % shape[1]}),
                  c["values"][static_cast<std::size_t>(i / shape[1])]
                   [static_cast<std::size_t>(i % shape[1])]
                       .get<double>());
      }
    }
    ++checked;
  }
  EXPECT_GE(checked, 40);
}

TEST(Initializers, VarianceScalingIsWhatTheOthersAreMadeOf) {
  const Shape shape{3, 20, 30};
  const auto same = [&](const Initializer& a, const Initializer& b) {
    const Tensor x = drawn(a, shape), y = drawn(b, shape);
    EXPECT_TRUE(std::ranges::equal(x.values<double>(), y.values<double>()));
  };
  same("glorot_uniform", variance_scaling(1, FanMode::fan_avg, ScalingDistribution::uniform));
  same("he_normal", variance_scaling(2, FanMode::fan_in));
  const Moments m = moments(
      variance_scaling(0.5, FanMode::fan_out, ScalingDistribution::untruncated_normal), shape);
  EXPECT_NEAR(m.deviation, std::sqrt(0.5 / 90), 0.01 * m.deviation);
  EXPECT_GT(m.high, 3 * m.deviation);
}

TEST(Initializers, WithASeedAreTheSameInEveryPlace) {
  const Initializer own = Initializer("glorot_normal").with_seed(5);
  Tensor a({4, 4}), b({4, 4}), c({4, 4});
  own.fill(a, 1, 2);
  own.fill(b, 3, 4);
  EXPECT_TRUE(std::ranges::equal(a.values<float>(), b.values<float>()));
  Initializer("glorot_normal").with_seed(6).fill(c, 1, 2);
  EXPECT_FALSE(std::ranges::equal(a.values<float>(), c.values<float>()));
}

// --- bounds ---

void expect_values(const Tensor& got, std::initializer_list<double> want) {
  ASSERT_EQ(got.elements(), static_cast<Index>(want.size()));
  std::size_t i = 0;
  for (const double value : want) EXPECT_NEAR(got.values<double>()[i++], value, 1e-6) << i;
}

Tensor bounded(const Constraint& constraint) {
  Tensor w = Tensor::of<double>({2, 3}, {3, 0.3, -1, 4, 0.4, 0});
  apply_constraint(constraint, w);
  return w;
}

TEST(Constraints, BringNormsBack) {
  expect_values(bounded(max_norm(2)), {1.2, 0.3, -1, 1.6, 0.4, 0});
  expect_values(bounded(non_neg()), {3, 0.3, 0, 4, 0.4, 0});
  expect_values(bounded(unit_norm()), {0.6, 0.6, -1, 0.8, 0.8, 0});
  expect_values(bounded(min_max_norm(1, 2)), {1.2, 0.6, -1, 1.6, 0.8, 0});
  // Half of the way: 5 to 3.5, 0.5 to 0.75.
  expect_values(bounded(min_max_norm(1, 2, 0.5)), {2.1, 0.45, -1, 2.8, 0.6, 0});
  expect_values(bounded({}), {3, 0.3, -1, 4, 0.4, 0});
}

TEST(Constraints, WorkOverAnyAxes) {
  const Tensor rows = bounded(unit_norm({1}));
  const double first = std::sqrt(9 + 0.09 + 1), second = std::sqrt(16 + 0.16);
  expect_values(rows, {3 / first, 0.3 / first, -1 / first, 4 / second, 0.4 / second, 0});
  const double whole = std::sqrt(first * first + second * second);
  expect_values(bounded(unit_norm({0, -1})),
                {3 / whole, 0.3 / whole, -1 / whole, 4 / whole, 0.4 / whole, 0});
  // More columns than are taken at once, and axes that do not lie side by side.
  Tensor wide = noise({5, 3, 70}, 4);
  const Tensor before = wide.clone();
  apply_constraint(unit_norm({0}), wide);
  for (const Index c : {Index{0}, Index{63}, Index{64}, Index{69}}) {
    double squares = 0;
    for (Index i = 0; i < 5; ++i) squares += std::pow(before.at({i, 1, c}), 2);
    EXPECT_NEAR(wide.at({2, 1, c}), before.at({2, 1, c}) / std::sqrt(squares), 1e-6);
  }
  Tensor apart = before.clone();
  apply_constraint(unit_norm({0, 2}), apart);
  double squares = 0;
  for (Index i = 0; i < 5; ++i) {
    for (Index c = 0; c < 70; ++c) squares += std::pow(apart.at({i, 2, c}), 2);
  }
  EXPECT_NEAR(squares, 1, 1e-6);
}

TEST(Constraints, OfALayerReachItsWeights) {
  const Example example{
      "",
      [] {
        return Layer(Dense(2, {.kernel_constraint = max_norm(3), .bias_constraint = non_neg()}));
      },
      {noise({1, 3}, 1)}};
  const Layer layer = built(example);
  EXPECT_EQ(layer.impl().parameters()[0]->constraint(), max_norm(3));
  EXPECT_EQ(layer.impl().parameters()[1]->constraint(), non_neg());
}

TEST(BatchNormalizationWeights, BeginAsTheOptionsSay) {
  const Layer layer = BatchNormalization({.beta_initializer = constant(2),
                                          .gamma_initializer = constant(3),
                                          .moving_mean_initializer = constant(4),
                                          .moving_variance_initializer = constant(5)});
  layer(Input({.shape = {1}}));
  const std::vector<Tensor> weights = layer.get_weights();  // gamma, beta, mean, variance
  ASSERT_EQ(weights.size(), 4u);
  EXPECT_EQ(weights[0].at({0}), 3);
  EXPECT_EQ(weights[1].at({0}), 2);
  EXPECT_EQ(weights[2].at({0}), 4);
  EXPECT_EQ(weights[3].at({0}), 5);
}

TEST(Constraints, RefuseAnAxisThatIsNotThere) {
  Tensor w({2, 3});
  EXPECT_EQ(refusal([&] { apply_constraint(max_norm(1, {2}), w); }),
            "a constraint's axis is not one of the weight's\n  got    2 of (2, 3)");
  EXPECT_EQ(refusal([] { parse_constraint("maxnorm"); }),
            "no constraint has this name\n"
            "  got    \"maxnorm\"\n"
            "  want   one of max_norm, non_neg, unit_norm, min_max_norm");
  EXPECT_EQ(parse_constraint("MaxNorm"), max_norm());
}

}  // namespace
}  // namespace unroll
