// How often which class is taken for which.
//
//   ConfusionMatrix seen(10);
//   seen.update(labels, model.predict(images));
//   std::cout << seen.text();
#pragma once

#include <string>
#include <vector>

#include "unroll/tensor.h"

namespace unroll {

/// Counts (or weights) of pairs: the row is the true class, the column the predicted one.
class ConfusionMatrix {
 public:
  /// Throws: Error (value) for less than 1 class.
  explicit ConfusionMatrix(Index classes);
  /// With the classes' names. Throws: Error (value) for none.
  explicit ConfusionMatrix(std::vector<std::string> names);

  /// Adds samples. Shapes: both either (...) labels or (..., classes), of which the largest counts;
  /// sample_weight (...), or empty: each counts 1.
  /// Throws: Error (shape) where they do not fit; Error (value) for a label that names no class.
  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight = {});
  void add(Index truth, Index predicted, double weight = 1);
  /// Forgets all.
  void reset();

  Index classes() const noexcept { return static_cast<Index>(names_.size()); }
  /// Throws: Error (value) for a class that is not there; so below.
  double count(Index truth, Index predicted) const;
  /// (classes, classes) of float64.
  Tensor counts() const;
  double total() const;

  /// The part of all that is right; 0 where nothing was seen, and so below.
  double accuracy() const;
  /// The part of those predicted to be of a class that are, and of those that are, predicted to be.
  double precision(Index of_class) const;
  double recall(Index of_class) const;
  /// 2 precision recall / (precision + recall)
  double f1(Index of_class) const;

  /// A table: a line a true class, a column a predicted one; then precision, recall and f1 of each.
  std::string text() const;

 private:
  std::size_t place(Index truth, Index predicted) const;

  std::vector<std::string> names_;
  std::vector<double> counts_;
};

/// The matrix of one set of labels: (classes, classes) of float64; see ConfusionMatrix::update.
Tensor confusion_matrix(const Tensor& y_true, const Tensor& y_pred, Index classes,
                        const Tensor& sample_weight = {});

}  // namespace unroll
