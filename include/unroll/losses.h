// Losses: how far predictions are from the truth, one number a sample, and its gradient.
//
//   model.compile({.loss = "mse"});                              // checked when it is compiled
//   model.compile({.loss = Huber{.delta = 0.5}});
//   model.compile({.loss = parse_loss(text)});                   // checked when it runs
//
// Names, options, defaults and numbers are Keras's. A sample is everything but the last axis: with
// predictions (batch, time, n) there are batch * time samples of n numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
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
  Reduction reduction = {};

  static constexpr std::string_view class_name = "CosineSimilarity";
  static constexpr std::array<std::string_view, 1> names{"cosine_similarity"};
  template <class D>
  void describe(D& d) {
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
  Reduction reduction = {};

  static constexpr std::string_view class_name = "BinaryCrossentropy";
  static constexpr std::array<std::string_view, 3> names{"binary_crossentropy", "bce", "BCE"};
  template <class D>
  void describe(D& d) {
    d.field("from_logits", from_logits);
    d.field("label_smoothing", label_smoothing);
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
    d.field("reduction", reduction);
  }
};

/// -sum y log p, p divided by its sum and clipped to [1e-7, 1 - 1e-7], or, with from_logits, what a
/// softmax would make probabilities of. label_smoothing moves y towards 1 / n.
struct CategoricalCrossentropy {
  bool from_logits = false;
  double label_smoothing = 0;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "CategoricalCrossentropy";
  static constexpr std::array<std::string_view, 1> names{"categorical_crossentropy"};
  template <class D>
  void describe(D& d) {
    d.field("from_logits", from_logits);
    d.field("label_smoothing", label_smoothing);
    d.field("reduction", reduction);
  }
};

/// -sum alpha (1 - p)^gamma y log p
struct CategoricalFocalCrossentropy {
  double alpha = 0.25;
  double gamma = 2;
  bool from_logits = false;
  double label_smoothing = 0;
  Reduction reduction = {};

  static constexpr std::string_view class_name = "CategoricalFocalCrossentropy";
  static constexpr std::array<std::string_view, 1> names{"categorical_focal_crossentropy"};
  template <class D>
  void describe(D& d) {
    d.field("alpha", alpha);
    d.field("gamma", gamma);
    d.field("from_logits", from_logits);
    d.field("label_smoothing", label_smoothing);
    d.field("reduction", reduction);
  }
};

/// CategoricalCrossentropy for truths that are labels 0 .. n - 1, one a sample. Samples whose label
/// is ignore_class count as masked.
struct SparseCategoricalCrossentropy {
  bool from_logits = false;
  std::optional<Index> ignore_class = {};
  Reduction reduction = {};

  static constexpr std::string_view class_name = "SparseCategoricalCrossentropy";
  static constexpr std::array<std::string_view, 1> names{"sparse_categorical_crossentropy"};
  template <class D>
  void describe(D& d) {
    d.field("from_logits", from_logits);
    d.field("ignore_class", ignore_class);
    d.field("reduction", reduction);
  }
};

/// Connectionist temporal classification: minus the log probability of all paths that read as the
/// labels. p is (batch, time, n) logits, all of whose steps count; class 0 is the blank. y is
/// (batch, length) labels, padded with 0 at the end. A row that cannot be read in so few steps is
/// infinite. Source: Graves et al., 2006.
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
                 MeanSquaredLogarithmicError, Huber, LogCosh, Quantile, Poisson, KLDivergence,
                 CosineSimilarity, Hinge, SquaredHinge, CategoricalHinge, BinaryCrossentropy,
                 BinaryFocalCrossentropy, CategoricalCrossentropy, CategoricalFocalCrossentropy,
                 SparseCategoricalCrossentropy, CTC>;

namespace detail {

/// Whether T is one of the types of a variant.
template <class T, class Variant>
inline constexpr bool is_option = false;
template <class T, class... Options>
inline constexpr bool is_option<T, std::variant<Options...>> = (std::is_same_v<T, Options> || ...);

/// The option struct of a name, with its defaults; also the spelling of the name that lasts.
template <class Variant, std::size_t I = 0>
constexpr std::optional<std::pair<Variant, std::string_view>> find_option(std::string_view wanted) {
  if constexpr (I < std::variant_size_v<Variant>) {
    using Option = std::variant_alternative_t<I, Variant>;
    if constexpr (requires { Option::names; }) {
      for (const std::string_view name : Option::names) {
        if (name == wanted) return std::pair<Variant, std::string_view>(Option{}, name);
      }
    }
    return find_option<Variant, I + 1>(wanted);
  } else {
    return std::nullopt;
  }
}

}  // namespace detail

/// A loss: a plain value, made from a name that the compiler checks or from options.
class Loss {
 public:
  template <class Option>
  requires detail::is_option<Option, LossOptions>
  constexpr Loss(const Option& options) : options_(options) {}
  /// Does not compile for a name that no loss has.
  consteval Loss(const char* name) : options_(find(name)) {}

  constexpr const LossOptions& options() const noexcept { return options_; }
  constexpr LossOptions& options() noexcept { return options_; }
  /// "mean_squared_error", and "MeanSquaredError".
  constexpr std::string_view name() const noexcept {
    return std::visit([](const auto& option) { return option.names[0]; }, options_);
  }
  constexpr std::string_view class_name() const noexcept {
    return std::visit([](const auto& option) { return option.class_name; }, options_);
  }
  constexpr ReductionKind reduction() const noexcept {
    return std::visit([](const auto& option) { return option.reduction.kind(); }, options_);
  }

 private:
  static consteval LossOptions find(std::string_view wanted) {
    const auto found = detail::find_option<LossOptions>(wanted);
    if (!found) throw "no loss has this name; unroll/losses.h lists them";
    return found->first;
  }

  LossOptions options_;
};

/// The loss of a name (or class name) that is known only at run time.
/// Throws: Error (value) that lists the names.
Loss parse_loss(std::string_view name);

// --- values and gradients, for float and double ---

/// Whether the truth is one label a sample, rather than n numbers.
bool takes_labels(const Loss& loss) noexcept;
/// How many numbers the truth of a sample has whose prediction has n. For CTC: 1, see ctc_values.
Index target_size(const Loss& loss, Index n) noexcept;

/// values (samples): one loss a sample.
/// Shapes: y_pred (samples, n); y_true the same, or (samples) labels.
/// Throws: Error (value) for a label outside 0 .. n - 1; Error (unsupported) for CTC.
/// Threads: any rows of a batch may be computed by themselves. Allocates nothing.
template <class T>
void loss_values(const Loss& loss, Index samples, Index n, const T* y_true, const T* y_pred,
                 T* values);
/// dpred (samples, n) += dvalues[s] * d values[s] / d y_pred.
template <class T>
void loss_gradient(const Loss& loss, Index samples, Index n, const T* y_true, const T* y_pred,
                   const T* dvalues, T* dpred);

/// CTC's values (batch) and gradients. Shapes: y_true (batch, length), y_pred (batch, time, n).
/// Needs ctc_scratch_size numbers of scratch.
Index ctc_scratch_size(Index time, Index n, Index length) noexcept;
template <class T>
void ctc_values(Index batch, Index time, Index n, Index length, const T* y_true, const T* y_pred,
                T* values, T* scratch);
template <class T>
void ctc_gradient(Index batch, Index time, Index n, Index length, const T* y_true, const T* y_pred,
                  const T* dvalues, T* dpred, T* scratch);

// --- reduction: what each sample's loss is multiplied by before all are added ---

/// What must be known of the whole batch. Count every part of it, add, then ask for scales.
struct LossCounts {
  double samples = 0;  ///< all
  double valid = 0;    ///< that no mask leaves out
  double weight = 0;   ///< sum of the sample weights, times the mask
  bool masked = false;

  void add(const LossCounts& other) noexcept {
    samples += other.samples;
    valid += other.valid;
    weight += other.weight;
    masked = masked || other.masked;
  }
};

/// Clears mask[s] where the loss itself leaves sample s out (ignore_class). Returns whether this
/// loss ever does; if so there is a mask, whether or not the predictions carry one.
template <class T>
bool loss_mask(const Loss& loss, Index samples, const T* y_true, std::uint8_t* mask);

/// Counts some samples. mask and sample_weight: (samples), or null.
template <class T>
LossCounts count_samples(Index samples, const std::uint8_t* mask, const T* sample_weight);

/// scales (samples): the batch's loss is the sum over all s of scales[s] * values[s]; for reduction
/// "none" the losses are scales[s] * values[s]. As in Keras masked samples weigh nothing, and the
/// mean is over the others: valid + 1e-7 of them.
template <class T>
void sample_scales(const Loss& loss, const LossCounts& batch, Index samples,
                   const std::uint8_t* mask, const T* sample_weight, T* scales);

}  // namespace unroll
