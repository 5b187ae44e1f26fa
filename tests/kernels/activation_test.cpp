// Activations against Keras's table of them, and their derivatives against finite differences.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "src/kernels/softmax.h"
#include "src/kernels/vector.h"
#include "tests/kernels/targets.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using kernels::on_every_target;

using kernels::activate;
using kernels::activate_backward;
using kernels::derivative_from_output;

template <class T>
struct Tolerance {
  double relative = sizeof(T) == 4 ? 1e-5 : 1e-9;
  double absolute = sizeof(T) == 4 ? 1e-6 : 1e-12;
};

template <class T>
void expect_close(const std::vector<T>& got, const std::vector<T>& want, const char* what) {
  ASSERT_EQ(got.size(), want.size());
  const Tolerance<T> tolerance;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double slack = tolerance.absolute + tolerance.relative * std::abs(double(want[i]));
    EXPECT_LE(std::abs(double(got[i]) - double(want[i])), slack)
        << what << '[' << i << "] got " << got[i] << " want " << want[i];
  }
}

/// What activate_backward adds, starting from ones: it must add, not overwrite.
template <class T>
std::vector<T> gradient(Activation activation, Index rows, const std::vector<T>& x,
                        const std::vector<T>& dy) {
  const Index n = static_cast<Index>(x.size()) / rows;
  std::vector<T> y(x.size()), dx(x.size(), T{1});
  activate(activation, rows, n, x.data(), y.data());
  const T* given = derivative_from_output(activation) ? nullptr : x.data();
  activate_backward(activation, rows, n, given, y.data(), dy.data(), dx.data());
  for (T& d : dx) d -= 1;
  return dx;
}

template <class T>
struct ActivationOf : testing::Test {
  void SetUp() override {
    const char* folder = std::getenv("UNROLL_GOLDEN_DIR");
    if (!folder) GTEST_SKIP() << "UNROLL_GOLDEN_DIR is not set";
    std::ifstream file(std::string(folder) + "/activations.json");
    ASSERT_TRUE(file) << folder << " has no activations.json";
    golden = nlohmann::json::parse(file);
  }
  static const char* suffix(bool derivative) {
    if (sizeof(T) == 4) return derivative ? "dy" : "y";
    return derivative ? "dy_f64" : "y_f64";
  }
  nlohmann::json golden;
};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(ActivationOf, Numbers);

TYPED_TEST(ActivationOf, OneNumberIsAsInKeras) {
  using T = TypeParam;
  const auto x = this->golden["x"].template get<std::vector<T>>();
  EXPECT_EQ(this->golden["functions"].size(), 27u);
  on_every_target([&](const std::string& target) {
    SCOPED_TRACE(target);
    for (const auto& [name, table] : this->golden["functions"].items()) {
      SCOPED_TRACE(name);
      std::vector<T> y(x.size());
      activate(parse_activation(name), 1, static_cast<Index>(x.size()), x.data(), y.data());
      expect_close(y, table[this->suffix(false)].template get<std::vector<T>>(), "y");
      expect_close(gradient(parse_activation(name), 1, x, std::vector<T>(x.size(), T{1})),
                   table[this->suffix(true)].template get<std::vector<T>>(), "dy");
    }
  });
}

TYPED_TEST(ActivationOf, ARowIsAsInKeras) {
  using T = TypeParam;
  EXPECT_EQ(this->golden["rows"].size(), 3u);
  on_every_target([&](const std::string& target) {
    SCOPED_TRACE(target);
    for (const auto& [name, table] : this->golden["rows"].items()) {
      SCOPED_TRACE(name);
      const auto rows = table["x"].template get<std::vector<std::vector<T>>>();
      const auto wanted = table[this->suffix(false)].template get<std::vector<std::vector<T>>>();
      std::vector<T> x, y, want;
      for (const auto& row : rows) x.insert(x.end(), row.begin(), row.end());
      for (const auto& row : wanted) want.insert(want.end(), row.begin(), row.end());
      y.resize(x.size());
      activate(parse_activation(name), static_cast<Index>(rows.size()),
               static_cast<Index>(rows[0].size()), x.data(), y.data());
      expect_close(y, want, "y");
    }
  });
}

TEST(Activation, GradientIsTheDifferenceQuotient) {
  const Index rows = 3, n = 7;
  std::vector<double> x, dy;
  for (Index i = 0; i < rows * n; ++i) {
    x.push_back(3.7 * std::sin(1 + 2.3 * double(i)));  // none on a kink
    dy.push_back(std::cos(double(i)));
  }
  const auto weighted = [&](Activation activation, const std::vector<double>& at) {
    std::vector<double> y(at.size());
    activate(activation, rows, n, at.data(), y.data());
    double total = 0;
    for (std::size_t i = 0; i < y.size(); ++i) total += dy[i] * y[i];
    return total;
  };
  for (const auto& [name, kind] : activation_names) {
    const std::vector<double> got = gradient(Activation(kind), rows, x, dy);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double h = 1e-5;
      std::vector<double> left = x, right = x;
      left[i] -= h;
      right[i] += h;
      const double want = (weighted(kind, right) - weighted(kind, left)) / (2 * h);
      EXPECT_NEAR(got[i], want, 2e-8 * std::max(1.0, std::abs(want))) << name << " x = " << x[i];
    }
  }
}

TEST(Activation, LetsNaNThrough) {
  const float nan = std::nanf("");
  for (const auto& [name, kind] : activation_names) {
    const float x[3] = {0.5f, nan, -0.25f};
    float y[3];
    activate(Activation(kind), 1, 3, x, y);
    EXPECT_TRUE(std::isnan(y[1])) << name;
  }
}

TEST(Activation, MayOverwriteItsInput) {
  on_every_target([](const std::string& target) {
    SCOPED_TRACE(target);
    for (const auto& [name, kind] : activation_names) {
      std::vector<float> x(19), y(19);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(float(i)) * 4;
      activate(Activation(kind), 1, 19, x.data(), y.data());
      activate(Activation(kind), 1, 19, x.data(), x.data());
      EXPECT_EQ(x, y) << name;
    }
  });
}

TEST(Activation, LogSumExpSurvivesLargeNumbers) {
  const double x[] = {1000, 1001, 999};
  EXPECT_NEAR(kernels::log_sum_exp(3, x), 1001 + std::log(1 + std::exp(-1) + std::exp(-2)), 1e-12);
}

TEST(Activation, IsParsedByName) {
  for (const auto& [name, kind] : activation_names) EXPECT_EQ(parse_activation(name).kind(), kind);
  EXPECT_EQ(parse_activation("swish").name(), "silu");
}

TEST(Activation, RefusesAnUnknownName) {
  try {
    parse_activation("rleu");
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::value);
    EXPECT_STREQ(error.what(),
                 "no activation has this name\n"
                 "  got    \"rleu\"\n"
                 "  want   one of linear, relu, sigmoid, tanh, elu, selu, gelu, silu, swish, "
                 "softplus, hard_sigmoid, softsign, exponential, leaky_relu, relu6, mish, "
                 "hard_silu, hard_swish, hard_tanh, celu, log_sigmoid, soft_shrink, hard_shrink, "
                 "tanh_shrink, squareplus, sparse_plus, sparse_sigmoid, softmax, log_softmax, "
                 "sparsemax");
  }
}

}  // namespace
}  // namespace unroll
