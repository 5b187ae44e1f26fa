// What a user's first program might be; it exits with 1 where unroll is not what it says.
#include <unroll/unroll.h>

#include <cmath>
#include <cstdio>
#include <string>

using namespace unroll;

int main() {
  Tensor x({64, 12, 1}), y({64, 1});  // a wave, and its next value
  for (Index row = 0; row < 64; ++row) {
    for (Index t = 0; t < 12; ++t) {
      x.floats()[row * 12 + t] = std::sin(0.3f * static_cast<float>(row + t));
    }
    y.floats()[row] = std::sin(0.3f * static_cast<float>(row + 12));
  }
  Sequential model{SimpleRNN(16), Dense(1)};
  model.compile({.optimizer = Adam{.learning_rate = 0.01}, .loss = "mse", .seed = 7});
  const History history = model.fit(x, y, {.batch_size = 16, .epochs = 20});
  std::printf("unroll %s: loss %.4f\n", std::string(version()).c_str(), history["loss"].back());
  if (!(history["loss"].back() < 0.05)) return 1;  // the wave's variance is 0.5

  // An exception of the library's own type crosses its border.
  try {
    broadcast({2, 3}, {4});
  } catch (const Error& error) {
    return error.kind() == ErrorKind::shape ? 0 : 1;
  }
  return 1;
}
