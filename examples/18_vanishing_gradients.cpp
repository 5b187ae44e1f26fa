// Gradients that do not reach the past: what fit is told of them, and what helps.
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

namespace {
constexpr Index steps = 60;

/// What is left of the gradient after all steps back, before and while it trains.
double left_of(const Layer& recurrent) {
  const Problem data = adding_problem(320, steps, 1);
  Sequential model{InputLayer({.shape = {steps, 2}}), recurrent, Dense(1)};
  model.compile({.optimizer = Adam{.global_clipnorm = 1.0}, .loss = "mse", .seed = 1});
  const auto watch = gradient_watch(data.x, data.y, {.warn = [](const GradientFinding& found) {
                                      std::cout << "warning: " << found.to_string() << "\n";
                                    }});
  model.fit(data.x, data.y, {.epochs = 2, .callbacks = {watch}});
  const GradientReach reach = watch->reach()[0];
  std::cout << reach.class_name << ": " << reach.left << " is left " << reach.steps
            << " steps back\n";
  return reach.left;
}
}  // namespace

int main() {
  const double small = left_of(SimpleRNN(16, {.recurrent_initializer = random_normal(0.0, 0.05)}));
  const double turned = left_of(SimpleRNN(16));  // its default: "orthogonal"
  const double gated = left_of(LSTM(16));
  // Small weights lose everything; orthogonal ones and gates keep orders of magnitude more.
  return small < 1e-30 && turned > 1e20 * small && gated > 1e-20 ? 0 : 1;
}
