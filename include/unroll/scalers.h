// Scalers: numbers brought into a range that networks learn well, and back.
//
//   MinMaxScaler scaler;
//   Tensor train = scaler.fit_transform(past);      // fit on the past only
//   Tensor test = scaler.transform(future);         // the future with the past's range
//   Tensor prices = scaler.inverse_transform(model.predict(...));
//
// Words, defaults and constant columns as in scikit-learn.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/windows.h"

namespace unroll {

/// What every scaler is once it is fitted: for each column a centre and a scale.
///   transform          (x - center) / scale
///   inverse_transform  x * scale + center
/// A plain value: any scaler below may be kept, saved and restored as a Scaler.
/// Shapes: (rows, columns) with as many columns as were fitted; the result has the same shape, in
///   float64 for float64, otherwise in float32. The arithmetic is in double.
/// Throws: Error (value) before fit; Error (shape) for another number of columns.
class Scaler {
 public:
  /// A scaler that is fitted already. Throws: Error (value) where the vectors differ in length, a
  /// number is not finite or a scale is 0.
  Scaler(std::string name, std::vector<double> center, std::vector<double> scale);

  /// "MinMaxScaler", ...
  const std::string& name() const noexcept { return name_; }
  bool fitted() const noexcept { return !center_.empty(); }
  Index columns() const noexcept { return static_cast<Index>(center_.size()); }
  std::span<const double> center() const noexcept { return center_; }
  std::span<const double> scale() const noexcept { return scale_; }

  /// This scaler for one of its columns only: what brings a forecast of that column back.
  /// Throws: Error (value) before fit; Error (shape) where there is no such column.
  Scaler column(Index column) const;

  /// NaN stays NaN.
  Tensor transform(const Rows& rows) const;
  Tensor inverse_transform(const Rows& rows) const;
  /// The same for one column's numbers. Requires: 0 <= column < columns().
  double transform(double value, Index column) const noexcept;
  double inverse_transform(double value, Index column) const noexcept;

 protected:
  explicit Scaler(std::string name) : name_(std::move(name)) {}
  void set(std::vector<double> center, std::vector<double> scale);

 private:
  Tensor map(const Rows& rows, std::string_view what, bool inverse) const;

  std::string name_;
  std::vector<double> center_;
  std::vector<double> scale_;
};

struct MinMaxScalerOptions {
  std::pair<double, double> feature_range = {0, 1};
};

/// Each column's least value goes to the range's lower end, its greatest to the upper one; a
/// constant column goes to the lower end.
/// Throws (fit of all scalers): Error (value) for NaN or infinity, naming row and column, or for no
///   rows; Error (shape) for other than (rows, columns).
class MinMaxScaler : public Scaler {
 public:
  /// Throws: Error (value) for a range that is empty, reversed or not finite.
  explicit MinMaxScaler(const MinMaxScalerOptions& options = {});
  MinMaxScaler& fit(const Rows& rows);
  Tensor fit_transform(const Rows& rows) { return fit(rows).transform(rows); }

 private:
  MinMaxScalerOptions options_;
};

struct StandardScalerOptions {
  bool with_mean = true;
  bool with_std = true;
};

/// Each column gets mean 0 and (population) standard deviation 1; a constant column is only
/// centred.
class StandardScaler : public Scaler {
 public:
  explicit StandardScaler(const StandardScalerOptions& options = {});
  StandardScaler& fit(const Rows& rows);
  Tensor fit_transform(const Rows& rows) { return fit(rows).transform(rows); }

 private:
  StandardScalerOptions options_;
};

struct RobustScalerOptions {
  bool with_centering = true;
  bool with_scaling = true;
  std::pair<double, double> quantile_range = {25, 75};  ///< per cent
};

/// Each column loses its median and is divided by the range between two quantiles, which outliers
/// do not move; a column whose quantiles are equal is only centred. Quantiles between two values
/// are interpolated linearly.
class RobustScaler : public Scaler {
 public:
  /// Throws: Error (value) for quantiles that are not 0 <= lower < upper <= 100.
  explicit RobustScaler(const RobustScalerOptions& options = {});
  RobustScaler& fit(const Rows& rows);
  Tensor fit_transform(const Rows& rows) { return fit(rows).transform(rows); }

 private:
  RobustScalerOptions options_;
};

/// A scaler by name, fitted: "minmax", "standard", "robust", or "none", which changes nothing.
/// Throws: Error (value) that lists the names; otherwise as fit.
Scaler fit_scaler(std::string_view name, const Rows& rows);

}  // namespace unroll
