// The digits that lessons look at: MNIST's, where the data sets are.
#pragma once

#include <optional>
#include <string>

#include "unroll/tensor.h"

namespace unroll::apps {

struct Digits {
  Tensor x;  ///< (rows, side, side, 1), 0 to 1
  Tensor y;  ///< (rows) int32
  Index side = 0;
  std::string what;  ///< for sentences
};

/// The 10,000 of mnist-t10k in the folder of the data sets; none where it is not there.
std::optional<Digits> mnist_digits(const std::string& data);

/// The images with fragments of other ones laid over them: squares of two sevenths of the side, cut
/// out of images of `others`, put anywhere; the brighter of two pixels stays.
Tensor littered(const Tensor& x, const Tensor& others, Index fragments, std::uint64_t seed);

}  // namespace unroll::apps
