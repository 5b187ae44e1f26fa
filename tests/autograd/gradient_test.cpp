// The gradient of every operation against central differences.
#include "tests/autograd/gradient_check.h"

namespace unroll {
namespace {

using Pair = std::pair<Shape, Shape>;

/// How two shapes may meet: equal, a row, a column, a number, axes missing or 1 on either side.
const std::vector<Pair>& broadcasts() {
  static const std::vector<Pair> pairs{
      {{3, 4}, {3, 4}},    {{3, 4}, {4}},       {{4}, {3, 4}},
      {{3, 4}, {3, 1}},    {{3, 1}, {1, 4}},    {{3, 4}, {}},
      {{}, {3, 4}},        {{2, 3, 4}, {3, 1}}, {{2, 1, 4}, {2, 3, 1}},
      {{1, 3, 1}, {3, 4}}, {{2, 3}, {1, 1}},    {{2, 1, 3, 1}, {4, 1, 5}},
      {{1}, {1}},          {{17}, {17}},
  };
  return pairs;
}

void expect_binary(Var (*operation)(const Var&, const Var&), double least, double most) {
  for (const auto& [a, b] : broadcasts()) {
    SCOPED_TRACE(a.to_string() + " and " + b.to_string());
    expect_gradients([=](Tape&, const Vars& v) { return operation(v[0], v[1]); },
                     {noise(a, 1), noise(b, 2, least, most)});
  }
}

TEST(Gradient, OfArithmetic) {
  expect_binary([](const Var& a, const Var& b) { return a + b; }, -1, 1);
  expect_binary([](const Var& a, const Var& b) { return a - b; }, -1, 1);
  expect_binary([](const Var& a, const Var& b) { return a * b; }, -1, 1);
  expect_binary([](const Var& a, const Var& b) { return a / b; }, 0.5, 2);
}

void expect_unary(const std::function<Var(const Var&)>& operation, double least = -2,
                  double most = 2) {
  expect_gradients([&](Tape&, const Vars& v) { return operation(v[0]); },
                   {noise({3, 5}, 3, least, most)});
}

TEST(Gradient, OfArithmeticWithNumbers) {
  expect_unary([](const Var& x) { return x + 3; });
  expect_unary([](const Var& x) { return x - 3; });
  expect_unary([](const Var& x) { return x * 3; });
  expect_unary([](const Var& x) { return x / 3; });
  expect_unary([](const Var& x) { return 3 + x; });
  expect_unary([](const Var& x) { return 3 - x; });
  expect_unary([](const Var& x) { return 3 * x; });
  expect_unary([](const Var& x) { return 3 / x; }, 0.5, 2);
  expect_unary([](const Var& x) { return -x; });
}

TEST(Gradient, OfFunctions) {
  expect_unary([](const Var& x) { return exp(x); });
  expect_unary([](const Var& x) { return log(x); }, 0.3, 3);
  expect_unary([](const Var& x) { return sqrt(x); }, 0.3, 3);
  expect_unary([](const Var& x) { return tanh(x); });
  expect_unary([](const Var& x) { return sigmoid(x); });
  expect_unary([](const Var& x) { return relu(x); });
  expect_unary([](const Var& x) { return softmax(x); });
}

TEST(Gradient, OfEveryActivation) {
  for (const auto& [name, kind] : activation_names) {
    // Its recorded slope is a float32 sixth in float64 too.
    if (kind == ActivationKind::hard_sigmoid) continue;
    SCOPED_TRACE(std::string(name));
    const Activation activation = kind;
    expect_unary([=](const Var& x) { return activate(x, activation); });
  }
}

TEST(Gradient, WhenAValueIsUsedTwice) {
  expect_unary([](const Var& x) { return x * x + tanh(x) * x; });
  expect_unary([](const Var& x) { return concat({x, x * 2, x}, 1); });
  expect_unary([](const Var& x) { return reshape(x, {15}) * reshape(x, {15}); });
}

TEST(Gradient, OfWhere) {
  const Tensor condition = Tensor::of<std::uint8_t>({3, 1}, {1, 0, 1});
  for (const auto& [a, b] : std::vector<Pair>{{{3, 4}, {3, 4}}, {{4}, {3, 4}}, {{3, 1}, {}}}) {
    SCOPED_TRACE(a.to_string() + " and " + b.to_string());
    expect_gradients(
        [&](Tape& tape, const Vars& v) { return where(tape.constant(condition), v[0], v[1]); },
        {noise(a, 1), noise(b, 2)});
  }
  const Tensor row = Tensor::of<std::uint8_t>({4}, {0, 1, 1, 0});
  expect_gradients([&](Tape& tape, const Vars& v) { return where(tape.constant(row), v[0], v[1]); },
                   {noise({2, 3, 4}, 1), noise({3, 1}, 2)});
}

TEST(Gradient, OfDropout) {
  expect_unary([](const Var& x) { return dropout(x, 0.4, 7, 3); });
}

TEST(Gradient, OfProducts) {
  const std::vector<Pair> shapes{
      {{3, 4}, {4, 5}},    {{1, 4}, {4, 1}},       {{2, 3, 4}, {4, 5}},
      {{4}, {4, 3}},       {{2, 3, 4}, {2, 4, 5}}, {{2, 2, 3, 4}, {2, 2, 4, 2}},
      {{7, 33}, {33, 17}},
  };
  for (const auto& [a, b] : shapes) {
    SCOPED_TRACE(a.to_string() + " times " + b.to_string());
    expect_gradients([](Tape&, const Vars& v) { return matmul(v[0], v[1]); },
                     {noise(a, 1), noise(b, 2)});
  }
}

TEST(Gradient, OfMovingNumbers) {
  const auto expect = [](const Shape& shape, const std::function<Var(const Var&)>& operation) {
    expect_gradients([&](Tape&, const Vars& v) { return operation(v[0]); }, {noise(shape, 4)});
  };
  expect({3, 4}, [](const Var& x) { return reshape(x, {2, unknown}); });
  expect({2, 3, 4}, [](const Var& x) { return transpose(x, {2, 0, 1}); });
  expect({3, 4}, [](const Var& x) { return transpose(x, {1, 0}); });
  expect({2, 3, 4}, [](const Var& x) { return swap_first_axes(x); });
  for (int axis = -3; axis < 3; ++axis) {
    expect({2, 3, 4}, [=](const Var& x) { return reverse(x, axis); });
  }
}

TEST(Gradient, OfParts) {
  const std::vector<Picks> parts{
      {1},                            // contiguous: one position of the first axis
      {range(1, 3)},                  // contiguous: some of them
      {-1, range(0, 2)},              // contiguous inside one position
      {1, 2, range(1, 3)},            //
      {all, 1},                       // strided from here on
      {all, all, 0},                  //
      {all, range(1, 3), all},        //
      {all, -1, range(1, -1)},        //
      {range(0, 2), range(1, 2), 3},  //
      {all, all, all},                // everything
      {0, 0, 0},                      // one number
      {range(1, 1)},                  // nothing
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    SCOPED_TRACE("part " + std::to_string(i));
    expect_gradients([&](Tape&, const Vars& v) { return slice(v[0], parts[i]); },
                     {noise({3, 3, 4}, 5)});
    // The part used twice, and beside the whole.
    expect_gradients(
        [&](Tape&, const Vars& v) {
          const Var part = slice(v[0], parts[i]);
          return part * part * sum(v[0]);
        },
        {noise({3, 3, 4}, 5)});
  }
}

TEST(Gradient, OfJoining) {
  for (int axis = -3; axis < 3; ++axis) {
    const int at = axis < 0 ? axis + 3 : axis;
    Shape longer{2, 3, 4};
    longer.set(at, 5);
    expect_gradients(
        [=](Tape&, const Vars& v) {
          return concat({v[0], v[1], v[0]}, axis);
        },
        {noise({2, 3, 4}, 6), noise(longer, 7)});
  }
  for (int axis = -3; axis < 3; ++axis) {
    expect_gradients(
        [=](Tape&, const Vars& v) {
          return stack({v[0], v[1]}, axis);
        },
        {noise({3, 4}, 6), noise({3, 4}, 7)});
  }
}

TEST(Gradient, OfGather) {
  const Tensor ids = Tensor::of<std::int32_t>({2, 3}, {1, 0, 1, 4, 4, 1});
  expect_gradients([&](Tape& tape, const Vars& v) { return gather(v[0], tape.constant(ids)); },
                   {noise({5, 3}, 8)});
  expect_gradients([&](Tape& tape, const Vars& v) { return gather(v[0], tape.constant(ids)); },
                   {noise({5}, 8)});
}

TEST(Gradient, OfReductions) {
  expect_unary([](const Var& x) { return sum(x); });
  expect_unary([](const Var& x) { return mean(x); });
  for (int axis = -3; axis < 3; ++axis) {
    for (const bool keep : {false, true}) {
      SCOPED_TRACE("axis " + std::to_string(axis));
      const auto expect = [&](const std::function<Var(const Var&)>& operation) {
        expect_gradients([&](Tape&, const Vars& v) { return operation(v[0]); },
                         {noise({2, 3, 4}, 9)});
      };
      expect([=](const Var& x) { return sum(x, axis, keep); });
      expect([=](const Var& x) { return mean(x, axis, keep); });
      expect([=](const Var& x) { return max(x, axis, keep); });
    }
  }
}

TEST(Gradient, OfMaximumIsSharedByTies) {
  Tape tape(DType::float64);
  const Tensor numbers = Tensor::of<double>({2, 4}, {3, 1, 3, 2, 5, 5, 5, 5});
  const Var x = tape.variable(numbers);
  tape.backward(sum(max(x, 1)));
  const std::vector<double> want{0.5, 0, 0.5, 0, 0.25, 0.25, 0.25, 0.25};
  const Tensor got = tape.gradient(x);
  EXPECT_TRUE(std::ranges::equal(got.values<double>(), want));
}

TEST(Gradient, GoesBothWaysThroughAView) {
  // A reshape shares its gradient with what it is a view of, whichever was used first.
  expect_unary([](const Var& x) {
    const Var y = tanh(x);
    const Var before = y * 2;
    return concat({reshape(y, {15}), reshape(before, {15}), reshape(y * before, {15})}, 0);
  });
}

}  // namespace
}  // namespace unroll
