// The adding problem, the copy problem and temporal order.
#include "unroll/problems.h"

#include "src/base/random.h"
#include "unroll/error.h"

namespace unroll {

namespace {

using base::Random;

void at_least(const char* problem, const char* what, Index got, Index least) {
  if (got >= least) return;
  throw Error(ErrorKind::value, std::string(problem) + ": too few " + what,
              {.got = std::to_string(got), .want = std::to_string(least) + " or more"});
}

std::uint64_t position(Index i) { return static_cast<std::uint64_t>(i); }

}  // namespace

Problem adding_problem(Index rows, Index steps, std::uint64_t seed) {
  at_least("adding_problem", "rows", rows, 1);
  at_least("adding_problem", "steps", steps, 2);
  const Random numbers(seed, 0), marks(seed, 1);
  Problem problem{Tensor({rows, steps, 2}), Tensor({rows, 1})};
  for (Index row = 0; row < rows; ++row) {
    float* x = problem.x.floats() + row * steps * 2;
    for (Index t = 0; t < steps; ++t) {
      x[2 * t] = static_cast<float>(numbers.uniform(position(row * steps + t)));
    }
    const Index half = steps / 2;
    const Index first = marks.below(half, position(2 * row));
    const Index second = half + marks.below(steps - half, position(2 * row + 1));
    x[2 * first + 1] = x[2 * second + 1] = 1;
    problem.y.floats()[row] = x[2 * first] + x[2 * second];
  }
  return problem;
}

Problem copy_problem(Index rows, Index length, Index lag, std::uint64_t seed) {
  constexpr Index symbols = 8, blank = 8, question = 9, inputs = 10;
  at_least("copy_problem", "rows", rows, 1);
  at_least("copy_problem", "symbols", length, 1);
  at_least("copy_problem", "blanks", lag, 1);
  const Random random(seed);
  const Index steps = 2 * length + lag;
  Problem problem{Tensor({rows, steps, inputs}), Tensor({rows, steps}, DType::int32)};
  for (Index row = 0; row < rows; ++row) {
    for (Index t = 0; t < steps; ++t) {
      const auto symbol = [&](Index i) {
        return random.below(symbols, position(row * length + i));
      };
      const Index asked = length + lag - 1;
      const Index in = t < length ? symbol(t) : t == asked ? question : blank;
      const Index out = t > asked ? symbol(t - asked - 1) : blank;
      problem.x.floats()[(row * steps + t) * inputs + in] = 1;
      problem.y.values<std::int32_t>()[static_cast<std::size_t>(row * steps + t)] =
          static_cast<std::int32_t>(out);
    }
  }
  return problem;
}

Problem temporal_order_problem(Index rows, Index steps, std::uint64_t seed) {
  constexpr Index distractors = 4, inputs = 6;
  at_least("temporal_order_problem", "rows", rows, 1);
  at_least("temporal_order_problem", "steps", steps, 10);
  const Random others(seed, 0), marks(seed, 1);
  Problem problem{Tensor({rows, steps, inputs}), Tensor({rows}, DType::int32)};
  for (Index row = 0; row < rows; ++row) {
    const Index fifth = steps / 5;
    const Index first = marks.below(fifth, position(4 * row));
    const Index second = fifth + marks.below(fifth, position(4 * row + 1));
    const Index a = marks.below(2, position(4 * row + 2)),
                b = marks.below(2, position(4 * row + 3));
    for (Index t = 0; t < steps; ++t) {
      Index symbol = others.below(distractors, position(row * steps + t));
      if (t == first) symbol = distractors + a;
      if (t == second) symbol = distractors + b;
      problem.x.floats()[(row * steps + t) * inputs + symbol] = 1;
    }
    problem.y.values<std::int32_t>()[static_cast<std::size_t>(row)] =
        static_cast<std::int32_t>(2 * a + b);
  }
  return problem;
}

}  // namespace unroll
