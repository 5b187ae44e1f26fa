#include "unroll/confusion_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/training/metric_functions.h"
#include "src/training/numbers.h"
#include "src/training/tensors.h"
#include "unroll/error.h"

namespace unroll {
namespace {

std::vector<std::string> numbered(Index classes) {
  std::vector<std::string> names;
  for (Index i = 0; i < classes; ++i) names.push_back(std::to_string(i));
  return names;
}

[[noreturn]] void refuse_class(const std::string& got, Index classes) {
  throw Error(
      ErrorKind::value, "ConfusionMatrix: a label names no class",
      {.got = "label " + got, .want = "a whole number from 0 to " + std::to_string(classes - 1)});
}

/// The classes of samples that are given by labels, or by one number a class.
std::vector<Index> classes_of(const Tensor& given, Index samples, Index classes) {
  const auto numbers = training::numbers_of<double>(given);
  std::vector<Index> labels(static_cast<std::size_t>(samples));
  const bool by_label = given.elements() == samples;
  for (std::size_t s = 0; s < labels.size(); ++s) {
    if (!by_label) {
      const auto row = numbers.begin() + static_cast<std::ptrdiff_t>(s) * classes;
      labels[s] = std::max_element(row, row + classes) - row;
      continue;
    }
    const double label = numbers[s];
    const bool whole =
        label >= 0 && label < static_cast<double>(classes) && label == std::floor(label);
    if (!whole) refuse_class(training::short_number(label), classes);
    labels[s] = static_cast<Index>(label);
  }
  return labels;
}

/// (...) of (...) or of (..., classes).
Shape samples_of(const Tensor& given, Index classes, const Tensor& other) {
  const Shape& shape = given.shape();
  const bool rows =
      shape.rank() > 1 && shape[-1] == classes && (classes > 1 || shape.rank() > other.rank());
  return rows && other.shape() != shape ? shape.without(-1) : shape;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(Index classes) : ConfusionMatrix(numbered(classes)) {}

ConfusionMatrix::ConfusionMatrix(std::vector<std::string> names)
    : names_(std::move(names)), counts_(names_.size() * names_.size()) {
  if (names_.empty()) {
    throw Error(ErrorKind::value, "ConfusionMatrix: there are no classes", {.want = "at least 1"});
  }
}

void ConfusionMatrix::update(const Tensor& y_true, const Tensor& y_pred,
                             const Tensor& sample_weight) {
  Shape truth = samples_of(y_true, classes(), y_pred), read = samples_of(y_pred, classes(), y_true);
  const bool both_rows = truth == read && truth.rank() > 1 && truth[-1] == classes() &&
                         classes() > 1 && y_true.shape() == y_pred.shape();
  if (both_rows) truth = read = truth.without(-1);
  if (truth.elements() != read.elements()) {
    throw Error(ErrorKind::shape, "ConfusionMatrix: truth and predictions do not fit",
                {.got = y_true.shape().to_string() + " and " + y_pred.shape().to_string(),
                 .want = "labels (...) or (..., " + std::to_string(classes()) +
                         ") of the same "
                         "samples"});
  }
  const Index samples = truth.elements();
  const auto rows = classes_of(y_true, samples, classes());
  const auto columns = classes_of(y_pred, samples, classes());
  std::vector<double> weights;
  if (!sample_weight.empty()) {
    weights = training::weights_for<double>("ConfusionMatrix", truth, sample_weight);
  }
  for (std::size_t s = 0; s < rows.size(); ++s) {
    add(rows[s], columns[s], weights.empty() ? 1 : weights[s]);
  }
}

std::size_t ConfusionMatrix::place(Index truth, Index predicted) const {
  for (const Index label : {truth, predicted}) {
    if (label < 0 || label >= classes()) refuse_class(std::to_string(label), classes());
  }
  return static_cast<std::size_t>(truth * classes() + predicted);
}

void ConfusionMatrix::add(Index truth, Index predicted, double weight) {
  counts_[place(truth, predicted)] += weight;
}

void ConfusionMatrix::reset() { std::ranges::fill(counts_, 0.0); }

double ConfusionMatrix::count(Index truth, Index predicted) const {
  return counts_[place(truth, predicted)];
}

Tensor ConfusionMatrix::counts() const {
  return Tensor::of<double>({classes(), classes()}, counts_);
}

double ConfusionMatrix::total() const {
  double total = 0;
  for (const double count : counts_) total += count;
  return total;
}

double ConfusionMatrix::accuracy() const {
  double right = 0;
  for (Index i = 0; i < classes(); ++i) right += count(i, i);
  return training::quotient(right, total());
}

double ConfusionMatrix::precision(Index of_class) const {
  double predicted = 0;
  for (Index i = 0; i < classes(); ++i) predicted += count(i, of_class);
  return training::quotient(count(of_class, of_class), predicted);
}

double ConfusionMatrix::recall(Index of_class) const {
  double there = 0;
  for (Index i = 0; i < classes(); ++i) there += count(of_class, i);
  return training::quotient(count(of_class, of_class), there);
}

double ConfusionMatrix::f1(Index of_class) const {
  const double p = precision(of_class), r = recall(of_class);
  return training::quotient(2 * p * r, p + r);
}

std::string ConfusionMatrix::text() const {
  std::vector<std::vector<std::string>> table;
  std::vector<std::string> heading{"true \\ predicted"};
  heading.insert(heading.end(), names_.begin(), names_.end());
  heading.insert(heading.end(), {"precision", "recall", "f1"});
  table.push_back(heading);
  for (Index i = 0; i < classes(); ++i) {
    std::vector<std::string> row{names_[static_cast<std::size_t>(i)]};
    for (Index j = 0; j < classes(); ++j) row.push_back(training::short_number(count(i, j)));
    for (const double score : {precision(i), recall(i), f1(i)}) {
      row.push_back(fmt::format("{:.3f}", score));
    }
    table.push_back(row);
  }
  std::string text;
  for (const auto& row : table) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      std::size_t width = 0;
      for (const auto& other : table) width = std::max(width, other[column].size());
      line += column == 0 ? fmt::format("{:<{}}", row[0], width)
                          : fmt::format("  {:>{}}", row[column], width);
    }
    text += line + "\n";
  }
  return text;
}

Tensor confusion_matrix(const Tensor& y_true, const Tensor& y_pred, Index classes,
                        const Tensor& sample_weight) {
  ConfusionMatrix seen(classes);
  seen.update(y_true, y_pred, sample_weight);
  return seen.counts();
}

}  // namespace unroll
