#include "unroll/scalers.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/data/words.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

void check_rank(const Rows& rows, const std::string& name) {
  if (rows.row_shape().rank() == 1) return;
  throw Error(
      ErrorKind::shape, name + ": the input has the wrong rank",
      {.got = rows.shape().to_string(),
       .want = "(rows, columns)",
       .hint = rows.row_shape().empty() ? "x.reshape({unknown, 1}) makes it one column" : ""});
}

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

/// Calls f(value, row) for each number of a column, as double.
template <class F>
void for_column(const Rows& rows, Index column, F f) {
  with_type(rows.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (Index i = 0; i < rows.count(); ++i) {
      f(static_cast<double>(static_cast<const T*>(rows.row(i))[column]), i);
    }
  });
}

/// Refuses what no statistics can be had of.
void check_fit(const Rows& rows, const std::string& name) {
  check_rank(rows, name);
  if (rows.empty() || rows.row_elements() == 0) {
    throw Error(ErrorKind::value, name + ": nothing to fit",
                {.got = rows.shape().to_string(), .want = "at least one row and one column"});
  }
  for (Index column = 0; column < rows.row_elements(); ++column) {
    for_column(rows, column, [&](double value, Index row) {
      if (std::isfinite(value)) return;
      throw Error(ErrorKind::value,
                  name + ": row " + std::to_string(row) + ", column " + std::to_string(column) +
                      " holds no number",
                  {.got = std::isnan(value) ? "nan"
                          : value > 0       ? "inf"
                                            : "-inf",
                   .want = "finite numbers only",
                   .hint = "leave out rows with missing values first: Table::complete"});
    });
  }
}

/// As scikit-learn: what is too small to divide by counts as constant and is divided by 1.
double or_one(double scale) { return scale < 10 * epsilon ? 1 : scale; }

struct Moments {
  double mean, variance;
};

/// In two passes; the second one corrects the mean's own rounding.
Moments moments(const Rows& rows, Index column) {
  const auto n = static_cast<double>(rows.count());
  double sum = 0, squares = 0, rest = 0;
  for_column(rows, column, [&](double value, Index) { sum += value; });
  const double mean = sum / n;
  for_column(rows, column, [&](double value, Index) {
    squares += (value - mean) * (value - mean);
    rest += value - mean;
  });
  return {mean, (squares - rest * rest / n) / n};
}

/// A quantile of sorted values, between two of them linear, as numpy's percentile.
double quantile(const std::vector<double>& sorted, double percent) {
  const double place = percent / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), sorted.size() - 1);
  const auto above = std::min(below + 1, sorted.size() - 1);
  const double part = place - static_cast<double>(below);
  const double step = sorted[above] - sorted[below];
  return part < 0.5 ? sorted[below] + step * part : sorted[above] - step * (1 - part);
}

std::string pair_text(const std::pair<double, double>& pair) {
  return "(" + data::spelt(pair.first) + ", " + data::spelt(pair.second) + ")";
}

}  // namespace

Scaler::Scaler(std::string name, std::vector<double> center, std::vector<double> scale)
    : name_(std::move(name)) {
  const bool finite =
      std::ranges::all_of(center, [](double c) { return std::isfinite(c); }) &&
      std::ranges::all_of(scale, [](double s) { return std::isfinite(s) && s != 0; });
  if (center.empty() || center.size() != scale.size() || !finite) {
    throw Error(ErrorKind::value, name_ + ": these are no centres and scales",
                {.got = std::to_string(center.size()) + " centres, " +
                        std::to_string(scale.size()) + " scales",
                 .want = "one finite centre and one finite scale other than 0 for each column"});
  }
  set(std::move(center), std::move(scale));
}

void Scaler::set(std::vector<double> center, std::vector<double> scale) {
  center_ = std::move(center);
  scale_ = std::move(scale);
}

Scaler Scaler::column(Index column) const {
  if (!fitted()) throw Error(ErrorKind::value, name_ + ": not fitted", {.hint = "call fit first"});
  if (column < 0 || column >= columns()) {
    throw Error(ErrorKind::shape, name_ + ": no such column",
                {.got = std::to_string(column), .want = "0 to " + std::to_string(columns() - 1)});
  }
  const auto i = static_cast<std::size_t>(column);
  return Scaler(name_, {center_[i]}, {scale_[i]});
}

double Scaler::transform(double value, Index column) const noexcept {
  const auto i = static_cast<std::size_t>(column);
  return (value - center_[i]) / scale_[i];
}

double Scaler::inverse_transform(double value, Index column) const noexcept {
  const auto i = static_cast<std::size_t>(column);
  return value * scale_[i] + center_[i];
}

Tensor Scaler::transform(const Rows& rows) const { return map(rows, "transform", false); }
Tensor Scaler::inverse_transform(const Rows& rows) const {
  return map(rows, "inverse_transform", true);
}

Tensor Scaler::map(const Rows& rows, std::string_view what, bool inverse) const {
  const std::string method = name_ + "." + std::string(what);
  if (!fitted()) throw Error(ErrorKind::value, method + ": not fitted", {.hint = "call fit first"});
  check_rank(rows, method);
  if (rows.row_elements() != columns()) {
    throw Error(
        ErrorKind::shape, method + ": not the columns that were fitted",
        {.got = rows.shape().to_string(), .want = "(rows, " + std::to_string(columns()) + ")"});
  }
  const bool exact = rows.dtype() == DType::float64;
  Tensor result(rows.shape(), exact ? DType::float64 : DType::float32);
  with_type(result.dtype(), [&](auto zero) {
    using Out = decltype(zero);
    if constexpr (std::is_floating_point_v<Out>) {
      Out* out = result.values<Out>().data();
      for (Index column = 0; column < columns(); ++column) {
        for_column(rows, column, [&](double value, Index row) {
          out[row * columns() + column] = static_cast<Out>(
              inverse ? inverse_transform(value, column) : transform(value, column));
        });
      }
    }
  });
  return result;
}

MinMaxScaler::MinMaxScaler(const MinMaxScalerOptions& options)
    : Scaler("MinMaxScaler"), options_(options) {
  const auto [low, high] = options.feature_range;
  if (!(low < high) || !std::isfinite(high - low)) {
    throw Error(ErrorKind::value, "MinMaxScaler: no such feature_range",
                {.got = pair_text(options.feature_range), .want = "(low, high) with low < high"});
  }
}

MinMaxScaler& MinMaxScaler::fit(const Rows& rows) {
  check_fit(rows, name());
  const auto [low, high] = options_.feature_range;
  std::vector<double> center, scale;
  for (Index column = 0; column < rows.row_elements(); ++column) {
    double least = std::numeric_limits<double>::infinity(), greatest = -least;
    for_column(rows, column, [&](double value, Index) {
      least = std::min(least, value);
      greatest = std::max(greatest, value);
    });
    scale.push_back(or_one(greatest - least) / (high - low));
    center.push_back(least - low * scale.back());
  }
  set(std::move(center), std::move(scale));
  return *this;
}

StandardScaler::StandardScaler(const StandardScalerOptions& options)
    : Scaler("StandardScaler"), options_(options) {}

StandardScaler& StandardScaler::fit(const Rows& rows) {
  check_fit(rows, name());
  std::vector<double> center, scale;
  const auto n = static_cast<double>(rows.count());
  for (Index column = 0; column < rows.row_elements(); ++column) {
    const auto [mean, variance] = moments(rows, column);
    // A constant column's variance may come out as rounding noise instead of 0.
    const double noise = n * epsilon * variance + (n * mean * epsilon) * (n * mean * epsilon);
    center.push_back(options_.with_mean ? mean : 0);
    scale.push_back(options_.with_std && variance > noise ? std::sqrt(variance) : 1);
  }
  set(std::move(center), std::move(scale));
  return *this;
}

RobustScaler::RobustScaler(const RobustScalerOptions& options)
    : Scaler("RobustScaler"), options_(options) {
  const auto [low, high] = options.quantile_range;
  if (!(0 <= low && low < high && high <= 100)) {
    throw Error(ErrorKind::value, "RobustScaler: no such quantile_range",
                {.got = pair_text(options.quantile_range),
                 .want = "(low, high) in per cent with 0 <= low < high <= 100"});
  }
}

RobustScaler& RobustScaler::fit(const Rows& rows) {
  check_fit(rows, name());
  const auto [low, high] = options_.quantile_range;
  std::vector<double> center, scale, sorted(static_cast<std::size_t>(rows.count()));
  for (Index column = 0; column < rows.row_elements(); ++column) {
    for_column(rows, column,
               [&](double value, Index row) { sorted[static_cast<std::size_t>(row)] = value; });
    std::ranges::sort(sorted);
    const std::size_t half = sorted.size() / 2;
    const double median =
        sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    center.push_back(options_.with_centering ? median : 0);
    scale.push_back(options_.with_scaling ? or_one(quantile(sorted, high) - quantile(sorted, low))
                                          : 1);
  }
  set(std::move(center), std::move(scale));
  return *this;
}

Scaler fit_scaler(std::string_view name, const Rows& rows) {
  if (name == "minmax") return MinMaxScaler().fit(rows);
  if (name == "standard") return StandardScaler().fit(rows);
  if (name == "robust") return RobustScaler().fit(rows);
  if (name == "none") {
    check_rank(rows, "none");
    const auto columns = static_cast<std::size_t>(rows.row_elements());
    return Scaler("none", std::vector<double>(columns, 0), std::vector<double>(columns, 1));
  }
  throw Error(ErrorKind::value, "no such scaler",
              {.got = "\"" + std::string(name) + "\"", .want = "minmax, standard, robust or none"});
}

}  // namespace unroll
