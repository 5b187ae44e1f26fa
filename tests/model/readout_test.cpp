#include "unroll/readout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "src/base/random.h"
#include "src/recurrent/newer_cells.h"
#include "unroll/error.h"
#include "unroll/layers.h"

namespace unroll {
namespace {

Tensor noise(const Shape& shape, std::uint64_t stream, DType dtype = DType::float64) {
  const base::Random random(3, stream);
  Tensor values(shape, DType::float64);
  std::uint64_t i = 0;
  for (double& v : values.values<double>()) v = random.normal(i++);
  return values.to(dtype);
}

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Ridge, FindsALinearLawFarFromZero) {
  Tensor x = noise({50, 3}, 1), y({50, 2}, DType::float64);
  for (Index i = 0; i < 50; ++i) {
    double* row = x.values<double>().data() + 3 * i;
    row[1] += 1000;
    y.values<double>()[static_cast<std::size_t>(2 * i)] = 2 * row[0] - row[1] + 5;
    y.values<double>()[static_cast<std::size_t>(2 * i + 1)] = row[2] - 7;
  }
  const RidgeFit fit = ridge(x, y, 0);
  const double want[] = {2, 0, -1, 0, 0, 1};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(fit.kernel.values<double>()[i], want[i], 1e-9);
  EXPECT_NEAR(fit.bias.values<double>()[0], 5, 1e-6);
  EXPECT_NEAR(fit.bias.values<double>()[1], -7, 1e-6);
}

TEST(Ridge, LeavesNoGradient) {
  constexpr Index n = 40, F = 4;
  constexpr double alpha = 0.3;
  const Tensor x = noise({n, F}, 1), y = noise({n, 1}, 2);
  const RidgeFit fit = ridge(x, y, alpha);
  std::vector<double> gradient(F + 1, 0.0);
  for (Index i = 0; i < n; ++i) {
    const double* row = x.values<double>().data() + i * F;
    double error = fit.bias.values<double>()[0] - y.values<double>()[static_cast<std::size_t>(i)];
    for (std::size_t f = 0; f < F; ++f) error += row[f] * fit.kernel.values<double>()[f];
    for (std::size_t f = 0; f < F; ++f) gradient[f] += row[f] * error / n;
    gradient[F] += error / n;
  }
  for (std::size_t f = 0; f < F; ++f) gradient[f] += alpha * fit.kernel.values<double>()[f];
  for (const double g : gradient) EXPECT_NEAR(g, 0, 1e-13);
}

TEST(Ridge, RefusesWhatHasNoAnswer) {
  const Tensor x = noise({5, 2}, 1), y = noise({5, 1}, 2);
  EXPECT_EQ(refusal([&] { ridge(x, y, -1); }),
            "ridge: alpha is out of range\n  got    -1.000000\n  want   0 or more");
  EXPECT_EQ(refusal([&] {
              ridge(x, noise({4, 1}, 2));
            }),
            "ridge: shapes do not fit\n  got    (5, 2) and (4, 1)\n"
            "  want   (samples, features) and (samples, units)");
  Tensor nan = x.clone();
  nan.values<double>()[3] = NAN;
  EXPECT_EQ(refusal([&] { ridge(nan, y); }), "ridge: x has a number that is not finite");
  EXPECT_EQ(refusal([&] {
              ridge(noise({2, 5}, 1), noise({2, 1}, 2), 0);
            }),
            "ridge: the features do not determine the weights\n"
            "  got    2 samples of 5 features, alpha 0.000000\n"
            "  want   features that are independent of each other\n"
            "hint: an alpha above 0, such as 1e-6");
  EXPECT_NO_THROW(ridge(noise({2, 5}, 1), noise({2, 1}, 2), 1e-6));
}

TEST(Reservoir, IsSparseAndHasItsSpectralRadius) {
  Sequential model{InputLayer({.shape = {unknown, 2}}),
                   ESN(120, {.connectivity = 0.2, .spectral_radius = 0.85})};
  const Tensor R = model.get_weights()[1];
  ASSERT_EQ(R.shape().to_string(), "(120, 120)");
  Index set = 0;
  for (const float v : R.values<float>()) set += v != 0;
  EXPECT_NEAR(static_cast<double>(set) / 14400.0, 0.2, 0.02);
  EXPECT_NEAR(spectral_radius(120, R.to(DType::float64).values<double>().data()), 0.85, 1e-5);
  EXPECT_EQ(model.count_trainable(), 0);
}

TEST(Reservoir, SpectralRadiusOfAMatrixThatIsKnown) {
  // A turn and a shrinking by 0.5, beside a line: eigenvalues 0.5 i, -0.5 i, 0.3.
  const double turn[] = {0, -0.5, 0, 0.5, 0, 0, 7, 0, 0.3};
  EXPECT_NEAR(spectral_radius(3, turn), 0.5, 1e-5);
  const double none[] = {0, 1, 0, 0};
  EXPECT_EQ(spectral_radius(2, none), 0);
}

/// What an input was `lag` steps ago.
Tensor delayed(const Tensor& x, Index lag) {
  Tensor y(x.shape());
  const Index T = x.shape()[1];
  for (Index i = 0; i < x.elements(); ++i) y.floats()[i] = i % T < lag ? 0 : x.floats()[i - lag];
  return y;
}

TEST(FitReadout, RemembersWithoutTraining) {
  const Tensor x = noise({4, 300, 1}, 1, DType::float32), y = delayed(x, 8);
  Sequential model{
      ESN(150, {.kernel_initializer = random_uniform(-0.1, 0.1), .return_sequences = true}),
      Dense(1)};
  fit_readout(model, x, y, {.alpha = 1e-8, .washout = 50, .batch_size = 3});
  const Tensor fresh = noise({1, 300, 1}, 2, DType::float32), want = delayed(fresh, 8);
  const Tensor got = model.predict(fresh)[0];
  double error = 0;
  for (Index t = 50; t < 300; ++t) {
    error += std::pow(static_cast<double>(got.floats()[t] - want.floats()[t]), 2) / 250;
  }
  EXPECT_LT(error, 0.05);
}

TEST(FitReadout, RefusesOtherLastLayers) {
  const Tensor x = noise({2, 5, 1}, 1, DType::float32);
  Sequential curved{ESN(4, {.return_sequences = true}), Dense(1, {.activation = "tanh"})};
  EXPECT_EQ(refusal([&] { fit_readout(curved, x, x); }),
            "fit_readout: the model's last layer is no linear readout\n"
            "  got    Dense with activation tanh\n"
            "  want   a Dense without activation, with bias");
  Sequential right{ESN(4, {.return_sequences = true}), Dense(1)};
  EXPECT_EQ(refusal([&] { fit_readout(right, x, x, {.washout = 5}); }),
            "fit_readout: the washout leaves no step to learn from\n"
            "  got    5 of 5 steps\n  want   0 to 4");
  EXPECT_EQ(refusal([&] {
              fit_readout(right, x, noise({2, 1}, 1, DType::float32));
            }),
            "fit_readout: y does not have the shape of the outputs\n"
            "  got    (2, 1)\n  want   (2, 5, 1)");
  EXPECT_NO_THROW(fit_readout(right, x, x, {.washout = 1}));
}

}  // namespace
}  // namespace unroll
