// Small data and models for the tests of fit and its callbacks.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/model/lesson_models.h"
#include "unroll/callbacks.h"
#include "unroll/error.h"

namespace unroll {

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

/// x counts from 0; y is what a function says of it.
template <class F>
Windows rows_of(Index count, F f) {
  Tensor x({count, 1}), y({count, 1});
  for (Index i = 0; i < count; ++i) {
    x.floats()[i] = static_cast<float>(i);
    y.floats()[i] = static_cast<float>(f(i));
  }
  return {x, y};
}

/// One weight without a bias, that begins at `weight` and is trained by SGD: predictions are
/// weight * x.
inline Sequential scale(float weight, double rate) {
  Sequential model{InputLayer({.shape = {1}}), Dense(1, {.use_bias = false})};
  model.compile({.optimizer = SGD{.learning_rate = rate}, .loss = "mse", .metrics = {"mae"}});
  model.set_weights({Tensor::of<float>({1, 1}, {weight})});
  return model;
}

/// Sets the values that callbacks see, epoch by epoch; nothing is trained.
class Script final : public Callback {
 public:
  Script(std::string name, std::vector<double> values)
      : name_(std::move(name)), values_(std::move(values)) {}
  void add_logs(Model&, Index epoch, Logs& logs) override {
    const double value = values_[static_cast<std::size_t>(epoch)];
    for (auto& [name, old] : logs) {
      if (name == name_) {
        old = value;
        return;
      }
    }
    logs.emplace_back(name_, value);
  }

 private:
  std::string name_;
  std::vector<double> values_;
};

inline std::shared_ptr<Callback> script(std::string name, std::vector<double> values) {
  return std::make_shared<Script>(std::move(name), std::move(values));
}

}  // namespace unroll
