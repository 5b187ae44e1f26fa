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
#include "unroll/loss_options.h"
#include "unroll/tensor.h"

namespace unroll {

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

/// Throws: Error (value) for options outside their range.
void check(const Loss& loss);

/// Whether the truth is one label a sample, rather than n numbers.
bool takes_labels(const Loss& loss) noexcept;
/// Whether the predictions are parameters of distributions: the locations, then as many others.
bool predicts_distributions(const Loss& loss) noexcept;
/// How many numbers the truth of a sample has whose prediction has n. For CTC: 1, see ctc_values.
Index target_size(const Loss& loss, Index n) noexcept;

/// values (samples): one loss a sample.
/// Shapes: y_pred (samples, n); y_true (samples, target_size).
/// Throws: Error (value) for a label outside 0 .. n - 1; Error (shape) for distributions of an odd
/// n; Error (unsupported) for CTC and for an axis other than the last.
/// Threads: any rows of a batch may be computed by themselves. Allocates nothing.
template <class T>
void loss_values(const Loss& loss, Index samples, Index n, const T* y_true, const T* y_pred,
                 T* values);
/// dpred (samples, n) += dvalues[s] * d values[s] / d y_pred.
template <class T>
void loss_gradient(const Loss& loss, Index samples, Index n, const T* y_true, const T* y_pred,
                   const T* dvalues, T* dpred);

/// The sequences that CTC reads, and how they lie in memory. Strides are in numbers, so that both
/// (batch, time, n) and (time, batch, n) will do.
template <class T>
struct CtcBatch {
  Index rows = 0, steps = 0, n = 0;
  const T* y_pred =
      nullptr;  ///< logits; step t of row r begins at r * row_stride + t * step_stride
  Index row_stride = 0, step_stride = 0;
  Index length = 0;           ///< labels a row, padding included
  const T* y_true = nullptr;  ///< (rows, length)
  /// Null: every step counts. Else that of row r and step t is at r * mask_row + t * mask_step;
  /// what it leaves out might as well not be there.
  const std::uint8_t* mask = nullptr;
  Index mask_row = 0, mask_step = 0;

  /// The usual order, (rows, steps, n).
  static CtcBatch row_by_row(Index rows, Index steps, Index n, const T* y_pred, Index length,
                             const T* y_true, const std::uint8_t* mask = nullptr) {
    return {rows, steps, n, y_pred, steps * n, n, length, y_true, mask, steps, 1};
  }
};
/// Numbers of scratch that ctc_values and ctc_gradient need, for any number of rows.
Index ctc_scratch_size(Index steps, Index n, Index length) noexcept;
/// values (rows). Throws: Error (value) for a label that names no class.
template <class T>
void ctc_values(const CtcBatch<T>& batch, T* values, T* scratch);
/// dpred, which lies as y_pred does, += dvalues[r] * d values[r] / d y_pred. A row whose value is
/// infinite has no gradient.
template <class T>
void ctc_gradient(const CtcBatch<T>& batch, const T* dvalues, T* dpred, T* scratch);

/// The mean |y_t - y_(t - season)| of a series: what MeanAbsoluteScaledError divides by.
/// Throws: Error (value) for a season below 1 or no shorter than the series, or a mean of 0.
double naive_scale(std::span<const double> series, Index season = 1);

// --- a loss of whole tensors, outside a model ---

struct LossInputs {
  Tensor y_true;              ///< as y_pred; labels without the last axis, or with one of size 1
  Tensor y_pred;              ///< float32 or float64, which the loss is computed in
  Tensor sample_weight = {};  ///< one a row or one a sample; empty: all 1
  Tensor mask = {};           ///< one a sample; empty: all count. For CTC (batch, time)
};
struct LossResult {
  double value = 0;  ///< the reduced loss; for "none" the sum
  Tensor values;     ///< of the samples: each one's share of `value`
  Tensor gradient;   ///< of `value` by y_pred
};
/// As calling Keras's loss object. Throws: Error (shape) where the tensors do not fit.
LossResult evaluate_loss(const Loss& loss, const LossInputs& inputs);

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
/// mean is over the others.
template <class T>
void sample_scales(const Loss& loss, const LossCounts& batch, Index samples,
                   const std::uint8_t* mask, const T* sample_weight, T* scales);

}  // namespace unroll
