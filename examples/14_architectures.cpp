// One-to-one, one-to-many, many-to-one, many-to-many: the same layers, other shapes.
//
// Every step of a sequence of -1 and 1 is given a question: are there more 1 than -1 so far (at
// every step), and in the end? The last architecture, an encoder and a decoder, is example 04.
#include <algorithm>
#include <iostream>
#include <random>

#include "unroll/unroll.h"

using namespace unroll;

namespace {
constexpr Index rows = 1000, steps = 9;

double trained(Sequential& model, const Tensor& x, const Tensor& y) {
  model.compile({.optimizer = Adam{.learning_rate = 1e-2},
                 .loss = "binary_crossentropy",
                 .metrics = {"accuracy"},
                 .seed = 1});
  const History history = model.fit(x, y, {.epochs = 25, .validation_split = 0.2});
  std::cout << model.inputs()[0].shape().to_string() << " -> "
            << model.outputs()[0].shape().to_string() << ": " << history["val_accuracy"].back()
            << "\n";
  return history["val_accuracy"].back();
}
}  // namespace

int main() {
  Tensor signs({rows, steps, 1}), so_far({rows, steps, 1}), in_the_end({rows, 1}), first({rows, 1});
  Tensor alternating({rows, steps, 1});
  std::mt19937 random(1);
  for (Index row = 0; row < rows; ++row) {
    float sum = 0;
    for (Index t = 0; t < steps; ++t) {
      const Index at = row * steps + t;
      sum += signs.floats()[at] = random() % 2 == 0 ? -1.0F : 1.0F;
      so_far.floats()[at] = sum > 0 ? 1.0F : 0.0F;
      // It begins with the row's first sign, and then each is the opposite of the one before.
      alternating.floats()[at] = (signs.floats()[row * steps] > 0) == (t % 2 == 0) ? 1.0F : 0.0F;
    }
    first.floats()[row] = signs.floats()[row * steps];
    in_the_end.floats()[row] = so_far.floats()[row * steps + steps - 1];
  }
  Tensor positive({rows, 1});
  for (Index row = 0; row < rows; ++row) positive.floats()[row] = first.floats()[row] > 0 ? 1 : 0;

  Sequential one_to_one{Dense(4, {.activation = "tanh"}), Dense(1, {.activation = "sigmoid"})};
  Sequential one_to_many{RepeatVector(steps), SimpleRNN(12, {.return_sequences = true}),
                         Dense(1, {.activation = "sigmoid"})};
  Sequential many_to_one{SimpleRNN(12), Dense(1, {.activation = "sigmoid"})};
  Sequential many_to_many{SimpleRNN(12, {.return_sequences = true}),
                          Dense(1, {.activation = "sigmoid"})};

  const double least =
      std::min({trained(one_to_one, first, positive), trained(one_to_many, first, alternating),
                trained(many_to_one, signs, in_the_end), trained(many_to_many, signs, so_far)});
  return least > 0.95 ? 0 : 1;
}
