// Metrics: what is reported of a model beside its loss.
//
//   model.compile({.loss = "binary_crossentropy", .metrics = {"accuracy", "mae"}});
//   model.compile({.metrics = {AUC{.curve = "PR"}, MeanSquaredError{}}});    // a loss is one too
//   MetricState seen(AUC{});                                                 // outside a model
//   seen.update(labels, predictions);
//   double area = seen.result();
//
// Names, options, defaults and numbers are Keras's. A metric is a plain value; what it has seen is
// in a state of doubles beside it, which parts of a batch fill by themselves and then add.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "unroll/losses.h"
#include "unroll/metric_options.h"

namespace unroll {

using MetricOptions =
    std::variant<AnyAccuracy, Accuracy, BinaryAccuracy, CategoricalAccuracy,
                 SparseCategoricalAccuracy, TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy,
                 Mean, Sum, RootMeanSquaredError, PearsonCorrelation, ConcordanceCorrelation,
                 Perplexity, Precision, Recall, TruePositives, TrueNegatives, FalsePositives,
                 FalseNegatives, SensitivityAtSpecificity, SpecificityAtSensitivity,
                 PrecisionAtRecall, RecallAtPrecision, AUC, F1Score, FBetaScore, R2Score, Loss>;

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
    if (own_size_ > 0) return {own_name_.data(), own_size_};
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
  /// The same under another name, for when two of a kind are watched.
  /// Throws: Error (value) for no name, or one of more than 47 bytes.
  constexpr Metric named(std::string_view name) const {
    Metric result = *this;
    if (name.empty() || name.size() >= own_name_.size()) refuse_name(name);
    for (std::size_t i = 0; i < name.size(); ++i) result.own_name_[i] = name[i];
    result.own_size_ = name.size();
    return result;
  }
  /// Numbers of a sample that it compares with the truth; 0 before resolve().
  constexpr Index outputs() const noexcept { return outputs_; }

 private:
  friend class MetricState;
  friend Metric parse_metric(std::string_view name);
  friend Metric resolve(const Metric& metric, const Loss& loss, Index n);

  [[noreturn]] static void refuse_name(std::string_view name);

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
  std::array<char, 48> own_name_{};
  std::size_t own_size_ = 0;
  Index outputs_ = 0;
};

/// The metric of a name (or class name) that is known only at run time; a loss's name will do.
/// Throws: Error (value) that lists the names.
Metric parse_metric(std::string_view name);

/// Throws: Error (value) for options outside their range.
void check(const Metric& metric);

/// Whether the metric reads one label a sample, rather than n numbers.
bool reads_labels(const Metric& metric) noexcept;

/// What a metric means beside a loss and predictions whose last axis is n: "accuracy" becomes the
/// kind that fits, as in Keras, and keeps its name. Where the loss predicts distributions, metrics
/// other than that loss see the locations.
/// Throws: Error (value) for one that cannot read the loss's targets.
Metric resolve(const Metric& metric, const Loss& loss, Index n);

// --- what a metric has seen ---

/// Doubles in the state; they begin as zeros. Requires: a resolved metric.
Index metric_state_size(const Metric& metric) noexcept;

/// Adds some samples to the state. Shapes: y_pred (samples, n), of which the metric compares the
/// first metric.outputs() of each sample; y_true (samples, outputs) or (samples) labels;
/// sample_weight (samples), or null.
/// Throws: Error (unsupported) for an axis other than the last.
/// Threads: any part of a batch may be seen by itself. Allocates nothing.
template <class T>
void metric_update(const Metric& metric, Index samples, Index n, const T* y_true, const T* y_pred,
                   const T* sample_weight, std::span<double> state);

/// Adds what another part of the batch has seen.
void metric_add(std::span<double> into, std::span<const double> from) noexcept;

/// The metric's value; 0 where nothing was seen. Of a metric with several values: their mean.
/// Allocates nothing.
double metric_result(const Metric& metric, std::span<const double> state);
/// All its values: one a threshold, a class or an output where the options ask for that; else one.
std::vector<double> metric_values(const Metric& metric, std::span<const double> state);

/// A metric together with what it has seen, as Keras's metric objects are: for use outside a model.
class MetricState {
 public:
  /// Throws: Error (value) for options outside their range.
  explicit MetricState(const Metric& metric);

  /// Adds samples. Shapes: y_pred (..., n), or (rows) for n = 1; y_true the same, or labels without
  /// the last axis; sample_weight one a row or one a sample, or, for metrics that look at each
  /// number by itself, of y_pred's shape. Computes in y_pred's precision (float32 for others).
  /// Throws: Error (shape) where they do not fit.
  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight = {});
  double result() const;
  std::vector<double> values() const;
  /// Forgets all.
  void reset();

  const Metric& metric() const noexcept { return metric_; }

 private:
  template <class T>
  void add(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight);

  Metric metric_;
  std::vector<double> state_;
};

}  // namespace unroll
