// exp, tanh and sigmoid against long double; sums against the plain loop that defines them.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "src/kernels/vector.h"
#include "tests/kernels/targets.h"

namespace unroll {
namespace {

using kernels::on_every_target;

using kernels::dot;
using kernels::sum;

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Distance from the truth in units of the truth's last place.
template <class T>
double ulps(T value, long double truth) {
  const T rounded = static_cast<T>(truth);
  if (std::isnan(rounded)) return std::isnan(value) ? 0 : HUGE_VAL;
  if (std::isinf(rounded) || std::isinf(value)) return rounded == value ? 0 : HUGE_VAL;
  int exponent = 0;
  std::frexp(rounded, &exponent);
  if (rounded == 0 || exponent < std::numeric_limits<T>::min_exponent) {
    exponent = std::numeric_limits<T>::min_exponent;
  }
  const long double place = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs(static_cast<long double>(value) - truth) / place);
}

/// Every exponent with many mantissas, a dense grid where the functions bend, the special values.
template <class T>
std::vector<T> arguments() {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  std::vector<T> x{0,
                   T{-0.0},
                   infinity,
                   -infinity,
                   std::numeric_limits<T>::quiet_NaN(),
                   std::numeric_limits<T>::min(),
                   std::numeric_limits<T>::denorm_min(),
                   std::numeric_limits<T>::max(),
                   std::numeric_limits<T>::lowest()};
  constexpr Bits<T> pieces = 1'000'003;
  for (Bits<T> k = 0; k < pieces; ++k) {
    x.push_back(std::bit_cast<T>(k * (std::numeric_limits<Bits<T>>::max() / pieces)));
  }
  const T reach = sizeof(T) == 4 ? T{110} : T{750};
  for (int k = 0; k < 400'000; ++k) {
    x.push_back(reach * (static_cast<T>(k) / 200'000 - 1));
    x.push_back(T{20} * (static_cast<T>(k) / 200'000 - 1));
  }
  return x;
}

template <class T>
struct Function {
  const char* name;
  void (*vector)(Index, const T*, T*);
  long double (*truth)(long double);
};

long double exp_truth(long double x) { return std::exp(x); }
long double tanh_truth(long double x) { return std::tanh(x); }
long double sigmoid_truth(long double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

template <class T>
std::vector<Function<T>> functions() {
  return {{"exp", &kernels::exp<T>, &exp_truth},
          {"tanh", &kernels::tanh<T>, &tanh_truth},
          {"sigmoid", &kernels::sigmoid<T>, &sigmoid_truth}};
}

template <class T>
struct Math : testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Math, Numbers);

TYPED_TEST(Math, IsWithinThreeUlpOfTheTruth) {
  using T = TypeParam;
  const std::vector<T> x = arguments<T>();
  std::vector<T> y(x.size());
  for (const auto& function : functions<T>()) {
    std::vector<long double> truth(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) truth[i] = function.truth(x[i]);
    on_every_target([&](const std::string& target) {
      SCOPED_TRACE(target);
      function.vector(static_cast<Index>(x.size()), x.data(), y.data());
      double worst = 0;
      T at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(y[i], truth[i]);
        if (error > worst) worst = error, at = x[i];
      }
      std::printf("  %-7s %-6s %-7s max %.2f ulp at %.9g\n", function.name,
                  sizeof(T) == 4 ? "float" : "double", target.c_str(), worst,
                  static_cast<double>(at));
      EXPECT_LE(worst, 3) << function.name << " at " << at;
    });
  }
}

TYPED_TEST(Math, KeepsTheSignOfZeroInTanh) {
  using T = TypeParam;
  on_every_target([](const std::string& target) {
    SCOPED_TRACE(target);
    const T x[] = {T{-0.0}, T{0.0}};
    T y[2];
    kernels::tanh(2, x, y);
    EXPECT_TRUE(std::signbit(y[0]));
    EXPECT_FALSE(std::signbit(y[1]));
  });
}

TYPED_TEST(Math, GivesANumberTheSameBitsWhereverItStands) {
  using T = TypeParam;
  std::vector<T> x(67);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(std::sin(double(i)) * 9);
  on_every_target([&](const std::string& target) {
    SCOPED_TRACE(target);
    for (const auto& function : functions<T>()) {
      std::vector<T> whole(x.size());
      function.vector(static_cast<Index>(x.size()), x.data(), whole.data());
      for (std::size_t first = 0; first < 20; ++first) {
        for (std::size_t count = 0; first + count <= 60; ++count) {
          std::vector<T> part(count + 1, T{77});
          function.vector(static_cast<Index>(count), x.data() + first, part.data());
          for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(part[i], whole[first + i]);
          ASSERT_EQ(part[count], T{77}) << "wrote behind its row";
        }
      }
    }
  });
}

TYPED_TEST(Math, SumsInEightLanesWhateverTheTarget) {
  using T = TypeParam;
  std::vector<T> x(101);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(std::cos(double(i * i)));
  for (std::size_t n = 0; n <= x.size(); ++n) {
    T lanes[8] = {};
    for (std::size_t i = 0; i < n; ++i) lanes[i % 8] += x[i];
    const T wanted = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
                     ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
    on_every_target(
        [&](const std::string&) { ASSERT_EQ(sum(static_cast<Index>(n), x.data()), wanted) << n; });
  }
}

TYPED_TEST(Math, DotIsTheSumOfProducts) {
  using T = TypeParam;
  const T tolerance = 50 * std::numeric_limits<T>::epsilon();
  std::vector<T> x(61), y(61);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<T>(std::cos(double(i)));
    y[i] = static_cast<T>(std::sin(double(3 * i)));
  }
  for (std::size_t n = 0; n <= x.size(); ++n) {
    long double wanted = 0;
    for (std::size_t i = 0; i < n; ++i) wanted += static_cast<long double>(x[i]) * y[i];
    on_every_target([&](const std::string& target) {
      SCOPED_TRACE(target);
      EXPECT_NEAR(dot(static_cast<Index>(n), x.data(), y.data()), static_cast<T>(wanted),
                  tolerance);
    });
  }
}

TYPED_TEST(Math, DoesArithmeticNumberByNumber) {
  using T = TypeParam;
  constexpr Index n = 21;
  T x[n], y[n], out[n];
  for (Index i = 0; i < n; ++i) x[i] = static_cast<T>(i) - 7, y[i] = static_cast<T>(2 * i + 1) / 4;
  on_every_target([&](const std::string& target) {
    SCOPED_TRACE(target);
    const auto expect = [&](auto wanted) {
      for (Index i = 0; i < n; ++i) ASSERT_EQ(out[i], wanted(i)) << i;
    };
    kernels::add(n, x, y, out);
    expect([&](Index i) { return x[i] + y[i]; });
    kernels::subtract(n, x, y, out);
    expect([&](Index i) { return x[i] - y[i]; });
    kernels::multiply(n, x, y, out);
    expect([&](Index i) { return x[i] * y[i]; });
    kernels::divide(n, x, y, out);
    expect([&](Index i) { return x[i] / y[i]; });
    kernels::sqrt(n, y, out);
    expect([&](Index i) { return std::sqrt(y[i]); });
    kernels::log(n, y, out);
    expect([&](Index i) { return std::log(y[i]); });
    // Small multiples of powers of two: fused or not, nothing is rounded.
    kernels::scale_shift(n, T{3}, T{0.5}, x, out);
    expect([&](Index i) { return 3 * x[i] + T{0.5}; });
    kernels::add_scaled(n, T{2}, y, out);
    expect([&](Index i) { return 3 * x[i] + T{0.5} + 2 * y[i]; });
    kernels::add_product(n, x, y, out);
    expect([&](Index i) { return 3 * x[i] + T{0.5} + 2 * y[i] + x[i] * y[i]; });
  });
}

TEST(Targets, AreNamed) {
  EXPECT_NE(kernels::simd_targets_built().find(kernels::simd_target()), std::string::npos);
  on_every_target([](const std::string& target) { EXPECT_EQ(kernels::simd_target(), target); });
}

}  // namespace
}  // namespace unroll
