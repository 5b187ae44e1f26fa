// The optimisers' passes against their formulas in plain loops.
#include "src/kernels/update.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/kernels/targets.h"

namespace unroll {
namespace {

using kernels::on_every_target;

constexpr std::size_t n = 37;

/// Gradient, weight and slots of a few steps, filled with numbers of no pattern.
template <class T>
struct State {
  std::vector<T> g = numbers(1), w = numbers(2);
  std::vector<T> a = squares(3), b = numbers(4), c = squares(5);

  static std::vector<T> numbers(int seed) {
    std::vector<T> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<T>(std::sin(double(7 * i) + 13 * seed));
    return x;
  }
  static std::vector<T> squares(int seed) {
    std::vector<T> x = numbers(seed);
    for (T& v : x) v = v * v + 1;  // large enough for a centred RMSprop
    return x;
  }
};

template <class T>
void expect_same(const State<T>& got, const State<T>& want) {
  const auto check = [](const std::vector<T>& x, const std::vector<T>& y, const char* what) {
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(x[i], y[i], 16 * std::numeric_limits<T>::epsilon()) << what << '[' << i << ']';
    }
  };
  check(got.w, want.w, "w");
  check(got.a, want.a, "a");
  check(got.b, want.b, "b");
  check(got.c, want.c, "c");
}

template <class T>
struct Update : testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(Update, Numbers);

TYPED_TEST(Update, SgdIsItsFormula) {
  using T = TypeParam;
  const T rate = T(0.1), momentum = T(0.9);
  for (const int kind : {0, 1, 2}) {
    State<T> want;
    for (std::size_t i = 0; i < n; ++i) {
      const T step = rate * want.g[i];
      if (kind == 0) {
        want.w[i] -= step;
      } else {
        want.b[i] = momentum * want.b[i] - step;
        want.w[i] += kind == 1 ? want.b[i] : momentum * want.b[i] - step;
      }
    }
    on_every_target([&](const std::string& target) {
      SCOPED_TRACE(target);
      State<T> got;
      kernels::update_sgd(n, rate, kind ? momentum : T(0), kind == 2, got.g.data(), got.w.data(),
                          kind ? got.b.data() : nullptr);
      expect_same(got, want);
    });
  }
}

TYPED_TEST(Update, RmspropIsItsFormula) {
  using T = TypeParam;
  const T rate = T(0.01), rho = T(0.9), epsilon = T(1e-3);
  for (const bool centered : {false, true}) {
    for (const T momentum : {T(0), T(0.8)}) {
      State<T> want;
      for (std::size_t i = 0; i < n; ++i) {
        const T g = want.g[i];
        want.a[i] = rho * want.a[i] + (1 - rho) * g * g;
        T below = want.a[i] + epsilon;
        if (centered) {
          want.b[i] = rho * want.b[i] + (1 - rho) * g;
          below -= want.b[i] * want.b[i];
        }
        T step = rate * g / std::sqrt(below);
        if (momentum > 0) step = want.c[i] = momentum * want.c[i] + step;
        want.w[i] -= step;
      }
      on_every_target([&](const std::string& target) {
        SCOPED_TRACE(target);
        State<T> got;
        kernels::update_rmsprop(n, rate, rho, momentum, epsilon, got.g.data(), got.w.data(),
                                got.a.data(), centered ? got.b.data() : nullptr,
                                momentum > 0 ? got.c.data() : nullptr);
        expect_same(got, want);
      });
    }
  }
}

TYPED_TEST(Update, AdamIsItsFormula) {
  using T = TypeParam;
  const T alpha = T(0.02), beta1 = T(0.9), beta2 = T(0.99), epsilon = T(1e-3);
  for (const bool amsgrad : {false, true}) {
    State<T> want;
    for (std::size_t i = 0; i < n; ++i) {
      const T g = want.g[i];
      want.b[i] += (g - want.b[i]) * (1 - beta1);
      want.a[i] += (g * g - want.a[i]) * (1 - beta2);
      if (amsgrad) want.c[i] = std::max(want.c[i], want.a[i]);
      want.w[i] -= alpha * want.b[i] / (std::sqrt(amsgrad ? want.c[i] : want.a[i]) + epsilon);
    }
    on_every_target([&](const std::string& target) {
      SCOPED_TRACE(target);
      State<T> got;
      kernels::update_adam(n, alpha, beta1, beta2, epsilon, got.g.data(), got.w.data(),
                           got.b.data(), got.a.data(), amsgrad ? got.c.data() : nullptr);
      expect_same(got, want);
    });
  }
}

TYPED_TEST(Update, GivesTheSameBitsForAnyCutOfTheRange) {
  using T = TypeParam;
  const auto adam = [](State<T>& s, std::size_t first, std::size_t last) {
    kernels::update_adam(static_cast<Index>(last - first), T(0.02), T(0.9), T(0.99), T(1e-3),
                         s.g.data() + first, s.w.data() + first, s.b.data() + first,
                         s.a.data() + first, s.c.data() + first);
  };
  on_every_target([&](const std::string& target) {
    SCOPED_TRACE(target);
    State<T> whole;
    adam(whole, 0, n);
    for (std::size_t cut = 0; cut <= n; ++cut) {
      State<T> parts;
      adam(parts, 0, cut);
      adam(parts, cut, n);
      ASSERT_EQ(parts.w, whole.w) << cut;
      ASSERT_EQ(parts.b, whole.b) << cut;
      ASSERT_EQ(parts.a, whole.a) << cut;
      ASSERT_EQ(parts.c, whole.c) << cut;
    }
  });
}

}  // namespace
}  // namespace unroll
