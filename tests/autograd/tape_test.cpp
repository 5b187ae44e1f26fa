// Values and refusals of tape and operations.
#include <deque>
#include <numeric>

#include "tests/autograd/gradient_check.h"
#include "unroll/error.h"

namespace unroll {
namespace {

/// 0, 1, 2, ...; kept until the program ends, as tapes do not copy what they are given.
const Tensor& counting(const Shape& shape) {
  static std::deque<Tensor> kept;
  Tensor& numbers = kept.emplace_back(shape);
  auto values = numbers.values<float>();
  std::iota(values.begin(), values.end(), 0.0F);
  return numbers;
}

std::vector<float> numbers(const Var& x) {
  const Tensor copy = x.tensor();
  return {copy.values<float>().begin(), copy.values<float>().end()};
}

TEST(Tape, ComputesWhatIsWritten) {
  Tape tape;
  const Var x = tape.constant(counting({2, 3}));
  EXPECT_EQ(numbers(x + x), (std::vector<float>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(numbers(1 - x), (std::vector<float>{1, 0, -1, -2, -3, -4}));
  EXPECT_EQ(numbers(12 / (x + 1)), (std::vector<float>{12, 6, 4, 3, 12.0F / 5, 2}));
  EXPECT_EQ(numbers(x[{1}]), (std::vector<float>{3, 4, 5}));
  EXPECT_EQ(numbers(x[{all, -1}]), (std::vector<float>{2, 5}));
  EXPECT_EQ(numbers(x[{all, range(0, 2)}]), (std::vector<float>{0, 1, 3, 4}));
  EXPECT_EQ(numbers(transpose(x, {1, 0})), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(numbers(reverse(x, 0)), (std::vector<float>{3, 4, 5, 0, 1, 2}));
  EXPECT_EQ(numbers(stack({x[{0}], x[{1}]}, 1)), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(numbers(sum(x, 0)), (std::vector<float>{3, 5, 7}));
  EXPECT_EQ(numbers(mean(x, 1)), (std::vector<float>{1, 4}));
  EXPECT_EQ(numbers(max(x, 0)), (std::vector<float>{3, 4, 5}));
  EXPECT_EQ(numbers(sum(x)), (std::vector<float>{15}));
  EXPECT_EQ(numbers(matmul(x, transpose(x, {1, 0}))), (std::vector<float>{5, 14, 14, 50}));
}

TEST(Tape, KeepsNoRecordWhereNothingIsAskedFor) {
  Tape silent(DType::float32, false);
  const Var w = silent.variable(counting({3}));
  EXPECT_FALSE((w * w).needs_gradient());
  EXPECT_EQ(silent.entries(), 0);
  Tape tape;
  const Var c = tape.constant(counting({3}));
  EXPECT_FALSE((c * c).needs_gradient());
  EXPECT_EQ(tape.entries(), 0);
}

TEST(Tape, AddsGradientsOfSeveralPasses) {
  Tape tape;
  const Var w = tape.variable(counting({3}));
  const Var loss = sum(w * 2);
  tape.backward(loss);
  const Tensor once = tape.gradient(w);
  EXPECT_EQ(std::vector<float>(once.values<float>().begin(), once.values<float>().end()),
            (std::vector<float>{2, 2, 2}));
}

TEST(Tape, TakesTheSameMemoryForTheSameStep) {
  Tape tape;
  const Tensor &x = counting({7, 5}), &w = counting({5, 3});
  const auto step = [&] {
    tape.clear();
    const Var weights = tape.variable(w);
    tape.backward(sum(tanh(matmul(tape.constant(x), weights))));
    return tape.arena().used();
  };
  const Index first = step();
  EXPECT_EQ(step(), first);
  EXPECT_EQ(tape.arena().peak(), first);
}

TEST(Tape, KeepsWhatAConstantPointsTo) {
  Tape tape;
  const Var x = tape.constant(Tensor::of<float>({2}, {1, 2}));  // the tensor itself is gone
  const Tensor other = Tensor::full({2}, 9);                    // and may not take its place
  EXPECT_EQ(x.tensor().at({0}), 1);
  EXPECT_EQ(x.tensor().at({1}), 2);
  EXPECT_EQ(other.at({0}), 9);
}

TEST(Tape, ConvertsNumbersToItsPrecision) {
  Tape tape(DType::float64);
  EXPECT_EQ(tape.constant(counting({2})).dtype(), DType::float64);
  const Tensor ids({2}, DType::int32);
  EXPECT_EQ(tape.constant(ids).dtype(), DType::int32);
}

TEST(Dropout, KeepsTheShareAndTheMeanAndItsStream) {
  Tape tape;
  const Tensor given = Tensor::full({10000}, 1);
  const Var ones = tape.constant(given);
  const std::vector<float> kept = numbers(dropout(ones, 0.25, 1));
  const auto zeros = static_cast<double>(std::ranges::count(kept, 0.0F));
  EXPECT_NEAR(zeros / 10000, 0.25, 0.02);
  for (float v : kept) EXPECT_TRUE(v == 0 || v == 1 / 0.75F);
  EXPECT_EQ(numbers(dropout(ones, 0.25, 1)), kept);
  EXPECT_NE(numbers(dropout(ones, 0.25, 2)), kept);
  EXPECT_NE(numbers(dropout(ones, 0.25, 1, 1)), kept);
  EXPECT_EQ(numbers(dropout(ones, 0, 1)), numbers(ones));
}

TEST(Refusal, OfShapesThatDoNotFit) {
  Tape tape;
  const Var a = tape.constant(counting({2, 3})), b = tape.constant(counting({4}));
  EXPECT_EQ(refusal([&] { matmul(a, a); }),
            "matmul: shapes do not fit\n"
            "  got    (2, 3) times (2, 3)\n"
            "  want   (..., K) times (K, N), or (..., M, K) times (..., K, N) with equal leading "
            "axes");
  EXPECT_EQ(refusal([&] { reshape(a, {4}); }),
            "a reshape must keep the number of elements\n  got    (2, 3) to (4,)");
  EXPECT_EQ(refusal([&] {
              concat({a, b}, 0);
            }),
            "concat: shapes differ beside the joined axis\n  got    (2, 3) and (4,)");
  EXPECT_EQ(refusal([&] { reverse(a, 2); }), "no such axis\n  got    2 of rank 2");
  EXPECT_EQ(refusal([&] { transpose(a, {0, 0}); }), "transpose names an axis twice");
  EXPECT_EQ(refusal([&] { transpose(a, {1}); }), "transpose must name every axis\n  got    1 of 2");
  EXPECT_EQ(refusal([&] { concat(std::span<const Var>(), 0); }), "concat of nothing");
  EXPECT_EQ(refusal([&] { stack(std::span<const Var>(), 0); }), "stack of nothing");
  EXPECT_EQ(refusal([&] { a + b; }),
            "shapes do not broadcast\n"
            "  got    (2, 3) and (4,)\n"
            "  want   equal sizes, or 1, counted from the last axis");
  EXPECT_NO_THROW(sum(a, -2));
  EXPECT_EQ(refusal([&] { sum(a, 2); }), "no such axis\n  got    2 of rank 2");
  EXPECT_EQ(refusal([&] { mean(a, -3); }), "no such axis\n  got    -3 of rank 2");
  EXPECT_EQ(refusal([&] { max(a, 2); }), "no such axis\n  got    2 of rank 2");
  EXPECT_NO_THROW(stack({a, a}, -3));
  EXPECT_EQ(refusal([&] { stack({a, a}, 3); }), "no such axis\n  got    3 of rank 3");
  EXPECT_EQ(refusal([&] { stack({a, a}, -4); }), "no such axis\n  got    -4 of rank 3");
}

TEST(Refusal, OfWrongKinds) {
  Tape tape;
  const Var a = tape.constant(counting({2, 3}));
  const Tensor given = Tensor::of<std::int32_t>({2}, {0, 2});
  const Var ids = tape.constant(given);
  EXPECT_EQ(refusal([&] { where(a, a, a); }), "where wants a condition of uint8\n  got    float32");
  EXPECT_EQ(refusal([&] { gather(a, a); }), "gather wants ids of int32\n  got    float32");
  EXPECT_EQ(refusal([&] { gather(a, ids); }),
            "an id lies outside its table\n  got    2\n  want   0 to 1");
  EXPECT_EQ(refusal([&] { dropout(a, 1, 0); }),
            "dropout: rate is not a probability below 1\n"
            "  got    1.000000\n"
            "  want   0 <= rate < 1");
  EXPECT_EQ(refusal([&] { ids + ids; }),
            "an operation wants real numbers\n  got    int32\n  want   float32 or float64");
}

TEST(Refusal, OfBackwardFromTheWrongPlace) {
  Tape tape;
  const Var w = tape.variable(counting({3})), c = tape.constant(counting({3}));
  EXPECT_EQ(refusal([&] { tape.backward(w * 2); }),
            "backward starts from one number\n"
            "  got    (3,)\n"
            "  want   a loss of one element\n"
            "hint: sum(loss) or mean(loss)");
  EXPECT_EQ(refusal([&] { tape.backward(sum(c)); }),
            "backward from a value that has no gradient\n"
            "  got    a value made from constants only, or on a tape that does not record\n"
            "  want   a value made from a variable or a parameter");
  EXPECT_NO_THROW(tape.backward(sum(w)));
}

}  // namespace
}  // namespace unroll
