// The options of each loss, with Keras's names, order and defaults; unroll/losses.h is what takes
// them.
//
// A sample is everything but the last axis: with predictions (batch, time, n) there are batch *
// time samples of n numbers. With .axis another axis is meant than the last; a model wants the
// last, evaluate_loss() takes any.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "unroll/index.h"

namespace unroll {

// --- from one number a sample to one number ---

enum class ReductionKind { sum_over_batch_size, sum, mean, mean_with_sample_weight, none };

inline constexpr std::array<std::pair<std::string_view, ReductionKind>, 5> reduction_names{{
    {"sum_over_batch_size", ReductionKind::sum_over_batch_size},
    {"sum", ReductionKind::sum},
    {"mean", ReductionKind::mean},
    {"mean_with_sample_weight", ReductionKind::mean_with_sample_weight},
    {"none", ReductionKind::none},
}};

/// What becomes of the samples' losses, named by a literal that the compiler checks.
class Reduction {
 public:
  constexpr Reduction(ReductionKind kind = ReductionKind::sum_over_batch_size) noexcept
      : kind_(kind) {}
  consteval Reduction(const char* name) : kind_(find(name)) {}

  constexpr ReductionKind kind() const noexcept { return kind_; }
  constexpr std::string_view name() const noexcept {
    return reduction_names[static_cast<std::size_t>(kind_)].first;
  }
  friend constexpr bool operator==(Reduction, Reduction) noexcept = default;

 private:
  static consteval ReductionKind find(std::string_view wanted) {
    for (const auto& [name, kind] : reduction_names) {
      if (name == wanted) return kind;
    }
    throw "no reduction has this name; reduction_names in unroll/losses.h lists them";
  }

  ReductionKind kind_;
};

/// Throws: Error (value) that lists the names.
Reduction parse_reduction(std::string_view name);

// --- the losses: y is the truth, p the prediction, n the numbers of a sample ---

/// mean (y - p)^2
struct MeanSquaredError {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "MeanSquaredError";
  static constexpr std::array<std::string_view, 3> names{"mean_squared_error", "mse", "MSE"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// mean |y - p|
struct MeanAbsoluteError {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "MeanAbsoluteError";
  static constexpr std::array<std::string_view, 3> names{"mean_absolute_error", "mae", "MAE"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// 100 mean |y - p| / max(|y|, 1e-7), in per cent
struct MeanAbsolutePercentageError {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "MeanAbsolutePercentageError";
  static constexpr std::array<std::string_view, 3> names{"mean_absolute_percentage_error", "mape",
                                                         "MAPE"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// mean (log(1 + y) - log(1 + p))^2, both at least 1e-7
struct MeanSquaredLogarithmicError {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "MeanSquaredLogarithmicError";
  static constexpr std::array<std::string_view, 3> names{"mean_squared_logarithmic_error", "msle",
                                                         "MSLE"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// mean of e^2 / 2 where |e| <= delta, delta |e| - delta^2 / 2 beyond; e = p - y.
struct Huber {
  double delta = 1;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "Huber";
  static constexpr std::array<std::string_view, 1> names{"huber"};
  template <class D>
  void describe(D& d) {
    d.field("delta", delta);
    d.field("reduction", reduction);
  }
};

/// mean log(cosh(p - y))
struct LogCosh {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "LogCosh";
  static constexpr std::array<std::string_view, 2> names{"log_cosh", "logcosh"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// mean of quantile * (y - p) where y > p, (1 - quantile) * (p - y) elsewhere: its minimum is the
/// quantile of y. Not in Keras. Source: Koenker and Bassett, 1978.
struct Quantile {
  double quantile = 0.5;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "Quantile";
  static constexpr std::array<std::string_view, 2> names{"quantile", "pinball"};
  template <class D>
  void describe(D& d) {
    d.field("quantile", quantile);
    d.field("reduction", reduction);
  }
};

/// 200 mean |y - p| / (|y| + |p|), in per cent; 0 where both are 0. Not in Keras.
/// Source: Makridakis, 1993.
struct SymmetricMeanAbsolutePercentageError {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "SymmetricMeanAbsolutePercentageError";
  static constexpr std::array<std::string_view, 3> names{"symmetric_mean_absolute_percentage_error",
                                                         "smape", "sMAPE"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// mean |y - p| / scale. With the scale that naive_scale() gives for the part of a series that was
/// trained on, 1 is as good as repeating the last value (or season). Not in Keras.
/// Source: Hyndman and Koehler, 2006.
struct MeanAbsoluteScaledError {
  double scale = 1;  ///< above 0; in the units of y
  Reduction reduction = {};

  static constexpr std::string_view class_name = "MeanAbsoluteScaledError";
  static constexpr std::array<std::string_view, 3> names{"mean_absolute_scaled_error", "mase",
                                                         "MASE"};
  template <class D>
  void describe(D& d) {
    d.field("scale", scale);
    d.field("reduction", reduction);
  }
};

/// Minus the mean log density of y under normal distributions that the model predicts:
/// (log(2 pi) + s + (y - m)^2 / e^s) / 2. p has 2 n numbers for n of y: the n means m, then the n
/// log variances s; Dense(2 * n) gives them. Other metrics of such an output see the means.
/// Not in Keras. Source: Nix and Weigend, 1994.
struct GaussianNegativeLogLikelihood {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "GaussianNegativeLogLikelihood";
  static constexpr std::array<std::string_view, 2> names{"gaussian_negative_log_likelihood",
                                                         "gaussian_nll"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// The same under Student's t distributions, which forgive outliers: p has the n locations, then
/// the n logs of their scales. Not in Keras. Source: Lange, Little and Taylor, 1989.
struct StudentTNegativeLogLikelihood {
  double degrees_of_freedom = 4;  ///< above 0; the larger, the nearer to normal
  Reduction reduction = {};

  static constexpr std::string_view class_name = "StudentTNegativeLogLikelihood";
  static constexpr std::array<std::string_view, 2> names{"student_t_negative_log_likelihood",
                                                         "student_t_nll"};
  template <class D>
  void describe(D& d) {
    d.field("degrees_of_freedom", degrees_of_freedom);
    d.field("reduction", reduction);
  }
};

/// mean (p - y log(p + 1e-7))
struct Poisson {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "Poisson";
  static constexpr std::array<std::string_view, 1> names{"poisson"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// sum y log(y / p), both within [1e-7, 1]
struct KLDivergence {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "KLDivergence";
  static constexpr std::array<std::string_view, 3> names{"kl_divergence", "kld", "KLD"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// minus the cosine of the angle between y and p
struct CosineSimilarity {
  Index axis = -1;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "CosineSimilarity";
  static constexpr std::array<std::string_view, 1> names{"cosine_similarity"};
  template <class D>
  void describe(D& d) {
    d.field("axis", axis);
    d.field("reduction", reduction);
  }
};

/// mean max(1 - y p, 0). Labels that are all 0 or 1 are read as -1 and 1; so in SquaredHinge.
struct Hinge {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "Hinge";
  static constexpr std::array<std::string_view, 1> names{"hinge"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// mean max(1 - y p, 0)^2
struct SquaredHinge {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "SquaredHinge";
  static constexpr std::array<std::string_view, 1> names{"squared_hinge"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// max(1 + max((1 - y) p) - sum y p, 0), y one-hot
struct CategoricalHinge {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "CategoricalHinge";
  static constexpr std::array<std::string_view, 1> names{"categorical_hinge"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

/// mean of -y log p - (1 - y) log(1 - p). p is a probability, clipped to [1e-7, 1 - 1e-7], or, with
/// from_logits, what a sigmoid would make one of. label_smoothing moves y towards 1/2.
struct BinaryCrossentropy {
  bool from_logits = false;
  double label_smoothing = 0;
  Index axis = -1;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "BinaryCrossentropy";
  static constexpr std::array<std::string_view, 3> names{"binary_crossentropy", "bce", "BCE"};
  template <class D>
  void describe(D& d) {
    d.field("from_logits", from_logits);
    d.field("label_smoothing", label_smoothing);
    d.field("axis", axis);
    d.field("reduction", reduction);
  }
};

/// BinaryCrossentropy times (1 - q)^gamma, q the probability of what is true; with
/// apply_class_balancing times alpha where y is 1 and 1 - alpha where it is 0.
/// Source: Lin et al., 2017.
struct BinaryFocalCrossentropy {
  bool apply_class_balancing = false;
  double alpha = 0.25;
  double gamma = 2;
  bool from_logits = false;
  double label_smoothing = 0;
  Index axis = -1;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "BinaryFocalCrossentropy";
  static constexpr std::array<std::string_view, 1> names{"binary_focal_crossentropy"};
  template <class D>
  void describe(D& d) {
    d.field("apply_class_balancing", apply_class_balancing);
    d.field("alpha", alpha);
    d.field("gamma", gamma);
    d.field("from_logits", from_logits);
    d.field("label_smoothing", label_smoothing);
    d.field("axis", axis);
    d.field("reduction", reduction);
  }
};

/// -sum y log p, p divided by its sum and clipped to [1e-7, 1 - 1e-7], or, with from_logits, what a
/// softmax would make probabilities of. label_smoothing moves y towards 1 / n.
struct CategoricalCrossentropy {
  bool from_logits = false;
  double label_smoothing = 0;
  Index axis = -1;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "CategoricalCrossentropy";
  static constexpr std::array<std::string_view, 1> names{"categorical_crossentropy"};
  template <class D>
  void describe(D& d) {
    d.field("from_logits", from_logits);
    d.field("label_smoothing", label_smoothing);
    d.field("axis", axis);
    d.field("reduction", reduction);
  }
};

/// -sum alpha (1 - p)^gamma y log p
struct CategoricalFocalCrossentropy {
  double alpha = 0.25;
  double gamma = 2;
  bool from_logits = false;
  double label_smoothing = 0;
  Index axis = -1;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "CategoricalFocalCrossentropy";
  static constexpr std::array<std::string_view, 1> names{"categorical_focal_crossentropy"};
  template <class D>
  void describe(D& d) {
    d.field("alpha", alpha);
    d.field("gamma", gamma);
    d.field("from_logits", from_logits);
    d.field("label_smoothing", label_smoothing);
    d.field("axis", axis);
    d.field("reduction", reduction);
  }
};

/// CategoricalCrossentropy for truths that are labels 0 .. n - 1, one a sample. Samples whose label
/// is ignore_class count as masked. label_smoothing moves the truth towards 1 / n; Keras does not
/// have it here.
struct SparseCategoricalCrossentropy {
  bool from_logits = false;
  std::optional<Index> ignore_class = {};
  Index axis = -1;
  Reduction reduction = {};
  double label_smoothing = 0;

  static constexpr std::string_view class_name = "SparseCategoricalCrossentropy";
  static constexpr std::array<std::string_view, 1> names{"sparse_categorical_crossentropy"};
  template <class D>
  void describe(D& d) {
    d.field("from_logits", from_logits);
    d.field("ignore_class", ignore_class);
    d.field("axis", axis);
    d.field("reduction", reduction);
    d.field("label_smoothing", label_smoothing);
  }
};

/// Connectionist temporal classification: minus the log probability of all paths that read as the
/// labels. p is (batch, time, n) logits; steps that a mask leaves out are not there. Class 0 is the
/// blank. y is (batch, length) labels, padded with 0 at the end. A row that cannot be read in so
/// few steps is infinite. Decoding: unroll/ctc.h. Source: Graves et al., 2006.
struct CTC {
  Reduction reduction = {};

  static constexpr std::string_view class_name = "CTC";
  static constexpr std::array<std::string_view, 1> names{"ctc"};
  template <class D>
  void describe(D& d) {
    d.field("reduction", reduction);
  }
};

using LossOptions =
    std::variant<MeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError,
                 MeanSquaredLogarithmicError, Huber, LogCosh, Quantile,
                 SymmetricMeanAbsolutePercentageError, MeanAbsoluteScaledError,
                 GaussianNegativeLogLikelihood, StudentTNegativeLogLikelihood, Poisson,
                 KLDivergence, CosineSimilarity, Hinge, SquaredHinge, CategoricalHinge,
                 BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy,
                 CategoricalFocalCrossentropy, SparseCategoricalCrossentropy, CTC>;

}  // namespace unroll
