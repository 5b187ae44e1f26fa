#include "tests/golden/report.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <cmath>
#include <sstream>

namespace unroll::golden {

Tolerances tolerances_of(const std::string& case_name, DType dtype) {
  if (dtype == DType::float64) {
    const Tolerance exact{1e-9, 1e-12};
    return {exact, exact, exact, exact};
  }
  const bool medium = case_name.find("medium") != std::string::npos;
  return {.outputs = {1e-5, medium ? 5e-6 : 1e-6},
          .gradients = {1e-4, medium ? 1e-4 : 1e-5},
          .weights = {0, 1e-4},
          .losses = {1e-4, 0}};
}

namespace {

double number(const Tensor& tensor, Index i) {
  const auto at = static_cast<std::size_t>(i);
  switch (tensor.dtype()) {
    case DType::float32:
      return static_cast<double>(tensor.values<float>()[at]);
    case DType::float64:
      return tensor.values<double>()[at];
    case DType::int32:
      return tensor.values<std::int32_t>()[at];
    default:
      return tensor.values<std::uint8_t>()[at];
  }
}

/// How far got is from want; infinite where just one of them is not a number.
double distance(double got, double want) {
  if (got == want || (std::isnan(got) && std::isnan(want))) return 0;
  const double error = std::abs(got - want);
  return std::isnan(error) ? INFINITY : error;
}

/// "[1, 0, 3]": where element i of a row-major shape is.
std::string position(const Shape& shape, Index i) {
  std::string text;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = std::to_string(i % shape[axis]) + (text.empty() ? "" : ", ") + text;
    i /= shape[axis];
  }
  return text.empty() ? "" : "[" + text + "]";
}

}  // namespace

void Comparison::close(const std::string& what, const Tensor& got, const Tensor& want,
                       const Tolerance& allowed) {
  if (got.shape() != want.shape()) {
    fail(fmt::format("{} has shape {}, want {}", what, got.shape().to_string(),
                     want.shape().to_string()));
    return;
  }
  Index off = 0, worst = 0;
  double worst_excess = -INFINITY;
  for (Index i = 0; i < want.elements(); ++i) {
    const double truth = number(want, i), error = distance(number(got, i), truth);
    const double bound =
        allowed.absolute + (std::isfinite(truth) ? allowed.relative * std::abs(truth) : 0);
    if (error > bound) ++off;
    if (error - bound > worst_excess) {
      worst_excess = error - bound;
      worst = i;
    }
  }
  compared_ += want.elements();
  if (off == 0) return;
  const double g = number(got, worst), w = number(want, worst);
  fail(fmt::format("{}{} got {:.9g} want {:.9g}, error {:.2e}, {} of {} numbers off", what,
                   position(want.shape(), worst), g, w, distance(g, w), off, want.elements()));
}

void Comparison::close(const std::string& what, double got, double want, const Tolerance& allowed) {
  close(what, Tensor::of<double>({}, {got}), Tensor::of<double>({}, {want}), allowed);
}

void Comparison::same(const std::string& what, const std::string& got, const std::string& want) {
  std::istringstream got_lines(got), want_lines(want);
  for (Index line = 1;; ++line) {
    std::string g, w;
    const bool more_g(std::getline(got_lines, g)), more_w(std::getline(want_lines, w));
    if (!more_g && !more_w) return;
    ++compared_;
    if (more_g == more_w && g == w) continue;
    fail(fmt::format("{}, line {}\n  got  {}\n  want {}", what, line, more_g ? g : "no line",
                     more_w ? w : "no line"));
    return;
  }
}

bool Report::demanded(const std::string& case_name) {
  bool any = false;
  for (const std::string& pattern : demanded_) {
    if (fnmatch(pattern.c_str(), case_name.c_str(), 0) != 0) continue;
    ++met_[pattern];
    any = true;
  }
  return any;
}

void Report::skipped(const std::string& case_name, const std::string& reason) {
  if (demanded(case_name)) {
    ++failed_;
    fmt::print("FAILED {}: may not be skipped ({})\n", case_name, reason);
    return;
  }
  ++skipped_;
  ++reasons_[reason];
}

void Report::finished(const std::string& case_name, const Comparison& comparison) {
  demanded(case_name);
  if (comparison.complaints().empty() && comparison.compared() > 0) {
    ++passed_;
    return;
  }
  ++failed_;
  for (const std::string& complaint : comparison.complaints()) {
    fmt::print("FAILED {}: {}\n", case_name, complaint);
  }
  if (comparison.complaints().empty()) fmt::print("FAILED {}: compared nothing\n", case_name);
}

bool Report::finish() {
  for (const std::string& pattern : demanded_) {
    if (met_[pattern] > 0) continue;
    ++failed_;
    fmt::print("FAILED {}: there is no such case\n", pattern);
  }
  for (const auto& [reason, count] : reasons_) fmt::print("skipped {}: {}\n", count, reason);
  fmt::print("{} passed, {} failed, {} skipped\n", passed_, failed_, skipped_);
  return failed_ == 0;
}

}  // namespace unroll::golden
