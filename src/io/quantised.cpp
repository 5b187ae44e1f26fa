#include "src/io/quantised.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "unroll/error.h"

namespace unroll::io {

namespace {

/// What a whole number is written as: 128 stands for 0.
constexpr int zero = 128;

/// The upper half of the bits, rounded to even.
std::uint32_t upper_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

Tensor to_bfloat16(const Tensor& w) {
  Tensor numbers({w.shape()[0], w.shape()[1], 2}, DType::uint8);
  std::uint8_t* to = numbers.values<std::uint8_t>().data();
  for (const float value : w.values<float>()) {
    const std::uint32_t half = upper_half(value);
    *to++ = static_cast<std::uint8_t>(half & 0xff);
    *to++ = static_cast<std::uint8_t>(half >> 8);
  }
  return numbers;
}

Tensor scales_of(const Tensor& w) {
  const Index K = w.shape()[0], N = w.shape()[1];
  Tensor scale({N});
  for (Index n = 0; n < N; ++n) {
    float most = 0;
    for (Index k = 0; k < K; ++k) most = std::max(most, std::abs(w.floats()[k * N + n]));
    scale.floats()[n] = most / 127.0f;
  }
  return scale;
}

Tensor to_int8(const Tensor& w, const Tensor& scale) {
  const Index N = w.shape()[1];
  Tensor numbers(w.shape(), DType::uint8);
  std::uint8_t* to = numbers.values<std::uint8_t>().data();
  for (Index i = 0; i < w.elements(); ++i) {
    const float s = scale.floats()[i % N];
    const float most = s * 127.0f;
    const long q = most > 0 ? std::lrint(w.floats()[i] / most * 127.0f) : 0;
    to[i] = static_cast<std::uint8_t>(std::clamp(q, -127l, 127l) + zero);
  }
  return numbers;
}

Error misfit(const std::string& name, const Tensor& got, const char* want) {
  return Error(ErrorKind::format, "kernel \"" + name + "\" is not kept as it should be",
               {.got = got.describe(), .want = want});
}

}  // namespace

std::string_view to_string(WeightType weights) noexcept {
  switch (weights) {
    case WeightType::bfloat16:
      return "bfloat16";
    case WeightType::int8:
      return "int8";
    default:
      return "float32";
  }
}

bool is_kernel(const Parameter& parameter) {
  const std::string& name = parameter.name();
  return parameter.shape().rank() == 2 && !parameter.sparse &&
         (name == "kernel" || name == "recurrent_kernel");
}

void add_quantised(TensorFile& file, const std::string& name, const Tensor& w, WeightType weights) {
  if (weights == WeightType::bfloat16) {
    file.tensors.emplace_back(name + ".bfloat16", to_bfloat16(w));
    return;
  }
  const Tensor scale = scales_of(w);
  file.tensors.emplace_back(name + ".int8", to_int8(w, scale));
  file.tensors.emplace_back(name + ".scale", scale);
}

Tensor from_bfloat16(const std::string& name, const Tensor& numbers) {
  const Shape& shape = numbers.shape();
  if (numbers.dtype() != DType::uint8 || shape.rank() != 3 || shape[2] != 2) {
    throw misfit(name, numbers, "uint8 (rows, columns, 2)");
  }
  Tensor w({shape[0], shape[1]});
  const std::uint8_t* from = numbers.values<std::uint8_t>().data();
  for (float& value : w.values<float>()) {
    const std::uint32_t half = static_cast<std::uint32_t>(from[0] | from[1] << 8);
    value = std::bit_cast<float>(half << 16);
    from += 2;
  }
  return w;
}

Tensor from_int8(const std::string& name, const Tensor& numbers, const Tensor& scale) {
  const Shape& shape = numbers.shape();
  if (numbers.dtype() != DType::uint8 || shape.rank() != 2) {
    throw misfit(name, numbers, "uint8 (rows, columns)");
  }
  if (scale.dtype() != DType::float32 || scale.shape() != Shape{shape[1]}) {
    throw misfit(name, scale, "a float32 scale for each column");
  }
  Tensor w(shape);
  const std::uint8_t* from = numbers.values<std::uint8_t>().data();
  for (Index i = 0; i < w.elements(); ++i) {
    w.floats()[i] = static_cast<float>(from[i] - zero) * scale.floats()[i % shape[1]];
  }
  return w;
}

Tensor rounded(const Tensor& w, WeightType weights) {
  if (weights == WeightType::float32) return w;
  if (weights == WeightType::bfloat16) return from_bfloat16("", to_bfloat16(w));
  const Tensor scale = scales_of(w);
  return from_int8("", to_int8(w, scale), scale);
}

}  // namespace unroll::io
