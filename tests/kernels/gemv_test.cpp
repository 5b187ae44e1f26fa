#include "src/kernels/gemv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "src/base/aligned.h"
#include "src/base/random.h"
#include "tests/kernels/targets.h"

namespace unroll::kernels {
namespace {

std::vector<float> numbers(Index count, std::uint64_t stream) {
  const base::Random random(11, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  std::uint64_t i = 0;
  for (float& v : values) v = static_cast<float>(2 * random.uniform(i++) - 1);
  return values;
}

/// A matrix, a row, and their product by the plain loops.
struct Product {
  Index K, N;
  std::vector<float> a, w;

  Product(Index k, Index n, std::uint64_t stream)
      : K(k), N(n), a(numbers(k, stream)), w(numbers(k * n, stream + 1)) {}
  double at(Index n) const {
    double sum = 0;
    for (Index k = 0; k < K; ++k) {
      sum += static_cast<double>(a[static_cast<std::size_t>(k)]) *
             static_cast<double>(w[static_cast<std::size_t>(k * N + n)]);
    }
    return sum;
  }
};

void expect_twin(Index K, Index second_K, Index N, WeightType type, double room,
                 const std::string& where) {
  const Product one(K, N, 1), two(second_K, N, 3);
  const PackedMatrix w(K, N, one.w.data(), type), v(second_K, N, two.w.data(), type);
  std::vector<float> bias = numbers(N, 5);
  bias.resize(static_cast<std::size_t>(gemv_room(N)));
  std::vector<float> y(bias.size(), 7.0f);
  const Index scratch = gemv_scratch(w) + gemv_scratch(v);
  const auto memory = base::aligned_bytes(scratch * 4 + 64);
  const GemvTerm second = second_K > 0 ? GemvTerm{two.a.data(), &v} : GemvTerm{};
  gemv({one.a.data(), &w}, second, bias.data(), static_cast<float*>(memory.get()), y.data());
  for (Index n = 0; n < N; ++n) {
    const double want = static_cast<double>(bias[static_cast<std::size_t>(n)]) + one.at(n) +
                        (second_K > 0 ? two.at(n) : 0);
    const double scale = std::sqrt(static_cast<double>(K + second_K));
    EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>(n)]), want, room * scale)
        << where << " K " << K << " + " << second_K << ", N " << N << ", column " << n;
  }
}

TEST(Gemv, IsThePlainLoops) {
  on_every_target([](const std::string& target) {
    for (const Index N : {1, 3, 7, 8, 16, 17, 24, 40, 50, 56, 64, 65, 72, 130, 200}) {
      for (const Index K : {1, 2, 5, 8, 31, 64}) {
        expect_twin(K, 0, N, WeightType::float32, 1e-6, target);
        expect_twin(K, K / 2 + 1, N, WeightType::float32, 1e-6, target);
        expect_twin(K, K / 2 + 1, N, WeightType::bfloat16, 4e-3, target);
        expect_twin(K, K / 2 + 1, N, WeightType::int8, 2.4e-2, target);
      }
    }
  });
}

TEST(Gemv, WithoutABiasBeginsWithZero) {
  const Product p(5, 9, 1);
  const PackedMatrix w(5, 9, p.w.data(), WeightType::float32);
  std::vector<float> y(static_cast<std::size_t>(gemv_room(9)));
  gemv({p.a.data(), &w}, {}, nullptr, nullptr, y.data());
  for (Index n = 0; n < 9; ++n) {
    EXPECT_NEAR(static_cast<double>(y[static_cast<std::size_t>(n)]), p.at(n), 1e-5);
  }
}

/// The product as gemv.h describes it for int8, by plain loops.
std::vector<float> whole_numbers(const Product& p) {
  const auto largest = [](Index count, auto value) {
    float most = 0;
    for (Index i = 0; i < count; ++i) most = std::max(most, std::abs(value(i)));
    return most;
  };
  const auto at = [&](Index i) { return p.a[static_cast<std::size_t>(i)]; };
  const float a_most = largest(p.K, at);
  std::vector<float> y;
  for (Index n = 0; n < p.N; ++n) {
    const auto column = [&](Index k) { return p.w[static_cast<std::size_t>(k * p.N + n)]; };
    const float w_most = largest(p.K, column);
    std::int32_t sum = 0;
    for (Index k = 0; k < p.K; ++k) {
      sum += static_cast<std::int32_t>(std::nearbyint(at(k) * (63.0f / a_most))) *
             static_cast<std::int32_t>(std::nearbyint(column(k) / w_most * 127.0f));
    }
    y.push_back(static_cast<float>(sum) * (a_most / 63.0f * (w_most / 127.0f)));
  }
  return y;
}

std::vector<float> int8_product(const Product& p, const std::vector<float>& a) {
  const PackedMatrix w(p.K, p.N, p.w.data(), WeightType::int8);
  std::vector<float> y(static_cast<std::size_t>(gemv_room(p.N)));
  const auto memory = base::aligned_bytes(gemv_scratch(w) * 4);
  gemv({a.data(), &w}, {}, nullptr, static_cast<float*>(memory.get()), y.data());
  y.resize(static_cast<std::size_t>(p.N));
  return y;
}

TEST(Gemv, OfWholeNumbersIsExactOnEveryTarget) {
  on_every_target([](const std::string& target) {
    for (const Index N : {1, 8, 9, 64, 72, 200}) {
      for (const Index K : {1, 3, 4, 66, 512}) {
        const Product p(K, N, 7);
        EXPECT_EQ(int8_product(p, p.a), whole_numbers(p)) << target << " K " << K << " N " << N;
      }
    }
  });
}

TEST(Gemv, OfWholeNumbersKeepsZerosAndWhatIsNoNumber) {
  const Product p(37, 12, 7);
  std::vector<float> a(37);
  for (const float y : int8_product(p, a)) EXPECT_EQ(y, 0);
  for (const float broken : {NAN, INFINITY, -INFINITY}) {
    a[21] = broken;
    for (const float y : int8_product(p, a)) EXPECT_TRUE(std::isnan(y)) << broken;
  }
  Product broken = p;
  broken.w[5 * 12 + 3] = NAN;
  const std::vector<float> y = int8_product(broken, p.a);
  EXPECT_TRUE(std::isnan(y[3]));
  EXPECT_FALSE(std::isnan(y[4]));
}

}  // namespace
}  // namespace unroll::kernels
