// The options of each metric, with Keras's names, order and defaults; unroll/metrics.h is what
// takes them. Every loss is a metric too: unroll/loss_options.h.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "unroll/index.h"
#include "unroll/short_list.h"

namespace unroll {

// --- choices that some metrics have ---

/// How AUC's area is made of its points, and of which curve.
enum class CurveKind { ROC, PR };
enum class SummationKind { interpolation, minoring, majoring };
/// How F1Score makes one number of its classes; none: it does not.
enum class AverageKind { none, macro, micro, weighted };
enum class AggregationKind { uniform_average, variance_weighted_average, none };

/// A choice named by a literal that the compiler checks; K is one of the above.
template <class K, std::size_t count>
class Choice {
 public:
  static const std::array<std::string_view, count> names;

  constexpr Choice(K kind = K{}) noexcept : kind_(kind) {}
  consteval Choice(const char* name) : kind_(find(name)) {}
  /// Throws: Error (value) that lists the names.
  static Choice parse(std::string_view name);

  constexpr K kind() const noexcept { return kind_; }
  constexpr std::string_view name() const noexcept {
    return names[static_cast<std::size_t>(kind_)];
  }

 private:
  static consteval K find(std::string_view wanted) {
    for (std::size_t i = 0; i < count; ++i) {
      if (names[i] == wanted) return static_cast<K>(i);
    }
    throw "there is no such choice; unroll/metrics.h lists them";
  }

  K kind_;
};

using Curve = Choice<CurveKind, 2>;
using Summation = Choice<SummationKind, 3>;
// Not Average, which is a layer.
using Averaging = Choice<AverageKind, 4>;
using Aggregation = Choice<AggregationKind, 3>;

template <>
inline constexpr std::array<std::string_view, 2> Curve::names{"ROC", "PR"};
template <>
inline constexpr std::array<std::string_view, 3> Summation::names{"interpolation", "minoring",
                                                                  "majoring"};
template <>
inline constexpr std::array<std::string_view, 4> Averaging::names{"none", "macro", "micro",
                                                                  "weighted"};
template <>
inline constexpr std::array<std::string_view, 3> Aggregation::names{
    "uniform_average", "variance_weighted_average", "none"};

/// Bounds above which a prediction counts as positive; one number will do.
using Thresholds = ShortList<double, 128>;

// --- the metrics: y is the truth, p the prediction ---

/// "accuracy": BinaryAccuracy, CategoricalAccuracy or SparseCategoricalAccuracy, whichever fits the
/// output and the loss; resolve() says.
struct AnyAccuracy {
  static constexpr std::string_view class_name = "AnyAccuracy";
  static constexpr std::array<std::string_view, 2> names{"accuracy", "acc"};
  template <class D>
  void describe(D&) {}
};

/// How often y = p exactly.
struct Accuracy {
  static constexpr std::string_view class_name = "Accuracy";
  static constexpr std::array<std::string_view, 1> names{"accuracy"};
  template <class D>
  void describe(D&) {}
};

/// How often y = (p > threshold).
struct BinaryAccuracy {
  double threshold = 0.5;

  static constexpr std::string_view class_name = "BinaryAccuracy";
  static constexpr std::array<std::string_view, 1> names{"binary_accuracy"};
  template <class D>
  void describe(D& d) {
    d.field("threshold", threshold);
  }
};

/// How often the largest of p is where the largest of y is.
struct CategoricalAccuracy {
  static constexpr std::string_view class_name = "CategoricalAccuracy";
  static constexpr std::array<std::string_view, 1> names{"categorical_accuracy"};
  template <class D>
  void describe(D&) {}
};

/// How often the largest of p is at the label.
struct SparseCategoricalAccuracy {
  static constexpr std::string_view class_name = "SparseCategoricalAccuracy";
  static constexpr std::array<std::string_view, 1> names{"sparse_categorical_accuracy"};
  template <class D>
  void describe(D&) {}
};

/// How often fewer than k of p are larger than the one where the largest of y is.
struct TopKCategoricalAccuracy {
  Index k = 5;

  static constexpr std::string_view class_name = "TopKCategoricalAccuracy";
  static constexpr std::array<std::string_view, 1> names{"top_k_categorical_accuracy"};
  template <class D>
  void describe(D& d) {
    d.field("k", k);
  }
};

/// How often fewer than k of p are larger than the one at the label. from_sorted_ids: p are labels,
/// the likeliest first.
struct SparseTopKCategoricalAccuracy {
  Index k = 5;
  bool from_sorted_ids = false;

  static constexpr std::string_view class_name = "SparseTopKCategoricalAccuracy";
  static constexpr std::array<std::string_view, 1> names{"sparse_top_k_categorical_accuracy"};
  template <class D>
  void describe(D& d) {
    d.field("k", k);
    d.field("from_sorted_ids", from_sorted_ids);
  }
};

/// The mean of the predictions.
struct Mean {
  static constexpr std::string_view class_name = "Mean";
  static constexpr std::array<std::string_view, 1> names{"mean"};
  template <class D>
  void describe(D&) {}
};

/// The root of the mean of (y - p)^2 over all that was seen.
struct RootMeanSquaredError {
  static constexpr std::string_view class_name = "RootMeanSquaredError";
  static constexpr std::array<std::string_view, 3> names{"root_mean_squared_error", "rmse", "RMSE"};
  template <class D>
  void describe(D&) {}
};

/// The sum of the predictions.
struct Sum {
  static constexpr std::string_view class_name = "Sum";
  static constexpr std::array<std::string_view, 1> names{"sum"};
  template <class D>
  void describe(D&) {}
};

/// Pearson's correlation of a sample's n numbers, the mean over samples.
struct PearsonCorrelation {
  Index axis = -1;

  static constexpr std::string_view class_name = "PearsonCorrelation";
  static constexpr std::array<std::string_view, 1> names{"pearson_correlation"};
  template <class D>
  void describe(D& d) {
    d.field("axis", axis);
  }
};

/// 2 cov(y, p) / (var y + var p + (mean y - mean p)^2) of a sample's n numbers, the mean over
/// samples: 1 only where they are equal. Source: Lin, 1989.
struct ConcordanceCorrelation {
  Index axis = -1;

  static constexpr std::string_view class_name = "ConcordanceCorrelation";
  static constexpr std::array<std::string_view, 1> names{"concordance_correlation"};
  template <class D>
  void describe(D& d) {
    d.field("axis", axis);
  }
};

/// e to the mean SparseCategoricalCrossentropy: among how many tokens a language model wavers. Not
/// in Keras.
struct Perplexity {
  bool from_logits = false;
  std::optional<Index> ignore_class = {};

  static constexpr std::string_view class_name = "Perplexity";
  static constexpr std::array<std::string_view, 1> names{"perplexity"};
  template <class D>
  void describe(D& d) {
    d.field("from_logits", from_logits);
    d.field("ignore_class", ignore_class);
  }
};

/// What part of the predicted positives are positive: p > thresholds (0.5), or, with top_k, the k
/// largest of a row that are. class_id: only that column counts. Several thresholds: one value
/// each.
struct Precision {
  Thresholds thresholds = {};
  std::optional<Index> top_k = {}, class_id = {};

  static constexpr std::string_view class_name = "Precision";
  static constexpr std::array<std::string_view, 1> names{"precision"};
  template <class D>
  void describe(D& d) {
    d.field("thresholds", thresholds);
    d.field("top_k", top_k);
    d.field("class_id", class_id);
  }
};

/// What part of the positives are predicted to be.
struct Recall {
  Thresholds thresholds = {};
  std::optional<Index> top_k = {}, class_id = {};

  static constexpr std::string_view class_name = "Recall";
  static constexpr std::array<std::string_view, 1> names{"recall"};
  template <class D>
  void describe(D& d) {
    d.field("thresholds", thresholds);
    d.field("top_k", top_k);
    d.field("class_id", class_id);
  }
};

/// How many positives are predicted to be (their weight); so the three below.
struct TruePositives {
  Thresholds thresholds = {};

  static constexpr std::string_view class_name = "TruePositives";
  static constexpr std::array<std::string_view, 1> names{"true_positives"};
  template <class D>
  void describe(D& d) {
    d.field("thresholds", thresholds);
  }
};

/// How many negatives are predicted to be.
struct TrueNegatives {
  Thresholds thresholds = {};

  static constexpr std::string_view class_name = "TrueNegatives";
  static constexpr std::array<std::string_view, 1> names{"true_negatives"};
  template <class D>
  void describe(D& d) {
    d.field("thresholds", thresholds);
  }
};

/// How many negatives are predicted to be positive.
struct FalsePositives {
  Thresholds thresholds = {};

  static constexpr std::string_view class_name = "FalsePositives";
  static constexpr std::array<std::string_view, 1> names{"false_positives"};
  template <class D>
  void describe(D& d) {
    d.field("thresholds", thresholds);
  }
};

/// How many positives are predicted to be negative.
struct FalseNegatives {
  Thresholds thresholds = {};

  static constexpr std::string_view class_name = "FalseNegatives";
  static constexpr std::array<std::string_view, 1> names{"false_negatives"};
  template <class D>
  void describe(D& d) {
    d.field("thresholds", thresholds);
  }
};

/// The largest recall among num_thresholds even thresholds from 0 to 1 at which at least this part
/// of the negatives is predicted to be; 0 where there is none. The three below likewise.
struct SensitivityAtSpecificity {
  double specificity = 0.5;
  Index num_thresholds = 200;
  std::optional<Index> class_id = {};

  static constexpr std::string_view class_name = "SensitivityAtSpecificity";
  static constexpr std::array<std::string_view, 1> names{"sensitivity_at_specificity"};
  template <class D>
  void describe(D& d) {
    d.field("specificity", specificity);
    d.field("num_thresholds", num_thresholds);
    d.field("class_id", class_id);
  }
};

/// The largest part of the negatives that is predicted to be, where recall is at least this.
struct SpecificityAtSensitivity {
  double sensitivity = 0.5;
  Index num_thresholds = 200;
  std::optional<Index> class_id = {};

  static constexpr std::string_view class_name = "SpecificityAtSensitivity";
  static constexpr std::array<std::string_view, 1> names{"specificity_at_sensitivity"};
  template <class D>
  void describe(D& d) {
    d.field("sensitivity", sensitivity);
    d.field("num_thresholds", num_thresholds);
    d.field("class_id", class_id);
  }
};

/// The largest precision where recall is at least this.
struct PrecisionAtRecall {
  double recall = 0.5;
  Index num_thresholds = 200;
  std::optional<Index> class_id = {};

  static constexpr std::string_view class_name = "PrecisionAtRecall";
  static constexpr std::array<std::string_view, 1> names{"precision_at_recall"};
  template <class D>
  void describe(D& d) {
    d.field("recall", recall);
    d.field("num_thresholds", num_thresholds);
    d.field("class_id", class_id);
  }
};

/// The largest recall where precision is at least this.
struct RecallAtPrecision {
  double precision = 0.5;
  Index num_thresholds = 200;
  std::optional<Index> class_id = {};

  static constexpr std::string_view class_name = "RecallAtPrecision";
  static constexpr std::array<std::string_view, 1> names{"recall_at_precision"};
  template <class D>
  void describe(D& d) {
    d.field("precision", precision);
    d.field("num_thresholds", num_thresholds);
    d.field("class_id", class_id);
  }
};

/// The area under the curve of recall over false positives (ROC) or of precision over recall (PR),
/// at num_thresholds even thresholds from 0 to 1, or at the given ones and both ends. multi_label:
/// the mean of the columns' areas, weighted by label_weights; else all columns are one.
struct AUC {
  Index num_thresholds = 200;
  Curve curve = "ROC";
  Summation summation_method = "interpolation";
  Thresholds thresholds = {};
  bool multi_label = false;
  std::optional<Index> num_labels = {};
  ShortList<double, 128> label_weights = {};
  bool from_logits = false;

  static constexpr std::string_view class_name = "AUC";
  static constexpr std::array<std::string_view, 2> names{"auc", "AUC"};
  template <class D>
  void describe(D& d) {
    d.field("num_thresholds", num_thresholds);
    d.field("curve", curve);
    d.field("summation_method", summation_method);
    d.field("thresholds", thresholds);
    d.field("multi_label", multi_label);
    d.field("num_labels", num_labels);
    d.field("label_weights", label_weights);
    d.field("from_logits", from_logits);
  }
};

/// The harmonic mean of precision and recall by class. Predicted is the largest of a row, or, with
/// a threshold, all above it. Without averaging there is one value a class, and where one number is
/// wanted, as in a history, that is their mean, the same as "macro".
struct F1Score {
  Averaging average = "none";
  std::optional<double> threshold = {};

  static constexpr std::string_view class_name = "F1Score";
  static constexpr std::array<std::string_view, 1> names{"f1_score"};
  template <class D>
  void describe(D& d) {
    d.field("average", average);
    d.field("threshold", threshold);
  }
};

/// F1Score with recall counting beta times as much as precision.
struct FBetaScore {
  Averaging average = "none";
  double beta = 1;
  std::optional<double> threshold = {};

  static constexpr std::string_view class_name = "FBetaScore";
  static constexpr std::array<std::string_view, 1> names{"fbeta_score"};
  template <class D>
  void describe(D& d) {
    d.field("average", average);
    d.field("beta", beta);
    d.field("threshold", threshold);
  }
};

/// 1 - sum (y - p)^2 / sum (y - mean y)^2 of each output, and of these the mean; "none": each.
/// num_regressors: adjusted for that many explaining variables.
struct R2Score {
  Aggregation class_aggregation = "uniform_average";
  Index num_regressors = 0;

  static constexpr std::string_view class_name = "R2Score";
  static constexpr std::array<std::string_view, 1> names{"r2_score"};
  template <class D>
  void describe(D& d) {
    d.field("class_aggregation", class_aggregation);
    d.field("num_regressors", num_regressors);
  }
};

}  // namespace unroll
