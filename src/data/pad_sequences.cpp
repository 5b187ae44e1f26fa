#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "src/data/words.h"
#include "unroll/error.h"
#include "unroll/sequences.h"

namespace unroll {

namespace {

Error does_not_fit(double value, DType dtype) {
  return Error(ErrorKind::value, "pad_sequences: a number does not fit its type",
               {.got = data::spelt(value), .want = std::string(to_string(dtype))});
}

/// Throws: Error (value) where T cannot hold it; NaN is no integer.
template <class T, class F>
T converted(F value) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, F>) {
    const auto whole = std::trunc(static_cast<double>(value));
    if (!(whole >= static_cast<double>(std::numeric_limits<T>::min())) ||
        !(whole <= static_cast<double>(std::numeric_limits<T>::max()))) {
      throw does_not_fit(static_cast<double>(value), dtype_of<T>);
    }
    return static_cast<T>(whole);
  } else {
    return static_cast<T>(value);
  }
}

/// The steps of one sequence, each of so many numbers.
struct Steps {
  const void* numbers;
  DType dtype;
  Index count;
};

template <class T, class F>
void copy_as(T* to, const void* from, Index count) {
  const auto* numbers = static_cast<const F*>(from);
  for (Index i = 0; i < count; ++i) to[i] = converted<T>(numbers[i]);
}

template <class T>
void copy(T* to, const void* from, DType dtype, Index count) {
  switch (dtype) {
    case DType::float32:
      return copy_as<T, float>(to, from, count);
    case DType::float64:
      return copy_as<T, double>(to, from, count);
    case DType::int32:
      return copy_as<T, std::int32_t>(to, from, count);
    default:
      return copy_as<T, std::uint8_t>(to, from, count);
  }
}

template <class T>
void fill(Tensor& result, const std::vector<Steps>& sequences, Index width,
          const PadSequencesOptions& options) {
  const Index length = result.shape()[1];
  const T value = converted<T>(options.value);
  T* to = result.values<T>().data();
  for (const Steps& steps : sequences) {
    const Index kept = std::min(steps.count, length), padded = length - kept;
    const bool cut_front = options.truncating == Side(SideKind::pre);
    const bool pad_front = options.padding == Side(SideKind::pre);
    const auto* from = static_cast<const std::byte*>(steps.numbers) +
                       (cut_front ? (steps.count - kept) * width * size_of(steps.dtype) : 0);
    std::fill_n(to + (pad_front ? 0 : kept * width), padded * width, value);
    copy(to + (pad_front ? padded * width : 0), from, steps.dtype, kept * width);
    to += length * width;
  }
}

Index length_of(const std::vector<Steps>& sequences, const PadSequencesOptions& options) {
  if (options.maxlen && *options.maxlen < 0) {
    throw Error(ErrorKind::value, "pad_sequences: maxlen must not be negative",
                {.got = std::to_string(*options.maxlen)});
  }
  if (options.maxlen) return *options.maxlen;
  Index longest = 0;
  for (const Steps& steps : sequences) longest = std::max(longest, steps.count);
  return longest;
}

Tensor padded(const std::vector<Steps>& sequences, const Shape& step,
              const PadSequencesOptions& options) {
  Shape shape{static_cast<Index>(sequences.size()), length_of(sequences, options)};
  for (const Index size : step) shape.push_back(size);
  Tensor result(shape, options.dtype);
  switch (options.dtype) {
    case DType::float32:
      fill<float>(result, sequences, step.elements(), options);
      break;
    case DType::float64:
      fill<double>(result, sequences, step.elements(), options);
      break;
    case DType::int32:
      fill<std::int32_t>(result, sequences, step.elements(), options);
      break;
    default:
      fill<std::uint8_t>(result, sequences, step.elements(), options);
  }
  return result;
}

template <class T>
Tensor padded_lists(const std::vector<std::vector<T>>& sequences,
                    const PadSequencesOptions& options) {
  std::vector<Steps> all;
  all.reserve(sequences.size());
  for (const auto& sequence : sequences) {
    all.push_back({sequence.data(), dtype_of<T>, static_cast<Index>(sequence.size())});
  }
  return padded(all, {}, options);
}

}  // namespace

Tensor pad_sequences(const std::vector<std::vector<std::int32_t>>& sequences,
                     const PadSequencesOptions& options) {
  return padded_lists(sequences, options);
}
Tensor pad_sequences(const std::vector<std::vector<float>>& sequences,
                     const PadSequencesOptions& options) {
  return padded_lists(sequences, options);
}
Tensor pad_sequences(const std::vector<std::vector<double>>& sequences,
                     const PadSequencesOptions& options) {
  return padded_lists(sequences, options);
}

Tensor pad_sequences(const std::vector<Tensor>& sequences, const PadSequencesOptions& options) {
  std::vector<Steps> all;
  all.reserve(sequences.size());
  std::optional<Shape> step;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Tensor& sequence = sequences[i];
    if (sequence.rank() == 0) {
      throw Error(ErrorKind::shape, "pad_sequences: a tensor without axes has no steps",
                  {.got = "sequence " + std::to_string(i), .want = "(steps, ...)"});
    }
    all.push_back({sequence.raw(), sequence.dtype(), sequence.shape()[0]});
    // An empty sequence, such as a Tensor by default, fits whatever the others have.
    if (sequence.shape()[0] == 0) continue;
    const Shape own = sequence.shape().without(0);
    if (!step) step = own;
    if (own == *step) continue;
    throw Error(ErrorKind::shape, "pad_sequences: the steps of the sequences differ in shape",
                {.got = own.to_string() + " in sequence " + std::to_string(i),
                 .want = step->to_string() + ", as before"});
  }
  return padded(all, step.value_or(Shape{}), options);
}

}  // namespace unroll
