#include "unroll/windows.h"

#include <cmath>

#include "src/data/words.h"
#include "unroll/error.h"

namespace unroll {

namespace {

void check_count(const char* option, Index got) {
  if (got >= 1) return;
  throw Error(ErrorKind::value, std::string("windows: ") + option + " must be at least 1",
              {.got = std::to_string(got)});
}

void check(const Tensor& series, const WindowsOptions& options) {
  check_count("length", options.length);
  check_count("horizon", options.horizon);
  check_count("stride", options.stride);
  if (series.rank() != 2) {
    throw Error(
        ErrorKind::shape, "windows: the series has the wrong rank",
        {.got = series.shape().to_string(),
         .want = "(rows, columns)",
         .hint = series.rank() == 1 ? "series.reshape({unknown, 1}) makes it one column" : ""});
  }
  if (options.target != all_columns &&
      (options.target < 0 || options.target >= series.shape()[1])) {
    throw Error(ErrorKind::value, "windows: no such target column",
                {.got = std::to_string(options.target),
                 .want = "0 to " + std::to_string(series.shape()[1] - 1) + ", or all_columns"});
  }
  const Index rows = series.shape()[0];
  // Compared one by one: a sum of two huge options would overflow.
  if (options.length > rows || options.horizon > rows - options.length) {
    throw Error(ErrorKind::shape, "windows: the series is too short",
                {.got = std::to_string(rows) + " rows",
                 .want = "a window of " + std::to_string(options.length) + " rows and the row " +
                         std::to_string(options.horizon) + " after it",
                 .hint = rows > 1 ? "a shorter length, or more rows" : ""});
  }
}

std::string describe(const SplitInThree& shares) {
  return "train " + data::spelt(shares.train) + ", validate " + data::spelt(shares.validate);
}

Index boundary(Index rows, double share) {
  return static_cast<Index>(std::floor(static_cast<double>(rows) * share + 0.5));
}

}  // namespace

Windows windows(const Tensor& series, const WindowsOptions& options) {
  check(series, options);
  const Index rows = series.shape()[0], columns = series.shape()[1];
  const Index last = rows - options.length - options.horizon;
  const Index count = last / options.stride + 1;
  // A stride beyond the last start is never taken; cut, its product with columns cannot overflow.
  const Index stride = std::min(options.stride, rows) * columns;
  const Index first_target = (options.length - 1 + options.horizon) * columns;
  const bool all = options.target == all_columns;
  return {.x = Rows(series, 0, stride, count, {options.length, columns}),
          .y = Rows(series, first_target + (all ? 0 : options.target), stride, count,
                    {all ? columns : 1})};
}

SplitPoints split_points(Index rows, const SplitInThree& shares) {
  // Written so that NaN is refused too.
  if (!(shares.train > 0) || !(shares.validate > 0) || !(shares.train + shares.validate < 1)) {
    throw Error(ErrorKind::value, "split: the shares leave a part empty",
                {.got = describe(shares), .want = "shares above 0 that sum to less than 1"});
  }
  const Index train = boundary(rows, shares.train);
  const Index validate = boundary(rows, shares.train + shares.validate);
  if (train == 0 || validate == train || validate >= rows) {
    throw Error(
        ErrorKind::value, "split: too few rows for these shares",
        {.got = std::to_string(rows) + " rows: train " + std::to_string(train) + ", validate " +
                std::to_string(validate - train) + ", test " + std::to_string(rows - validate)});
  }
  return {.train = train, .validate = validate};
}

TwoParts split(const Tensor& series, const SplitInTwo& shares) {
  if (!(shares.train > 0) || !(shares.train < 1)) {
    throw Error(
        ErrorKind::value, "split: the share leaves a part empty",
        {.got = "train " + data::spelt(shares.train), .want = "a share above 0 and below 1"});
  }
  const Index rows = Rows(series).count();
  const Index point = boundary(rows, shares.train);
  if (point == 0 || point >= rows) {
    throw Error(ErrorKind::value, "split: too few rows for this share",
                {.got = std::to_string(rows) + " rows: past " + std::to_string(point) +
                        ", future " + std::to_string(rows - point)});
  }
  return {.past = series.rows(0, point), .future = series.rows(point, rows)};
}

ThreeParts split(const Tensor& series, const SplitInThree& shares) {
  const Index rows = Rows(series).count();
  const SplitPoints points = split_points(rows, shares);
  return {.train = series.rows(0, points.train),
          .validate = series.rows(points.train, points.validate),
          .test = series.rows(points.validate, rows)};
}

}  // namespace unroll
