// Holds the gradients of an operation against central differences, in float64.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "src/base/random.h"
#include "unroll/autograd.h"

namespace unroll {

/// Numbers that look random and are the same every time, from `least` to `most`.
inline Tensor noise(const Shape& shape, std::uint64_t stream, double least = -1, double most = 1) {
  const base::Random random(11, stream);
  Tensor numbers(shape, DType::float64);
  std::uint64_t i = 0;
  for (double& v : numbers.values<double>()) v = least + (most - least) * random.uniform(i++);
  return numbers;
}

using Operation = std::function<Var(Tape&, const Vars&)>;

/// The operation's result, each number times a fixed one, summed; with gradients if `gradients` is
/// not null.
inline double weighted_sum(const Operation& operation, const std::vector<Tensor>& inputs,
                           std::vector<Tensor>* gradients) {
  Tape tape(DType::float64, gradients != nullptr);
  Vars variables;
  for (const Tensor& input : inputs) variables.push_back(tape.variable(input));
  const Var y = operation(tape, variables);
  const Tensor factors = noise(y.shape(), 99);
  const Var loss = sum(y * tape.constant(factors));
  const double value = *loss.data<double>();
  if (gradients == nullptr) return value;
  tape.backward(loss);
  for (const Var& variable : variables) gradients->push_back(tape.gradient(variable));
  return value;
}

/// Expects each gradient to be within 1e-7 of its central difference, relative or, below 1e-2,
/// absolute (times 1e-2).
inline void expect_gradients(const Operation& operation, std::vector<Tensor> inputs) {
  constexpr double step = 1e-5;
  std::vector<Tensor> gradients;
  weighted_sum(operation, inputs, &gradients);
  for (std::size_t which = 0; which < inputs.size(); ++which) {
    auto numbers = inputs[which].values<double>();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double before = numbers[i];
      numbers[i] = before + step;
      const double above = weighted_sum(operation, inputs, nullptr);
      numbers[i] = before - step;
      const double below = weighted_sum(operation, inputs, nullptr);
      numbers[i] = before;
      const double want = (above - below) / (2 * step), got = gradients[which].values<double>()[i];
      EXPECT_LE(std::abs(got - want), 1e-7 * std::max({std::abs(want), std::abs(got), 1e-2}))
          << "input " << which << ", number " << i << ": got " << got << " want " << want;
    }
  }
}

/// The text of what `action` throws; fails where it throws nothing.
template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

}  // namespace unroll
