// Metrics: what is reported of a model beside its loss.
//
//   model.compile({.loss = "binary_crossentropy", .metrics = {"accuracy", "mae"}});
//   model.compile({.metrics = {AUC{.curve = "PR"}, MeanSquaredError{}}});   // a loss is a metric
//   too
//
// Names, options, defaults and numbers are Keras's. A metric is a plain value; what it has seen is
// in a state of doubles beside it, which parts of a batch fill by themselves and then add.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "unroll/losses.h"

namespace unroll {

// --- choices that some metrics have ---

/// How AUC's area is made of its points, and of which curve.
enum class CurveKind { ROC, PR };
enum class SummationKind { interpolation, minoring, majoring };
/// How F1Score makes one number of its classes.
enum class AverageKind { macro, micro, weighted };
enum class AggregationKind { uniform_average, variance_weighted_average };

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
using Averaging = Choice<AverageKind, 3>;
using Aggregation = Choice<AggregationKind, 2>;

template <>
inline constexpr std::array<std::string_view, 2> Curve::names{"ROC", "PR"};
template <>
inline constexpr std::array<std::string_view, 3> Summation::names{"interpolation", "minoring",
                                                                  "majoring"};
template <>
inline constexpr std::array<std::string_view, 3> Averaging::names{"macro", "micro", "weighted"};
template <>
inline constexpr std::array<std::string_view, 2> Aggregation::names{"uniform_average",
                                                                    "variance_weighted_average"};

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

/// How often fewer than k of p are larger than the one at the label.
struct SparseTopKCategoricalAccuracy {
  Index k = 5;

  static constexpr std::string_view class_name = "SparseTopKCategoricalAccuracy";
  static constexpr std::array<std::string_view, 1> names{"sparse_top_k_categorical_accuracy"};
  template <class D>
  void describe(D& d) {
    d.field("k", k);
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

/// 200 |y - p| / (|y| + |p|), in per cent; 0 where both are. Not in Keras.
/// Source: Makridakis, 1993.
struct SymmetricMeanAbsolutePercentageError {
  static constexpr std::string_view class_name = "SymmetricMeanAbsolutePercentageError";
  static constexpr std::array<std::string_view, 2> names{"symmetric_mean_absolute_percentage_error",
                                                         "smape"};
  template <class D>
  void describe(D&) {}
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
/// largest of a row that are. class_id: only that column counts.
struct Precision {
  std::optional<double> thresholds = {};
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
  std::optional<double> thresholds = {};
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

/// The area under the curve of recall over false positives (ROC) or of precision over recall (PR),
/// at num_thresholds even thresholds from 0 to 1.
struct AUC {
  Index num_thresholds = 200;
  Curve curve = "ROC";
  Summation summation_method = "interpolation";
  bool from_logits = false;

  static constexpr std::string_view class_name = "AUC";
  static constexpr std::array<std::string_view, 2> names{"auc", "AUC"};
  template <class D>
  void describe(D& d) {
    d.field("num_thresholds", num_thresholds);
    d.field("curve", curve);
    d.field("summation_method", summation_method);
    d.field("from_logits", from_logits);
  }
};

/// The harmonic mean of precision and recall by class, and of the classes' scores one (Keras's
/// default gives them all). Predicted is the largest of a row, or, with a threshold, all above it.
struct F1Score {
  Averaging average = "macro";
  std::optional<double> threshold = {};

  static constexpr std::string_view class_name = "F1Score";
  static constexpr std::array<std::string_view, 1> names{"f1_score"};
  template <class D>
  void describe(D& d) {
    d.field("average", average);
    d.field("threshold", threshold);
  }
};

/// 1 - sum (y - p)^2 / sum (y - mean y)^2 of each output, and of these the mean.
struct R2Score {
  Aggregation class_aggregation = "uniform_average";

  static constexpr std::string_view class_name = "R2Score";
  static constexpr std::array<std::string_view, 1> names{"r2_score"};
  template <class D>
  void describe(D& d) {
    d.field("class_aggregation", class_aggregation);
  }
};

using MetricOptions =
    std::variant<AnyAccuracy, Accuracy, BinaryAccuracy, CategoricalAccuracy,
                 SparseCategoricalAccuracy, TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy,
                 Mean, RootMeanSquaredError, SymmetricMeanAbsolutePercentageError, Perplexity,
                 Precision, Recall, AUC, F1Score, R2Score, Loss>;

/// A metric: a plain value, made from a name that the compiler checks or from options.
class Metric {
 public:
  template <class Option>
  requires(detail::is_option<Option, MetricOptions> ||
           detail::is_option<Option, LossOptions>) constexpr Metric(const Option& options)
      : options_(options) {}
  /// Does not compile for a name that neither a metric nor a loss has.
  consteval Metric(const char* name) : Metric(find(name)) {}

  constexpr const MetricOptions& options() const noexcept { return options_; }
  constexpr MetricOptions& options() noexcept { return options_; }
  /// As History and progress name it: the name it was given, else Keras's.
  constexpr std::string_view name() const noexcept {
    if (!name_.empty()) return name_;
    return std::visit(
        []<class Option>(const Option& option) {
          if constexpr (std::is_same_v<Option, Loss>) {
            return option.name();
          } else {
            return Option::names[0];
          }
        },
        options_);
  }
  constexpr std::string_view class_name() const noexcept {
    return std::visit(
        []<class Option>(const Option& option) {
          if constexpr (std::is_same_v<Option, Loss>) {
            return option.class_name();
          } else {
            return Option::class_name;
          }
        },
        options_);
  }
  /// Numbers in a prediction's last axis; 0 before resolve().
  constexpr Index outputs() const noexcept { return outputs_; }

 private:
  friend Metric parse_metric(std::string_view name);
  friend Metric resolve(const Metric& metric, const Loss& loss, Index n);

  constexpr Metric(const std::pair<MetricOptions, std::string_view>& found)
      : options_(found.first), name_(found.second) {}

  static consteval std::pair<MetricOptions, std::string_view> find(std::string_view wanted) {
    if (const auto metric = detail::find_option<MetricOptions>(wanted)) return *metric;
    const auto loss = detail::find_option<LossOptions>(wanted);
    if (!loss) throw "no metric has this name; unroll/metrics.h and unroll/losses.h list them";
    return {std::visit([](const auto& option) { return MetricOptions(Loss(option)); }, loss->first),
            loss->second};
  }
  MetricOptions options_;
  std::string_view name_ = {};  // of a table here, never the caller's
  Index outputs_ = 0;
};

/// The metric of a name (or class name) that is known only at run time; a loss's name will do.
/// Throws: Error (value) that lists the names.
Metric parse_metric(std::string_view name);

/// What a metric means beside a loss and predictions whose last axis is n: "accuracy" becomes the
/// kind that fits, as in Keras, and keeps its name.
/// Throws: Error (value) for one that cannot read the loss's targets.
Metric resolve(const Metric& metric, const Loss& loss, Index n);

// --- what a metric has seen ---

/// Doubles in the state; they begin as zeros. Requires: a resolved metric.
Index metric_state_size(const Metric& metric) noexcept;

/// Adds some samples to the state. Shapes: as loss_values; sample_weight (samples), or null.
/// Threads: any part of a batch may be seen by itself. Allocates nothing.
template <class T>
void metric_update(const Metric& metric, Index samples, Index n, const T* y_true, const T* y_pred,
                   const T* sample_weight, std::span<double> state);

/// Adds what another part of the batch has seen.
void metric_add(std::span<double> into, std::span<const double> from) noexcept;

/// The metric's value; 0 where nothing was seen.
double metric_result(const Metric& metric, std::span<const double> state);

}  // namespace unroll
