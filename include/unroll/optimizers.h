// Optimisers: from gradients to new weights.
//
//   model.compile({.optimizer = "adam"});                       // checked when it is compiled
//   model.compile({.optimizer = SGD{.learning_rate = 0.1, .momentum = 0.9, .clipnorm = 1}});
//   model.compile({.optimizer = parse_optimizer(text)});        // checked when it runs
//
// Names, order, defaults and formulas are Keras's. An optimiser is a plain value without memory:
// what it remembers of each weight lies in slots, flat vectors beside the flat vector of weights.
//
// Every optimiser also has
//   weight_decay      before the step w -= rate * weight_decay * w
//   clipnorm          each variable's gradient is scaled down to this length; only one of the three
//   clipvalue         each number of the gradient is cut to [-clipvalue, clipvalue]
//   global_clipnorm   all gradients together are scaled down to this length
//   use_ema           an average of the weights is kept, a = ema_momentum a + (1 - ema_momentum) w,
//                     after every batch: it replaces the weights every ema_overwrite_frequency
//                     steps, and in finalize()
//   gradient_accumulation_steps
//                     the weights move only every so many batches, along the mean of their
//                     gradients
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "unroll/losses.h"
#include "unroll/schedules.h"
#include "unroll/tensor.h"

namespace unroll {

// --- the optimisers: g is the gradient, w the weight, t the number of the step, 1 the first ---

/// w -= rate g, with momentum v = momentum v - rate g; w += v, and nesterov looks one step ahead.
struct SGD {
  LearningRate learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "SGD";
  static constexpr std::array<std::string_view, 1> names{"sgd"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("momentum", momentum);
    d.field("nesterov", nesterov);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// v = rho v + (1 - rho) g^2; w -= rate g / sqrt(v + epsilon). centered: v less the square of the
/// mean gradient. Source: Hinton's lecture 6e, 2012.
struct RMSprop {
  LearningRate learning_rate = 0.001;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  bool centered = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "RMSprop";
  static constexpr std::array<std::string_view, 1> names{"rmsprop"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("rho", rho);
    d.field("momentum", momentum);
    d.field("epsilon", epsilon);
    d.field("centered", centered);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// m and v are running means of g and g^2; w -= rate_t m / (sqrt(v) + epsilon) with
/// rate_t = rate sqrt(1 - beta_2^t) / (1 - beta_1^t). amsgrad: the largest v so far.
/// Source: Kingma and Ba, 2014; Reddi et al., 2018.
struct Adam {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "Adam";
  static constexpr std::array<std::string_view, 1> names{"adam"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("beta_1", beta_1);
    d.field("beta_2", beta_2);
    d.field("epsilon", epsilon);
    d.field("amsgrad", amsgrad);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// Adam with weight decay. Source: Loshchilov and Hutter, 2019.
struct AdamW {
  LearningRate learning_rate = 0.001;
  double weight_decay = 0.004;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  bool amsgrad = false;
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "AdamW";
  static constexpr std::array<std::string_view, 1> names{"adamw"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("weight_decay", weight_decay);
    d.field("beta_1", beta_1);
    d.field("beta_2", beta_2);
    d.field("epsilon", epsilon);
    d.field("amsgrad", amsgrad);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// Adam with u = max(beta_2 u, |g|) in the place of sqrt(v).
struct Adamax {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "Adamax";
  static constexpr std::array<std::string_view, 1> names{"adamax"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("beta_1", beta_1);
    d.field("beta_2", beta_2);
    d.field("epsilon", epsilon);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// Adam with Nesterov's momentum. Source: Dozat, 2015.
struct Nadam {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "Nadam";
  static constexpr std::array<std::string_view, 1> names{"nadam"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("beta_1", beta_1);
    d.field("beta_2", beta_2);
    d.field("epsilon", epsilon);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// a += g^2; w -= rate g / sqrt(a + epsilon). Source: Duchi et al., 2011.
struct Adagrad {
  LearningRate learning_rate = 0.001;
  double initial_accumulator_value = 0.1;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "Adagrad";
  static constexpr std::array<std::string_view, 1> names{"adagrad"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("initial_accumulator_value", initial_accumulator_value);
    d.field("epsilon", epsilon);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// Steps as long as earlier steps were, by running means of g^2 and of the squared steps.
/// Source: Zeiler, 2012.
struct Adadelta {
  LearningRate learning_rate = 0.001;
  double rho = 0.95;
  double epsilon = 1e-7;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "Adadelta";
  static constexpr std::array<std::string_view, 1> names{"adadelta"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("rho", rho);
    d.field("epsilon", epsilon);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// Follow the regularised leader: with l1 weights become exactly 0. Source: McMahan et al., 2013.
struct Ftrl {
  LearningRate learning_rate = 0.001;
  double learning_rate_power = -0.5;
  double initial_accumulator_value = 0.1;
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  double l2_shrinkage_regularization_strength = 0;
  double beta = 0;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "Ftrl";
  static constexpr std::array<std::string_view, 1> names{"ftrl"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("learning_rate_power", learning_rate_power);
    d.field("initial_accumulator_value", initial_accumulator_value);
    d.field("l1_regularization_strength", l1_regularization_strength);
    d.field("l2_regularization_strength", l2_regularization_strength);
    d.field("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength);
    d.field("beta", beta);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

/// w -= rate sign(beta_1 m + (1 - beta_1) g). Source: Chen et al., 2023.
struct Lion {
  LearningRate learning_rate = 0.001;
  double beta_1 = 0.9;
  double beta_2 = 0.99;
  std::optional<double> weight_decay = {};
  std::optional<double> clipnorm = {}, clipvalue = {}, global_clipnorm = {};
  bool use_ema = false;
  double ema_momentum = 0.99;
  std::optional<Index> ema_overwrite_frequency = {};
  std::optional<Index> gradient_accumulation_steps = {};

  static constexpr std::string_view class_name = "Lion";
  static constexpr std::array<std::string_view, 1> names{"lion"};
  template <class D>
  void describe(D& d) {
    d.field("learning_rate", learning_rate);
    d.field("beta_1", beta_1);
    d.field("beta_2", beta_2);
    d.field("weight_decay", weight_decay);
    d.field("clipnorm", clipnorm);
    d.field("clipvalue", clipvalue);
    d.field("global_clipnorm", global_clipnorm);
    d.field("use_ema", use_ema);
    d.field("ema_momentum", ema_momentum);
    d.field("ema_overwrite_frequency", ema_overwrite_frequency);
    d.field("gradient_accumulation_steps", gradient_accumulation_steps);
  }
};

using OptimizerOptions =
    std::variant<SGD, RMSprop, Adam, AdamW, Adamax, Nadam, Adagrad, Adadelta, Ftrl, Lion>;

/// An optimiser: a plain value, made from a name that the compiler checks or from options.
class Optimizer {
 public:
  template <class Option>
  requires detail::is_option<Option, OptimizerOptions>
  constexpr Optimizer(const Option& options) : options_(options) {}
  /// Does not compile for a name that no optimiser has.
  consteval Optimizer(const char* name) : options_(find(name)) {}

  constexpr const OptimizerOptions& options() const noexcept { return options_; }
  constexpr OptimizerOptions& options() noexcept { return options_; }
  /// "adam", and "Adam".
  constexpr std::string_view name() const noexcept {
    return std::visit([](const auto& option) { return option.names[0]; }, options_);
  }
  constexpr std::string_view class_name() const noexcept {
    return std::visit([](const auto& option) { return option.class_name; }, options_);
  }
  constexpr const LearningRate& learning_rate() const noexcept {
    return std::visit(
        [](const auto& option) -> const LearningRate& { return option.learning_rate; }, options_);
  }
  constexpr void set_learning_rate(const LearningRate& rate) noexcept {
    std::visit([&](auto& option) { option.learning_rate = rate; }, options_);
  }

 private:
  static consteval OptimizerOptions find(std::string_view wanted) {
    const auto found = detail::find_option<OptimizerOptions>(wanted);
    if (!found) throw "no optimizer has this name; unroll/optimizers.h lists them";
    return found->first;
  }

  OptimizerOptions options_;
};

/// The optimiser of a name (or class name) that is known only at run time.
/// Throws: Error (value) that lists the names.
Optimizer parse_optimizer(std::string_view name);

/// Throws: Error (value) for options outside their range, or two kinds of clipping at once.
void check(const Optimizer& optimizer);

// --- one step over any part of the flat vectors, for float and double ---

/// Keras's names of the slots, "momentum", "velocity"; then "gradient_accumulator" where gradients
/// are gathered; the average of use_ema is the last.
std::vector<std::string_view> slot_names(const Optimizer& optimizer);
Index slot_count(const Optimizer& optimizer) noexcept;
/// Numbers that Keras counts as the optimiser's: the slots, the step and a constant learning rate.
Index optimizer_size(const Optimizer& optimizer, Index parameters) noexcept;
/// Fills the slots with what they hold before the first step.
/// Requires: slot_count tensors of float32 or float64.
void initialize_slots(const Optimizer& optimizer, std::span<Tensor> slots);

/// Step number `iteration` (1 is the first) of n weights: w and slots change, g is read. A
/// schedule's steps are batches. Requires: `slots` points to slot_count rows of n. Threads: any
/// parts by any thread; the cut does not show in the bits. Allocates nothing.
template <class T>
void apply(const Optimizer& optimizer, Index iteration, Index n, const T* g, T* w,
           std::span<T* const> slots);

/// Batches whose gradients make one step; 1 unless gradient_accumulation_steps says more.
Index batches_per_step(const Optimizer& optimizer) noexcept;
/// Gathers the gradient of batch number `batch` (1 is the first), n numbers of it: returns whether
/// a step is due, for which g has become the mean of the gathered gradients; to be clipped after
/// that, and applied as step batch / batches_per_step. With 1 batch a step it does nothing and
/// returns true. Requires: `slots` as apply.
template <class T>
bool accumulate(const Optimizer& optimizer, Index batch, Index n, T* g, std::span<T* const> slots);

/// Moves the average of the weights, if use_ema keeps one, after a batch whose gradient was only
/// gathered; apply() does so itself. Requires: as accumulate.
template <class T>
void average(const Optimizer& optimizer, Index batch, Index n, T* w, std::span<T* const> slots);

/// Replaces the weights by their average, if use_ema keeps one: for the end of a training.
template <class T>
void finalize(const Optimizer& optimizer, Index n, T* w, std::span<T* const> slots);

// --- clipping, before the step ---

/// Whether the optimiser clips at all.
bool clips(const Optimizer& optimizer) noexcept;

/// The gradient of one variable.
template <class T>
struct GradientRange {
  T* data = nullptr;
  Index size = 0;
};

/// Clips all gradients of a step. Lengths are added in pieces of a fixed size: same bits always.
template <class T>
void clip(const Optimizer& optimizer, std::span<const GradientRange<T>> variables);

}  // namespace unroll
