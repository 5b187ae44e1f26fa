#include <cstring>

#include "unroll/error.h"
#include "unroll/windows.h"

namespace unroll {

namespace {

Error no_such_rows(const std::string& got, const Rows& rows) {
  return Error(ErrorKind::shape, "no such rows",
               {.got = got, .want = "rows of " + rows.shape().to_string()});
}

/// Whether rows of `elements` numbers, `stride` apart, lie inside `available` numbers.
bool inside(Index available, Index offset, Index stride, Index count, Index elements) {
  if (offset < 0 || stride < 0 || count < 0 || offset > available) return false;
  if (count == 0) return true;
  if (elements > available - offset) return false;
  // Divided, not multiplied: the product might overflow.
  return stride == 0 || count - 1 <= (available - offset - elements) / stride;
}

}  // namespace

Rows::Rows(Tensor tensor) : storage_(std::move(tensor)) {
  if (storage_.rank() == 0) {
    throw Error(ErrorKind::shape, "a tensor without axes has no rows",
                {.got = storage_.describe(), .want = "(rows, ...)"});
  }
  count_ = storage_.shape()[0];
  row_shape_ = storage_.shape().without(0);
  row_elements_ = row_shape_.elements();
  row_stride_ = row_elements_;
  row_stride_bytes_ = row_stride_ * size_of(dtype());
  first_ = static_cast<const std::byte*>(storage_.raw());
}

Rows::Rows(Tensor storage, Index offset, Index row_stride, Index count, const Shape& row_shape)
    : storage_(std::move(storage)),
      row_stride_(row_stride),
      row_elements_(row_shape.elements()),
      count_(count),
      row_shape_(row_shape) {
  if (!inside(storage_.elements(), offset, row_stride, count, row_elements_)) {
    throw Error(ErrorKind::shape, "rows would leave their storage",
                {.got = std::to_string(count) + " rows of " + row_shape.to_string() + ", " +
                        std::to_string(row_stride) + " apart, from number " +
                        std::to_string(offset) + " on",
                 .want = "rows inside " + std::to_string(storage_.elements()) + " numbers"});
  }
  row_stride_bytes_ = row_stride_ * size_of(dtype());
  first_ = static_cast<const std::byte*>(storage_.raw()) + offset * size_of(dtype());
}

Shape Rows::shape() const {
  Shape all{count_};
  for (Index size : row_shape_) all.push_back(size);
  return all;
}

Rows Rows::slice(Index first, Index last) const {
  if (first < 0 || last < first || last > count_) {
    throw no_such_rows(std::to_string(first) + " to " + std::to_string(last), *this);
  }
  Rows result = *this;
  result.first_ += first * row_stride_bytes_;
  result.count_ = last - first;
  return result;
}

Rows Rows::steps(Index first, Index last) const {
  if (row_shape_.rank() == 0 || first < 0 || last < first || last > row_shape_[0]) {
    throw Error(ErrorKind::shape, "no such steps",
                {.got = std::to_string(first) + " to " + std::to_string(last),
                 .want = "steps of rows " + row_shape_.to_string()});
  }
  const Index width = row_shape_.without(0).elements();
  Rows result = *this;
  result.first_ += first * width * size_of(dtype());
  result.row_shape_.set(0, last - first);
  result.row_elements_ = (last - first) * width;
  return result;
}

Tensor Rows::tensor() const {
  if (contiguous()) {
    return Tensor(shape(), dtype(), const_cast<std::byte*>(first_),
                  std::make_shared<Tensor>(storage_));
  }
  Tensor result(shape(), dtype());
  auto* to = static_cast<std::byte*>(result.raw());
  const auto bytes = static_cast<std::size_t>(row_elements_ * size_of(dtype()));
  for (Index i = 0; i < count_; ++i, to += bytes) std::memcpy(to, row(i), bytes);
  return result;
}

Tensor Rows::gather(std::span<const Index> numbers) const {
  Shape all = shape();
  all.set(0, static_cast<Index>(numbers.size()));
  Tensor result(all, dtype());
  auto* to = static_cast<std::byte*>(result.raw());
  const auto bytes = static_cast<std::size_t>(row_elements_ * size_of(dtype()));
  for (Index number : numbers) {
    if (number < 0 || number >= count_) throw no_such_rows("row " + std::to_string(number), *this);
    if (bytes > 0) std::memcpy(to, row(number), bytes);
    to += bytes;
  }
  return result;
}

void Rows::check(DType wanted) const {
  if (dtype() == wanted) return;
  throw Error(ErrorKind::value, "rows hold other numbers",
              {.got = std::string(to_string(dtype())), .want = std::string(to_string(wanted))});
}

}  // namespace unroll
