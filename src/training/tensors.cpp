#include "src/training/tensors.h"

#include <algorithm>

#include "unroll/error.h"

namespace unroll::training {

AroundAxis around_axis(std::string_view who, const Shape& shape, Index axis) {
  const Index rank = shape.rank(), at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank) {
    throw Error(ErrorKind::value, std::string(who) + ": there is no such axis",
                {.got = "axis " + std::to_string(axis) + " of " + shape.to_string()});
  }
  const auto place = static_cast<int>(at);
  return {shape.product(0, place), shape[place], shape.product(place + 1, shape.rank())};
}

template <class T>
std::vector<T> axis_to_end(const T* x, const AroundAxis& around) {
  const auto [before, size, after] = around;
  std::vector<T> moved(static_cast<std::size_t>(before * size * after));
  T* to = moved.data();
  for (Index b = 0; b < before; ++b) {
    for (Index a = 0; a < after; ++a) {
      for (Index j = 0; j < size; ++j) *to++ = x[(b * size + j) * after + a];
    }
  }
  return moved;
}

template <class T>
std::vector<T> axis_from_end(const T* x, const AroundAxis& around) {
  return axis_to_end(x, {around.before, around.after, around.size});
}

template <class T>
std::vector<T> numbers_of(const Tensor& tensor) {
  std::vector<T> numbers(static_cast<std::size_t>(tensor.elements()));
  const auto copy = [&]<class From>(std::span<const From> from) {
    std::transform(from.begin(), from.end(), numbers.begin(),
                   [](From v) { return static_cast<T>(v); });
  };
  switch (tensor.dtype()) {
    case DType::float32:
      copy(tensor.values<float>());
      break;
    case DType::float64:
      copy(tensor.values<double>());
      break;
    case DType::int32:
      copy(tensor.values<std::int32_t>());
      break;
    default:
      copy(tensor.values<std::uint8_t>());
  }
  return numbers;
}

template <class T>
std::vector<T> weights_for(std::string_view who, const Shape& samples, const Tensor& weights) {
  Shape shape = weights.shape();
  if (shape.rank() == samples.rank() + 1 && shape[-1] == 1) shape = shape.without(-1);
  const auto refuse = [&] {
    throw Error(
        ErrorKind::shape, std::string(who) + ": the weights do not fit",
        {.got = weights.shape().to_string(), .want = samples.to_string() + ", or one a row"});
  };
  if (shape.rank() > samples.rank()) refuse();
  while (shape.rank() < samples.rank()) shape.push_back(1);
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != 1 && shape[axis] != samples[axis]) refuse();
  }
  const std::vector<T> given = numbers_of<T>(weights);
  std::vector<T> all(static_cast<std::size_t>(samples.elements()));
  for (std::size_t s = 0; s < all.size(); ++s) {
    Index rest = static_cast<Index>(s), from = 0, stride = 1;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const Index at = rest % samples[axis];
      rest /= samples[axis];
      if (shape[axis] != 1) from += at * stride;
      stride *= shape[axis];
    }
    all[s] = given[static_cast<std::size_t>(from)];
  }
  return all;
}

#define UNROLL_INSTANTIATE(T)                                         \
  template std::vector<T> axis_to_end(const T*, const AroundAxis&);   \
  template std::vector<T> axis_from_end(const T*, const AroundAxis&); \
  template std::vector<T> numbers_of(const Tensor&);                  \
  template std::vector<T> weights_for(std::string_view, const Shape&, const Tensor&);
UNROLL_INSTANTIATE(float)
UNROLL_INSTANTIATE(double)
#undef UNROLL_INSTANTIATE

template std::vector<std::uint8_t> numbers_of(const Tensor&);

}  // namespace unroll::training
