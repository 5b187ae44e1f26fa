// Tensor: a shape and contiguous row-major numbers.
//
//   Tensor x({32, 50, 1});                       // zeros, float32
//   Tensor ids = Tensor::of<std::int32_t>({2, 3}, {1, 5, 7, 0, 3, 8});
//   float last = x.at({31, 49, 0});
//
// A Tensor is a handle: copies share the numbers, as arrays do in numpy; clone() makes new ones.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/shape.h"

namespace unroll {

/// What a number is. float32 is the rule, int32 serves ids, float64 serves checks, uint8 masks.
enum class DType : std::uint8_t { float32, float64, int32, uint8 };

template <class T>
inline constexpr DType dtype_of = [] {
  if constexpr (std::is_same_v<T, float>) {
    return DType::float32;
  } else if constexpr (std::is_same_v<T, double>) {
    return DType::float64;
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return DType::int32;
  } else {
    static_assert(std::is_same_v<T, std::uint8_t>, "float, double, int32_t or uint8_t");
    return DType::uint8;
  }
}();

/// Bytes of one number.
constexpr Index size_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::float64:
      return 8;
    case DType::uint8:
      return 1;
    default:
      return 4;
  }
}

/// "float32", "float64", "int32", "uint8".
std::string_view to_string(DType dtype) noexcept;

/// A shape and contiguous row-major numbers. Copies share the numbers; clone() does not.
/// Threads: reading from many is safe; writing is the caller's to order.
class Tensor {
 public:
  /// No numbers: shape (0,).
  Tensor() : shape_{0} {}
  /// Zeros. Throws: Error (shape) where a size is unknown.
  explicit Tensor(const Shape& shape, DType dtype = DType::float32);
  /// A view of numbers that `owner` keeps alive. Requires: 64-byte alignment is not needed.
  Tensor(const Shape& shape, DType dtype, void* data, std::shared_ptr<void> owner);

  /// The given numbers. Throws: Error (shape) if their count is not the shape's.
  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values);
  template <class T>
  static Tensor of(const Shape& shape, std::initializer_list<T> values) {
    return of<T>(shape, std::span<const T>(values.begin(), values.size()));
  }
  template <class T>
  static Tensor of(const Shape& shape, const std::vector<T>& values) {
    return of<T>(shape, std::span<const T>(values));
  }
  /// One value everywhere.
  static Tensor full(const Shape& shape, double value, DType dtype = DType::float32);

  const Shape& shape() const noexcept { return shape_; }
  int rank() const noexcept { return shape_.rank(); }
  Index elements() const noexcept { return elements_; }
  Index bytes() const noexcept { return elements_ * size_of(dtype_); }
  DType dtype() const noexcept { return dtype_; }
  bool empty() const noexcept { return elements_ == 0; }

  /// The numbers. Throws: Error (value) if T is not what the tensor holds.
  template <class T>
  std::span<const T> values() const {
    return {static_cast<const T*>(checked(dtype_of<T>)), static_cast<std::size_t>(elements_)};
  }
  template <class T>
  std::span<T> values() {
    return {static_cast<T*>(checked(dtype_of<T>)), static_cast<std::size_t>(elements_)};
  }
  const float* floats() const { return values<float>().data(); }
  float* floats() { return values<float>().data(); }
  void* raw() noexcept { return data_; }
  const void* raw() const noexcept { return data_; }

  /// One number, as double. Throws: Error (shape) for a position outside.
  double at(std::initializer_list<Index> position) const;

  /// The same numbers under another shape; one size may be `unknown` and is worked out.
  /// Throws: Error (shape) if the counts differ.
  Tensor reshape(const Shape& shape) const;
  /// Rows [first, last) of the first axis, sharing the numbers.
  /// Throws: Error (shape) where there are no such rows.
  Tensor rows(Index first, Index last) const;
  /// New numbers: a copy, or one of another kind (rounded towards zero for integers).
  Tensor clone() const;
  Tensor to(DType dtype) const;

  /// "float32 (32, 50, 1)".
  std::string describe() const;

 private:
  void* checked(DType wanted) const;

  Shape shape_;
  DType dtype_ = DType::float32;
  Index elements_ = 0;
  void* data_ = nullptr;
  std::shared_ptr<void> owner_;
};

/// A list of tensors that is also made from one: predict(x) and predict({x, y}) take the same type.
class Tensors : public std::vector<Tensor> {
 public:
  using std::vector<Tensor>::vector;
  Tensors(Tensor one) : std::vector<Tensor>{std::move(one)} {}
  /// The only one: Tensor y = model.predict(x). Throws: Error (shape) unless there is exactly one.
  operator Tensor() const;
};

}  // namespace unroll
