// Callbacks: what follows a fit, steers it and may end it.
//
//   model.fit(x, y, {.epochs = 100,
//                    .callbacks = {early_stopping({.patience = 5, .restore_best_weights = true}),
//                                  reduce_lr_on_plateau({.factor = 0.5, .patience = 2})},
//                    .validation_split = 0.2});
//
// Names, order, defaults and rules are Keras's. Those that write files, checkpoints and logs, are
// in unroll/checkpoints.h and unroll/loggers.h. Each remembers what it needs when a fit goes on in
// another process (backup_and_restore). To write one, derive from Callback (unroll/model.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/error.h"
#include "unroll/model.h"
#include "unroll/record.h"

namespace unroll {

// --- which value is watched ---

enum class MonitorModeKind { auto_, min, max };
/// Whether low or high values are good: "auto" (by the metric), "min", "max".
using MonitorMode = Choice<MonitorModeKind, 3>;
template <>
inline constexpr std::array<std::string_view, 3> MonitorMode::names{"auto", "min", "max"};

/// A value of the logs, and what is better.
class Monitor {
 public:
  /// `who` is the callback, for refusals.
  Monitor(std::string_view who, std::string name, MonitorMode mode, double min_delta = 0);

  /// Settles "auto". Throws: Error (value) where the metric does not say what is better.
  void begin(const Model& model);
  /// None where this epoch has no such value: it was not validated.
  /// Throws: Error (value) that lists the names, where no epoch will have it.
  std::optional<double> read(const Model& model, const Logs& logs) const;
  /// Whether a value is better by more than min_delta. NaN never is.
  bool better(double value, double than) const noexcept;
  /// Worse than every number. Requires: begin().
  double worst() const noexcept;
  const std::string& name() const noexcept { return name_; }

 private:
  Error missing(const std::vector<std::string>& names) const;

  std::string who_, name_;
  MonitorMode mode_;
  double min_delta_;
  bool high_ = false;
};

// --- the callbacks ---

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  double min_delta = 0;
  Index patience = 0;
  MonitorMode mode = "auto";
  std::optional<double> baseline = {};  ///< what has to be beaten for patience to begin anew
  bool restore_best_weights = false;
  Index start_from_epoch = 0;
};
/// Ends fit when a value has not become better for `patience` epochs. Epochs without it, which were
/// interrupted or not validated, do not count.
/// Throws: Error (value) for a negative patience, min_delta or start_from_epoch; in fit: Error
///   (value) where no epoch has such a value.
class EarlyStopping : public Callback {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});
  void on_train_begin(Model& model) override;
  void on_epoch_end(Model& model, Index epoch, const Logs& logs) override;
  void on_train_end(Model& model) override;
  void save(Record& record) const override;
  void load(const Record& record) override;

  /// The epoch with the best value, from 0; -1 before the first, and whether fit was ended here.
  Index best_epoch() const noexcept { return best_epoch_; }
  double best() const noexcept { return best_; }
  bool stopped() const noexcept { return stopped_; }

 private:
  EarlyStoppingOptions options_;
  Monitor monitor_;
  double best_ = 0;
  Index best_epoch_ = -1, waited_ = 0;
  bool stopped_ = false;
  std::vector<Tensor> weights_;
};

struct ReduceLROnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;
  Index patience = 10;
  MonitorMode mode = "auto";
  double min_delta = 1e-4;
  Index cooldown = 0;  ///< epochs after a reduction that do not count
  double min_lr = 0;
};
/// Multiplies the learning rate by `factor` when a value has not become better for `patience`
/// epochs. Adds "learning_rate" to the history.
/// Throws: Error (value) for a factor that is not within 0 and 1 and for negative numbers; in fit:
///   Error (value) where a schedule says the rate, or no epoch has such a value.
class ReduceLROnPlateau : public Callback {
 public:
  explicit ReduceLROnPlateau(const ReduceLROnPlateauOptions& options = {});
  void on_train_begin(Model& model) override;
  void add_logs(Model& model, Index epoch, Logs& logs) override;
  void on_epoch_end(Model& model, Index epoch, const Logs& logs) override;
  void save(Record& record) const override;
  void load(const Record& record) override;

 private:
  ReduceLROnPlateauOptions options_;
  Monitor monitor_;
  double best_ = 0;
  Index waited_ = 0, cooling_ = 0;
};

/// Sets the learning rate of every epoch: a function of the epoch, from 0, and the rate so far.
/// Adds "learning_rate" to the history.
/// Throws in fit: Error (value) where a schedule says the rate, or for a rate that is no rate.
class LearningRateScheduler : public Callback {
 public:
  using Function = std::function<double(Index epoch, double rate)>;
  explicit LearningRateScheduler(Function function);
  void on_epoch_begin(Model& model, Index epoch) override;
  void add_logs(Model& model, Index epoch, Logs& logs) override;

 private:
  Function function_;
};

/// What TerminateOnNaN found.
struct NaNReport {
  Index epoch = 0, step = 0;  ///< from 0
  double loss = 0;            ///< the mean over the epoch so far
  std::string layer;          ///< "" where the data themselves are not finite
  std::string what;           ///< "output", "gradient of \"kernel\"", "input 0", ...
  /// One sentence.
  std::string to_string() const;
};
/// Ends fit at the first step whose loss or new weights are NaN or infinite, and says where it
/// began: the first layer in the order they run whose output was not finite, or else the layer
/// whose gradient was not. History::ended has the sentence. Costs one pass over the weights a step.
class TerminateOnNaN : public Callback {
 public:
  void on_train_begin(Model& model) override;
  void on_epoch_begin(Model& model, Index epoch) override;
  void on_train_batch_end(Model& model, Index step, const Logs& logs) override;
  void save(Record& record) const override;
  void load(const Record& record) override;

  const std::optional<NaNReport>& found() const noexcept { return found_; }

 private:
  Index epoch_ = 0;
  std::optional<NaNReport> found_;
};

/// Calls functions; empty ones are left out.
struct LambdaCallbackOptions {
  std::function<void(Model&, Index epoch)> on_epoch_begin = {};
  std::function<void(Model&, Index epoch, const Logs&)> on_epoch_end = {};
  std::function<void(Model&)> on_train_begin = {};
  std::function<void(Model&)> on_train_end = {};
  std::function<void(Model&, Index step)> on_train_batch_begin = {};
  std::function<void(Model&, Index step, const Logs&)> on_train_batch_end = {};
};
class LambdaCallback : public Callback {
 public:
  explicit LambdaCallback(LambdaCallbackOptions options) : options_(std::move(options)) {}
  void on_epoch_begin(Model& model, Index epoch) override;
  void on_epoch_end(Model& model, Index epoch, const Logs& logs) override;
  void on_train_begin(Model& model) override;
  void on_train_end(Model& model) override;
  void on_train_batch_begin(Model& model, Index step) override;
  void on_train_batch_end(Model& model, Index step, const Logs& logs) override;

 private:
  LambdaCallbackOptions options_;
};

// --- the same, short ---

inline std::shared_ptr<EarlyStopping> early_stopping(const EarlyStoppingOptions& options = {}) {
  return std::make_shared<EarlyStopping>(options);
}
inline std::shared_ptr<ReduceLROnPlateau> reduce_lr_on_plateau(
    const ReduceLROnPlateauOptions& options = {}) {
  return std::make_shared<ReduceLROnPlateau>(options);
}
inline std::shared_ptr<LearningRateScheduler> learning_rate_scheduler(
    LearningRateScheduler::Function function) {
  return std::make_shared<LearningRateScheduler>(std::move(function));
}
inline std::shared_ptr<TerminateOnNaN> terminate_on_nan() {
  return std::make_shared<TerminateOnNaN>();
}
inline std::shared_ptr<LambdaCallback> lambda_callback(LambdaCallbackOptions options) {
  return std::make_shared<LambdaCallback>(std::move(options));
}

}  // namespace unroll
