// The callbacks that steer a fit. The rules are Keras's, written from its documentation.
#include "unroll/callbacks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/model/model_impl.h"
#include "unroll/error.h"

namespace unroll {

namespace {

void check(bool inside, const char* who, const char* option, double got, const char* want) {
  if (inside) return;
  throw Error(ErrorKind::value, std::string(who) + ": " + option + " is out of range",
              {.got = fmt::format("{}", got), .want = want});
}

void check_count(const char* who, const char* option, Index got) {
  check(got >= 0, who, option, static_cast<double>(got), "0 or more");
}

void check_min_delta(const char* who, double got) {
  check(got >= 0, who, "min_delta", got, "0 or more");
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Whether a metric's high values are the good ones.
bool high_is_good(const Metric& metric) {
  return std::visit(
      []<class Option>(const Option&) {
        constexpr bool low = std::is_same_v<Option, Loss> || std::is_same_v<Option, Mean> ||
                             std::is_same_v<Option, RootMeanSquaredError> ||
                             std::is_same_v<Option, Perplexity> ||
                             std::is_same_v<Option, SymmetricMeanAbsolutePercentageError>;
        return !low;
      },
      metric.options());
}

}  // namespace

// --- Monitor ---

Monitor::Monitor(std::string_view who, std::string name, MonitorMode mode, double min_delta)
    : who_(who), name_(std::move(name)), mode_(mode), min_delta_(min_delta) {}

Error Monitor::missing(const std::vector<std::string>& names) const {
  return Error(
      ErrorKind::value, who_ + " watches a value that is not there",
      {.got = "\"" + name_ + "\"",
       .want = "one of " + joined(names),
       .hint =
           name_.starts_with("val_") ? "val_... needs validation_split or validation_data" : ""});
}

void Monitor::begin(const Model& model) {
  high_ = mode_.kind() == MonitorModeKind::max;
  if (mode_.kind() != MonitorModeKind::auto_) return;
  const std::vector<std::string> names = model.fit_names();
  if (std::ranges::find(names, name_) == names.end()) throw missing(names);
  const std::string_view plain =
      name_.starts_with("val_") ? std::string_view(name_).substr(4) : std::string_view(name_);
  for (const Watched& watched : model.impl().ready(true).metrics()) {
    if (watched.name == plain && !watched.loss) high_ = high_is_good(watched.metric);
  }
}

std::optional<double> Monitor::read(const Model& model, const Logs& logs) const {
  for (const auto& [name, value] : logs) {
    if (name == name_) return value;
  }
  const std::vector<std::string> possible = model.fit_names();
  if (std::ranges::find(possible, name_) != possible.end()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& [name, value] : logs) names.push_back(name);
  throw missing(names);
}

bool Monitor::better(double value, double than) const noexcept {
  return high_ ? value - min_delta_ > than : value + min_delta_ < than;
}

double Monitor::worst() const noexcept {
  return high_ ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

// --- EarlyStopping ---

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options)
    : options_(options),
      monitor_("EarlyStopping", options.monitor, options.mode, options.min_delta) {
  check_min_delta("EarlyStopping", options.min_delta);
  check_count("EarlyStopping", "patience", options.patience);
  check_count("EarlyStopping", "start_from_epoch", options.start_from_epoch);
}

void EarlyStopping::on_train_begin(Model& model) {
  monitor_.begin(model);
  best_ = monitor_.worst();
  best_epoch_ = -1;
  waited_ = 0;
  stopped_ = false;
  weights_.clear();
}

void EarlyStopping::on_epoch_end(Model& model, Index epoch, const Logs& logs) {
  const std::optional<double> value = monitor_.read(model, logs);
  if (!value || epoch < options_.start_from_epoch) return;
  // A first value that is no number is better than none to go back to.
  if (options_.restore_best_weights && weights_.empty()) weights_ = model.get_weights();
  ++waited_;
  if (monitor_.better(*value, best_)) {
    best_ = *value;
    best_epoch_ = epoch;
    if (options_.restore_best_weights) weights_ = model.get_weights();
    if (!options_.baseline || monitor_.better(*value, *options_.baseline)) waited_ = 0;
    return;
  }
  if (waited_ >= options_.patience && epoch > 0) {
    stopped_ = true;
    model.stop_training(fmt::format("EarlyStopping: {} is no better than in epoch {}",
                                    monitor_.name(), best_epoch_ + 1));
  }
}

void EarlyStopping::on_train_end(Model& model) {
  if (options_.restore_best_weights && !weights_.empty()) model.set_weights(weights_);
}

void EarlyStopping::save(Record& record) const {
  record.set("best", best_);
  record.set("best_epoch", static_cast<double>(best_epoch_));
  record.set("waited", static_cast<double>(waited_));
  record.set("stopped", stopped_ ? 1.0 : 0.0);
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    record.set("weights/" + std::to_string(i), weights_[i]);
  }
}

void EarlyStopping::load(const Record& record) {
  best_ = record.number("best");
  best_epoch_ = record.count("best_epoch");
  waited_ = record.count("waited");
  stopped_ = record.number("stopped") != 0;
  weights_.clear();
  while (record.has("weights/" + std::to_string(weights_.size()))) {
    weights_.push_back(record.tensor("weights/" + std::to_string(weights_.size())));
  }
}

// --- ReduceLROnPlateau ---

ReduceLROnPlateau::ReduceLROnPlateau(const ReduceLROnPlateauOptions& options)
    : options_(options),
      monitor_("ReduceLROnPlateau", options.monitor, options.mode, options.min_delta) {
  const char* who = "ReduceLROnPlateau";
  check(options.factor > 0 && options.factor < 1, who, "factor", options.factor,
        "more than 0 and less than 1");
  check_count(who, "patience", options.patience);
  check_min_delta(who, options.min_delta);
  check_count(who, "cooldown", options.cooldown);
  check(options.min_lr >= 0, who, "min_lr", options.min_lr, "0 or more");
}

void ReduceLROnPlateau::on_train_begin(Model& model) {
  monitor_.begin(model);
  model.set_learning_rate(model.learning_rate());  // refuses a schedule before an epoch is lost
  best_ = monitor_.worst();
  waited_ = cooling_ = 0;
}

void ReduceLROnPlateau::add_logs(Model& model, Index, Logs& logs) {
  if (std::isnan(value_of(logs, "learning_rate"))) {
    logs.emplace_back("learning_rate", model.learning_rate());
  }
}

void ReduceLROnPlateau::on_epoch_end(Model& model, Index, const Logs& logs) {
  const std::optional<double> value = monitor_.read(model, logs);
  if (!value) return;
  if (cooling_ > 0) {
    --cooling_;
    waited_ = 0;
  }
  if (monitor_.better(*value, best_)) {
    best_ = *value;
    waited_ = 0;
    return;
  }
  if (cooling_ > 0 || ++waited_ < options_.patience) return;
  const double rate = model.learning_rate();
  if (rate <= options_.min_lr) return;
  model.set_learning_rate(std::max(rate * options_.factor, options_.min_lr));
  cooling_ = options_.cooldown;
  waited_ = 0;
}

void ReduceLROnPlateau::save(Record& record) const {
  record.set("best", best_);
  record.set("waited", static_cast<double>(waited_));
  record.set("cooling", static_cast<double>(cooling_));
}

void ReduceLROnPlateau::load(const Record& record) {
  best_ = record.number("best");
  waited_ = record.count("waited");
  cooling_ = record.count("cooling");
}

// --- LearningRateScheduler ---

LearningRateScheduler::LearningRateScheduler(Function function) : function_(std::move(function)) {
  if (!function_) {
    throw Error(ErrorKind::value, "LearningRateScheduler: no function is given",
                {.want = "a function of epoch and rate"});
  }
}

void LearningRateScheduler::on_epoch_begin(Model& model, Index epoch) {
  const double before = model.learning_rate(), rate = function_(epoch, before);
  if (!(rate >= 0) || std::isinf(rate)) {
    throw Error(ErrorKind::value,
                "LearningRateScheduler: the function gave no learning rate for epoch " +
                    std::to_string(epoch),
                {.got = fmt::format("{}", rate), .want = "a number, 0 or more"});
  }
  model.set_learning_rate(rate);
}

void LearningRateScheduler::add_logs(Model& model, Index, Logs& logs) {
  if (std::isnan(value_of(logs, "learning_rate"))) {
    logs.emplace_back("learning_rate", model.learning_rate());
  }
}

// --- TerminateOnNaN ---

std::string NaNReport::to_string() const {
  const std::string where =
      layer.empty() ? "the data: " + what : "layer \"" + layer + "\": " + what;
  return fmt::format("not finite in epoch {}, step {} (loss {}); first in {}", epoch + 1, step + 1,
                     loss, where);
}

void TerminateOnNaN::on_train_begin(Model& model) {
  model.impl().trainer->keep_lanes(true);
  epoch_ = 0;
  found_.reset();
}

void TerminateOnNaN::on_epoch_begin(Model&, Index epoch) { epoch_ = epoch; }

void TerminateOnNaN::on_train_batch_end(Model& model, Index step, const Logs& logs) {
  Trainer& trainer = *model.impl().trainer;
  const double loss = value_of(logs, "loss");
  if (found_ || (std::isfinite(loss) && trainer.weights_finite())) return;
  const NotFinite origin = trainer.first_not_finite().value_or(NotFinite{"", "loss"});
  found_ = NaNReport{epoch_, step, loss, origin.layer, origin.what};
  model.stop_training("TerminateOnNaN: " + found_->to_string());
}

void TerminateOnNaN::save(Record& record) const {
  record.set("epoch", static_cast<double>(epoch_));
}
void TerminateOnNaN::load(const Record& record) { epoch_ = record.count("epoch"); }

// --- LambdaCallback ---

void LambdaCallback::on_epoch_begin(Model& model, Index epoch) {
  if (options_.on_epoch_begin) options_.on_epoch_begin(model, epoch);
}
void LambdaCallback::on_epoch_end(Model& model, Index epoch, const Logs& logs) {
  if (options_.on_epoch_end) options_.on_epoch_end(model, epoch, logs);
}
void LambdaCallback::on_train_begin(Model& model) {
  if (options_.on_train_begin) options_.on_train_begin(model);
}
void LambdaCallback::on_train_end(Model& model) {
  if (options_.on_train_end) options_.on_train_end(model);
}
void LambdaCallback::on_train_batch_begin(Model& model, Index step) {
  if (options_.on_train_batch_begin) options_.on_train_batch_begin(model, step);
}
void LambdaCallback::on_train_batch_end(Model& model, Index step, const Logs& logs) {
  if (options_.on_train_batch_end) options_.on_train_batch_end(model, step, logs);
}

}  // namespace unroll
