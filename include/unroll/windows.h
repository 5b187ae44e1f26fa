// Windows: samples cut out of a series, without a copy of it.
//
//   Windows train = windows(series, {.length = 50});  // series (rows, columns)
//   train.x                                           // rows (50, columns), pointing into series
//   train.y                                           // rows (columns): the values that follow
//   auto [past, future] = split(series, {.train = 0.8});
#pragma once

#include <span>

#include "unroll/tensor.h"

namespace unroll {

/// What `fit` and `predict` read: samples of one shape, evenly spaced in a tensor, that may
/// overlap. A Tensor becomes Rows by itself: each entry of its first axis is a row. Copies share
/// the numbers, as copies of a Tensor do. Threads: reading from many is safe.
class Rows {
 public:
  /// No rows, of shape (0,).
  Rows() = default;
  /// The entries of the first axis. Throws: Error (shape) for a tensor of rank 0.
  Rows(Tensor tensor);
  /// Row i is the row_shape.elements() numbers from storage's number `offset + i * row_stride` on.
  /// Throws: Error (shape) where a row would leave the storage.
  Rows(Tensor storage, Index offset, Index row_stride, Index count, const Shape& row_shape);

  Index count() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  /// The shape of one row, and the shape of all: (count, ...row_shape).
  const Shape& row_shape() const noexcept { return row_shape_; }
  Shape shape() const;
  /// Numbers in one row, and numbers from one row's start to the next one's.
  Index row_elements() const noexcept { return row_elements_; }
  Index row_stride() const noexcept { return row_stride_; }
  DType dtype() const noexcept { return storage_.dtype(); }
  /// Whether the rows lie one behind the other, as a Tensor's do.
  bool contiguous() const noexcept { return row_stride_ == row_elements_ || count_ <= 1; }

  /// The first number of a row; the row's numbers are contiguous and row-major.
  /// Requires: 0 <= i < count().
  const void* row(Index i) const noexcept { return first_ + i * row_stride_bytes_; }
  /// The numbers of a row. Throws: Error (value) if T is not what the rows hold.
  template <class T>
  std::span<const T> values(Index i) const {
    check(dtype_of<T>);
    return {static_cast<const T*>(row(i)), static_cast<std::size_t>(row_elements_)};
  }

  /// Rows [first, last), sharing the numbers. Throws: Error (shape) where there are no such rows.
  Rows slice(Index first, Index last) const;
  /// Steps [first, last) of every row, along the first axis of row_shape(), sharing the numbers.
  /// Throws: Error (shape) where there are no such steps.
  Rows steps(Index first, Index last) const;
  /// All rows as a tensor (count, ...row_shape): shares the numbers where the rows are contiguous,
  /// otherwise copies them.
  Tensor tensor() const;
  /// A copy of the rows with these numbers, in this order; a number may occur twice.
  /// Throws: Error (shape) where there is no such row.
  Tensor gather(std::span<const Index> numbers) const;

 private:
  void check(DType wanted) const;

  Tensor storage_;
  const std::byte* first_ = nullptr;
  Index row_stride_ = 0;
  Index row_stride_bytes_ = 0;
  Index row_elements_ = 0;
  Index count_ = 0;
  Shape row_shape_{0};
};

/// The target of `windows` that means every column.
inline constexpr Index all_columns = -1;

struct WindowsOptions {
  Index length;                ///< rows in a window; required, at least 1
  Index horizon = 1;           ///< y lies so many rows after the window's last one; at least 1
  Index stride = 1;            ///< rows from a window's start to the next one's; at least 1
  Index target = all_columns;  ///< the column that y holds, or all of them
};

/// Samples and what follows them.
struct Windows {
  Rows x;  ///< (windows; length, columns)
  Rows y;  ///< (windows; 1) or, for all_columns, (windows; columns)
};

/// Cuts a series into windows. Window i is rows [i * stride, i * stride + length); its y is row
/// i * stride + length - 1 + horizon. Both point into the series: no number is copied.
/// Shapes: series (rows, columns) -> (rows - length - horizon) / stride + 1 windows.
/// Throws: Error (value) for an option outside its range; Error (shape) for a series that is not
///   (rows, columns) or has fewer than length + horizon rows.
Windows windows(const Tensor& series, const WindowsOptions& options);

/// A share of the rows, from 0 to 1. Has to be given: it has no default.
class Share {
 public:
  constexpr Share(double value) noexcept : value_(value) {}
  constexpr operator double() const noexcept { return value_; }

 private:
  double value_;
};

struct SplitInTwo {
  Share train;  ///< the earliest rows; the rest is the future
};
struct SplitInThree {
  Share train;     ///< the earliest rows
  Share validate;  ///< the rows after them; the rest is for the test
};

struct TwoParts {
  Tensor past, future;
};
struct ThreeParts {
  Tensor train, validate, test;
};

/// Splits by time, never at random: the first part is the earliest. The parts share the numbers.
///   auto [past, future] = split(series, {.train = 0.8});
///   auto [train, validate, test] = split(series, {.train = 0.7, .validate = 0.1});
/// Throws: Error (value) where a share is not above 0 or the shares leave nothing for the rest, or
///   where a part would be empty.
TwoParts split(const Tensor& series, const SplitInTwo& shares);
ThreeParts split(const Tensor& series, const SplitInThree& shares);

/// Where the parts of a split end: train is [0, train), validate [train, validate), test
/// [validate, rows).
struct SplitPoints {
  Index train, validate;
};
/// A boundary is rows times the summed shares, to the nearest row (half up). Throws: as split.
SplitPoints split_points(Index rows, const SplitInThree& shares);

}  // namespace unroll
