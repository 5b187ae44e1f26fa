#include "apps/lessons/digits.h"

#include <algorithm>
#include <filesystem>

#include "src/base/random.h"
#include "unroll/idx.h"

namespace unroll::apps {

std::optional<Digits> mnist_digits(const std::string& data) {
  const std::string folder = data + "/mnist-t10k";
  if (data.empty() || !std::filesystem::exists(folder)) return {};
  const Tensor images = read_idx(folder + "/t10k-images-idx3-ubyte.gz");
  const Tensor labels = read_idx(folder + "/t10k-labels-idx1-ubyte.gz");
  const Index rows = images.shape()[0], side = images.shape()[1];
  Digits digits{Tensor({rows, side, side, 1}), labels.to(DType::int32), side,
                "handwritten digits (MNIST)"};
  std::ranges::transform(images.values<std::uint8_t>(), digits.x.floats(),
                         [](std::uint8_t byte) { return static_cast<float>(byte) / 255; });
  return digits;
}

Tensor littered(const Tensor& x, const Tensor& others, Index fragments, std::uint64_t seed) {
  const Index side = x.shape()[1], size = side * 2 / 7, rim = side / 7, pixels = side * side;
  Tensor result = x.clone();
  for (Index row = 0; row < x.shape()[0]; ++row) {
    const base::Random random(seed, static_cast<std::uint64_t>(row));
    std::uint64_t position = 0;
    const auto below = [&](Index count) { return random.below(count, position++); };
    for (Index f = 0; f < fragments; ++f) {
      // Cut from the middle, where there is ink.
      const float* from = others.floats() + below(others.shape()[0]) * pixels;
      from += (rim + below(side - 2 * rim - size + 1)) * side;
      from += rim + below(side - 2 * rim - size + 1);
      float* to = result.floats() + row * pixels + below(side - size + 1) * side;
      to += below(side - size + 1);
      for (Index i = 0; i < size; ++i) {
        for (Index j = 0; j < size; ++j) {
          to[i * side + j] = std::max(to[i * side + j], from[i * side + j]);
        }
      }
    }
  }
  return result;
}

}  // namespace unroll::apps
