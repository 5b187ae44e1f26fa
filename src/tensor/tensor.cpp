#include "unroll/tensor.h"

#include <algorithm>
#include <cstring>

#include "src/base/aligned.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Calls f with a value of the C++ type that dtype names.
template <class F>
void with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
    case DType::int32:
      return f(std::int32_t{});
    case DType::uint8:
      return f(std::uint8_t{});
  }
}

Error miscounted(Index got, const Shape& shape) {
  return Error(ErrorKind::shape, "the numbers do not fill the shape",
               {.got = std::to_string(got) + " numbers",
                .want = std::to_string(shape.elements()) + " for " + shape.to_string()});
}

}  // namespace

std::string_view to_string(DType dtype) noexcept {
  switch (dtype) {
    case DType::float32:
      return "float32";
    case DType::float64:
      return "float64";
    case DType::int32:
      return "int32";
    case DType::uint8:
      return "uint8";
  }
  return "float32";
}

Tensor::Tensor(const Shape& shape, DType dtype)
    : shape_(shape), dtype_(dtype), elements_(shape.elements()) {
  owner_ = base::aligned_bytes(elements_ * size_of(dtype));
  data_ = owner_.get();
}

Tensor::Tensor(const Shape& shape, DType dtype, void* data, std::shared_ptr<void> owner)
    : shape_(shape),
      dtype_(dtype),
      elements_(shape.elements()),
      data_(data),
      owner_(std::move(owner)) {}

template <class T>
Tensor Tensor::of(const Shape& shape, std::span<const T> values) {
  if (static_cast<Index>(values.size()) != shape.elements()) {
    throw miscounted(static_cast<Index>(values.size()), shape);
  }
  Tensor result(shape, dtype_of<T>);
  std::copy(values.begin(), values.end(), result.values<T>().begin());
  return result;
}

template Tensor Tensor::of<float>(const Shape&, std::span<const float>);
template Tensor Tensor::of<double>(const Shape&, std::span<const double>);
template Tensor Tensor::of<std::int32_t>(const Shape&, std::span<const std::int32_t>);
template Tensor Tensor::of<std::uint8_t>(const Shape&, std::span<const std::uint8_t>);

Tensor Tensor::full(const Shape& shape, double value, DType dtype) {
  Tensor result(shape, dtype);
  with_type(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::ranges::fill(result.values<T>(), static_cast<T>(value));
  });
  return result;
}

double Tensor::at(std::initializer_list<Index> position) const {
  Index offset = 0;
  int axis = 0;
  bool inside = static_cast<int>(position.size()) == rank();
  for (Index i : position) {
    inside = inside && i >= 0 && i < shape_[axis];
    if (!inside) break;
    offset = offset * shape_[axis++] + i;
  }
  if (!inside) {
    throw Error(ErrorKind::shape, "no such position in a tensor",
                {.got = Shape(std::span(position.begin(), position.size())).to_string(),
                 .want = "a position inside " + shape_.to_string()});
  }
  double result = 0;
  with_type(dtype_, [&](auto zero) {
    result = static_cast<double>(values<decltype(zero)>()[static_cast<std::size_t>(offset)]);
  });
  return result;
}

Tensor Tensor::reshape(const Shape& shape) const {
  Shape full = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != unknown) continue;
    const Index rest = shape.without(axis).elements();
    full.set(axis, rest == 0 ? 0 : elements_ / rest);
  }
  if (full.elements() != elements_) {
    throw Error(ErrorKind::shape, "a reshape must keep the number of elements",
                {.got = shape_.to_string() + " to " + shape.to_string()});
  }
  Tensor result = *this;
  result.shape_ = full;
  return result;
}

Tensor Tensor::rows(Index first, Index last) const {
  if (rank() == 0 || first < 0 || last < first || last > shape_[0]) {
    throw Error(ErrorKind::shape, "no such rows in a tensor",
                {.got = std::to_string(first) + " to " + std::to_string(last) + " of " +
                        shape_.to_string()});
  }
  Tensor result = *this;
  const Index row = shape_[0] == 0 ? 0 : elements_ / shape_[0];
  result.shape_.set(0, last - first);
  result.elements_ = row * (last - first);
  result.data_ = static_cast<std::byte*>(data_) + first * row * size_of(dtype_);
  return result;
}

Tensor Tensor::clone() const {
  Tensor result(shape_, dtype_);
  if (elements_ > 0) std::memcpy(result.data_, data_, static_cast<std::size_t>(bytes()));
  return result;
}

Tensor Tensor::to(DType dtype) const {
  Tensor result(shape_, dtype);
  with_type(dtype_, [&](auto from) {
    with_type(dtype, [&](auto into) {
      using Into = decltype(into);
      std::ranges::transform(values<decltype(from)>(), result.values<Into>().begin(),
                             [](auto value) { return static_cast<Into>(value); });
    });
  });
  return result;
}

std::string Tensor::describe() const {
  return std::string(unroll::to_string(dtype_)) + " " + shape_.to_string();
}

Tensors::operator Tensor() const {
  if (size() != 1) {
    throw Error(ErrorKind::shape, "a list of tensors used as one",
                {.got = std::to_string(size()) + " tensors", .hint = "pick one: list[0]"});
  }
  return front();
}

void* Tensor::checked(DType wanted) const {
  if (dtype_ != wanted && elements_ > 0) {
    throw Error(ErrorKind::value, "a tensor holds other numbers",
                {.got = describe(), .want = std::string(unroll::to_string(wanted))});
  }
  return data_;
}

}  // namespace unroll
