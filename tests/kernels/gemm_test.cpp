#include "src/kernels/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "src/base/random.h"
#include "src/base/threads.h"
#include "tests/kernels/gemm_reference.h"
#include "tests/kernels/targets.h"

namespace unroll::kernels {
namespace {

template <class T>
std::vector<T> numbers(Index count, std::uint64_t seed) {
  std::vector<T> v(static_cast<std::size_t>(count));
  const base::Random random(seed);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<T>(random.uniform(i) * 2 - 1);
  return v;
}

template <class T>
T tolerance() {
  return std::is_same_v<T, float> ? T(1e-5) : T(1e-13);
}

template <class T>
void expect_close(const std::vector<T>& got, const std::vector<T>& want, bool same_bits,
                  const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const T room = same_bits ? T{0} : tolerance<T>() * (1 + std::abs(want[i]));
    ASSERT_NEAR(got[i], want[i], room) << what << " at " << i;
  }
}

struct Size {
  Index M, N, K;
};
std::vector<Size> sizes() {
  std::vector<Size> all;
  for (const Index M : {1, 3, 8, 13}) {
    for (const Index N : {1, 3, 5, 16, 50, 64, 65}) {
      for (const Index K : {0, 1, 2, 33, 65}) all.push_back({M, N, K});
    }
  }
  all.insert(all.end(), {{7, 40, 700}, {130, 17, 300}, {257, 9, 5}});
  return all;
}

std::string name_of(const Size& s) {
  return std::to_string(s.M) + " x " + std::to_string(s.N) + " x " + std::to_string(s.K);
}

// Where multiply-add is fused the twin has the same bits, so the tolerance is none.
template <class T>
void check_gemm(const Size& s, bool transposed, Epilogue<T> epilogue, bool same_bits,
                const std::string& target) {
  const Index lda = s.K + 3, ldc = s.N + 2;
  const auto A = numbers<T>(s.M * lda, 1), B = numbers<T>(s.K * s.N, 2);
  const auto bias = numbers<T>(s.N, 3);
  if (epilogue.bias) epilogue.bias = bias.data();
  auto b = B;
  for (Index k = 0; transposed && k < s.K; ++k) {
    for (Index n = 0; n < s.N; ++n) {
      b[static_cast<std::size_t>(n * s.K + k)] = B[static_cast<std::size_t>(k * s.N + n)];
    }
  }
  std::vector<T> packed(static_cast<std::size_t>(packed_size<T>(s.K, s.N)),
                        std::numeric_limits<T>::quiet_NaN());
  pack(s.K, s.N, b.data(), transposed ? s.K : s.N, transposed, packed.data());
  auto got = numbers<T>(s.M * ldc, 4), want = got;
  gemm(s.M, s.N, s.K, A.data(), lda, packed.data(), got.data(), ldc, epilogue);
  gemm_reference(s.M, s.N, s.K, A.data(), lda, B.data(), s.N, want.data(), ldc, epilogue);
  expect_close(got, want, same_bits, name_of(s) + " on " + target);
}

template <class T>
class Gemm : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Types);

TYPED_TEST(Gemm, IsThePlainLoopsOnEveryTarget) {
  on_every_target([](const std::string& target) {
    for (const Size& s : sizes()) check_gemm<TypeParam>(s, false, {}, fuses(target), target);
  });
}

TYPED_TEST(Gemm, PacksATranspose) {
  for (const Size& s : sizes()) check_gemm<TypeParam>(s, true, {}, false, "");
}

TYPED_TEST(Gemm, EndsWithBiasSumAndActivation) {
  const TypeParam there = 0;  // replaced by a bias of the right length
  for (const Activation activation :
       {Activation("linear"), Activation("relu"), Activation("tanh"), Activation("gelu")}) {
    for (const Size& s : sizes()) {
      check_gemm<TypeParam>(s, false, {&there, false, activation}, false, "bias");
      check_gemm<TypeParam>(s, false, {nullptr, true, activation}, false, "sum");
      check_gemm<TypeParam>(s, false, {&there, true, activation}, false, "both");
    }
  }
}

TYPED_TEST(Gemm, ReluLetsNaNThrough) {
  using T = TypeParam;
  const std::vector<T> A{std::numeric_limits<T>::quiet_NaN()}, B{1};
  std::vector<T> packed(static_cast<std::size_t>(packed_size<T>(1, 1))), C{0};
  pack<T>(1, 1, B.data(), 1, false, packed.data());
  gemm<T>(1, 1, 1, A.data(), 1, packed.data(), C.data(), 1, {.activation = "relu"});
  EXPECT_TRUE(std::isnan(C[0]));
}

TYPED_TEST(Gemm, ARowHasTheSameBitsAloneAndInABatch) {
  using T = TypeParam;
  const Index M = 29, N = 71, K = 600;
  const auto A = numbers<T>(M * K, 1), B = numbers<T>(K * N, 2);
  std::vector<T> packed(static_cast<std::size_t>(packed_size<T>(K, N)));
  pack(K, N, B.data(), N, false, packed.data());
  on_every_target([&](const std::string& target) {
    pack(K, N, B.data(), N, false, packed.data());
    std::vector<T> batch(static_cast<std::size_t>(M * N)), alone(batch);
    gemm(M, N, K, A.data(), K, packed.data(), batch.data(), N);
    for (Index m = 0; m < M; ++m) {
      gemm(1, N, K, A.data() + m * K, K, packed.data(), alone.data() + m * N, N);
    }
    EXPECT_EQ(batch, alone) << target;
  });
}

TYPED_TEST(Gemm, ATeamComputesTheBitsOfOneThread) {
  using T = TypeParam;
  base::Workers workers(3);
  for (const Size& s : {Size{0, 3, 2}, Size{1, 5, 7}, Size{300, 71, 130}}) {
    const auto A = numbers<T>(s.M * s.K, 1), B = numbers<T>(s.K * s.N, 2);
    const auto D = numbers<T>(s.M * s.N, 3);
    std::vector<T> packed(static_cast<std::size_t>(packed_size<T>(s.K, s.N)));
    pack(s.K, s.N, B.data(), s.N, false, packed.data());
    auto shared = numbers<T>(s.M * s.N, 4), alone = shared;
    const Epilogue<T> sum{.accumulate = true, .activation = "tanh"};
    gemm(s.M, s.N, s.K, A.data(), s.K, packed.data(), shared.data(), s.N, sum, &workers);
    gemm(s.M, s.N, s.K, A.data(), s.K, packed.data(), alone.data(), s.N, sum);
    EXPECT_EQ(shared, alone) << name_of(s);
    auto shared_d = numbers<T>(s.K * s.N, 5), alone_d = shared_d;
    gemm_transposed_a(s.M, s.N, s.K, A.data(), s.K, D.data(), s.N, shared_d.data(), s.N, &workers);
    gemm_transposed_a(s.M, s.N, s.K, A.data(), s.K, D.data(), s.N, alone_d.data(), s.N);
    EXPECT_EQ(shared_d, alone_d) << name_of(s);
  }
}

TYPED_TEST(Gemm, TransposedIsThePlainLoopsOnEveryTarget) {
  using T = TypeParam;
  // The last two are so large, or their rows so far apart, that they are computed on copies.
  std::vector<Size> all = sizes();
  all.insert(all.end(), {{33, 2050, 70}, {130, 50, 2050}});
  on_every_target([&](const std::string& target) {
    for (const Size& s : all) {
      const Index lda = s.K + 1, ldd = s.N + 2, ldc = s.N + 3;
      const auto A = numbers<T>(s.M * lda, 1), D = numbers<T>(s.M * ldd - 2, 2);
      auto got = numbers<T>(s.K * ldc, 3), want = got;
      gemm_transposed_a(s.M, s.N, s.K, A.data(), lda, D.data(), ldd, got.data(), ldc);
      gemm_transposed_a_reference(s.M, s.N, s.K, A.data(), lda, D.data(), ldd, want.data(), ldc);
      expect_close(got, want, fuses(target), name_of(s) + " on " + target);
    }
  });
}

TYPED_TEST(Gemm, AddsRowsInTheirOrder) {
  using T = TypeParam;
  for (const Size& s : sizes()) {
    const auto D = numbers<T>(s.M * s.N, 1);
    auto got = numbers<T>(s.N, 2), want = got;
    add_rows(s.M, s.N, D.data(), s.N, got.data());
    for (Index i = 0; i < s.M * s.N; ++i) {
      want[static_cast<std::size_t>(i % s.N)] += D[static_cast<std::size_t>(i)];
    }
    EXPECT_EQ(got, want) << name_of(s);
  }
}

}  // namespace
}  // namespace unroll::kernels
