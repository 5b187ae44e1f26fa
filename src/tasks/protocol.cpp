// How a forecast is made: the split, the training, the evaluation.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/tasks/evaluate.h"
#include "src/tasks/network.h"
#include "src/tasks/words.h"
#include "unroll/callbacks.h"
#include "unroll/error.h"
#include "unroll/forecast.h"

namespace unroll {

namespace {

using tasks::counted;
using tasks::grouped;

constexpr Index most_units = 16'384;  // one square of weights of them takes 1 GB

void check_count(const char* what, Index got, Index most) {
  if (got >= 1 && got <= most) return;
  throw Error(ErrorKind::value, std::string("forecast: ") + what + " is out of range",
              {.got = std::to_string(got), .want = "1 to " + grouped(most)});
}

void check(const ForecastOptions& options) {
  constexpr Index most = 1'000'000'000;
  check_count("units", options.units, most_units);
  check_count("window", options.window, most);
  check_count("epochs", options.epochs, most);
  check_count("batch_size", options.batch_size, most);
  check_count("patience", options.patience, most);
  check_count("horizon", options.horizon, most);
  if (options.steps != 0) check_count("steps", options.steps, 1'000'000);
  if (!(options.learning_rate > 0) || !std::isfinite(options.learning_rate)) {
    throw Error(ErrorKind::value, "forecast: learning_rate is out of range",
                {.got = tasks::spelt(options.learning_rate), .want = "a number above 0"});
  }
}

Error too_short(const Series& series, Index rows, Index train, const ForecastOptions& options) {
  const auto share = static_cast<double>(options.split.train);
  // The least number of rows whose rounded share holds a window and the value after it.
  const auto enough =
      static_cast<Index>(std::ceil((static_cast<double>(options.window) + 0.5) / share));
  const std::string more = "at least " + counted(std::max<Index>(enough, 10), "row");
  return Error(
      ErrorKind::value, series.name + ": too few rows for the window",
      {.got = counted(rows, "row") + ", of which " + grouped(train) + " are to learn from",
       .want = "more than " + grouped(options.window) +
               " to learn from: a window and the value after it",
       .hint = train > 1 ? fmt::format("a window of at most {}, or {}", train - 1, more) : more});
}

SplitPoints checked_split(const Series& series, const ForecastOptions& options) {
  const Index rows = series.values.shape()[0];
  const auto train = static_cast<Index>(
      std::floor(static_cast<double>(rows) * static_cast<double>(options.split.train) + 0.5));
  if (rows < 10 || train <= options.window) throw too_short(series, rows, train, options);
  const SplitPoints points = split_points(rows, options.split);
  const Index longest = points.validate - options.window + 1;
  if (options.horizon > longest || options.horizon >= rows - points.validate) {
    throw Error(
        ErrorKind::value, series.name + ": the horizon is too long",
        {.got = std::to_string(options.horizon),
         .want = "at most " + std::to_string(std::min(longest, rows - points.validate - 1)) +
                 " for " + counted(rows, "row") + " and a window of " +
                 std::to_string(options.window)});
  }
  return points;
}

void check_varies(const Series& series, Index known) {
  const auto values = series.values.values<double>();
  const auto past = values.first(static_cast<std::size_t>(known));
  if (std::ranges::any_of(past, [&](double value) { return value != past[0]; })) return;
  const bool all = std::ranges::all_of(values, [&](double value) { return value == past[0]; });
  throw Error(ErrorKind::value,
              series.name + (all ? ": the series is constant" : ": nothing changes while learning"),
              {.got = tasks::spelt(past[0]) + " in " +
                      (all ? "all " + counted(static_cast<Index>(values.size()), "row")
                           : "the first " + counted(known, "row")),
               .want = "numbers that change"});
}

/// What the network is to give for each row: its scaled value, or its scaled change.
Tensor targets(const Tensor& values, const std::string& target, const Scaler& output) {
  const auto from = values.values<double>();
  Tensor result(values.shape());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double change = i == 0 ? 0 : from[i] - from[i - 1];
    result.floats()[i] =
        static_cast<float>(output.transform(target == "change" ? change : from[i], 0));
  }
  return result;
}

/// Changes are scaled but not centred: 0 stays "no change".
Scaler change_scaler(const Tensor& known) {
  const auto values = known.values<double>();
  Tensor changes({static_cast<Index>(values.size()) - 1, 1}, DType::float64);
  for (std::size_t i = 1; i < values.size(); ++i) {
    changes.values<double>()[i - 1] = values[i] - values[i - 1];
  }
  return StandardScaler({.with_mean = false}).fit(changes);
}

/// The windows whose targets are rows [first, last); they may reach back before `first`.
Windows part(const Tensor& inputs, const Tensor& wanted, Index window, Index first, Index last) {
  return {.x = Rows(inputs, first - window, 1, last - first, {window, 1}),
          .y = Rows(wanted, first, 1, last - first, {1})};
}

void check_finite(const History& history) {
  const std::vector<double>& losses = history["loss"];
  if (losses.empty() || std::isfinite(losses.back())) return;
  throw Error(ErrorKind::value, "forecast: the loss is no longer finite",
              {.got = tasks::spelt(losses.back()) + " in epoch " + std::to_string(losses.size()),
               .hint = "a smaller learning rate"});
}

void diagnosed(const GradientWatch* watch, ForecastReport& report) {
  if (watch == nullptr) return;
  report.reach = watch->reach();
  report.findings = watch->findings();
}

/// Remembers whether training was asked to end.
std::function<bool()> remembering(const std::function<bool()>& asked, bool& answer) {
  if (!asked) return {};
  return [&asked, &answer] { return answer = answer || asked(); };
}

Series checked(const Series& series) {
  const auto rows = series.values.rank() == 2 ? series.values.shape()[0] : 0;
  const bool fits = series.values.rank() == 2 && series.values.shape()[1] == 1 &&
                    (series.dates.empty() || static_cast<Index>(series.dates.size()) == rows);
  if (!fits) {
    throw Error(ErrorKind::shape, series.name + ": not a series",
                {.got = series.values.describe() + " and " +
                        counted(static_cast<Index>(series.dates.size()), "date"),
                 .want = "(rows, 1), and as many dates or none"});
  }
  Series result = series;
  result.values = series.values.to(DType::float64);
  for (const double value : result.values.values<double>()) {
    if (std::isfinite(value)) continue;
    throw Error(ErrorKind::value, series.name + ": not every value is a number",
                {.got = tasks::spelt(value), .want = "finite numbers only"});
  }
  return result;
}

}  // namespace

Forecast forecast(const Series& given, const ForecastOptions& options) {
  check(options);
  const Series series = checked(given);
  const SplitPoints points = checked_split(series, options);
  check_varies(series, points.train);
  const Tensor past = series.values.rows(0, points.train);
  const Scaler input = fit_scaler(options.scaler, past);
  const Scaler output = options.target == "change" ? change_scaler(past) : input;

  tasks::Network network = tasks::network(options.model, options.units, options.window);
  Model& model = network.model;
  model.compile({.optimizer = Adam{.learning_rate = options.learning_rate},
                 .loss = options.loss,
                 .seed = options.seed,
                 .threads = options.threads});
  Forecaster forecaster(model, input, output, options.target, options.window);
  const Tensor inputs = forecaster.scaled(series.values);
  const Tensor wanted = targets(series.values, options.target, output);
  const Windows train = part(inputs, wanted, options.window, options.window, points.train);
  const Windows watched = part(inputs, wanted, options.window, points.train, points.validate);
  const auto patience =
      early_stopping({.patience = options.patience, .restore_best_weights = true});

  ForecastReport report;
  report.model = options.model;
  report.layers = network.label + " > Dense(1)";
  report.target = options.target;
  report.window = options.window;
  report.horizon = options.horizon;
  report.rows = series.values.shape()[0];
  report.split = points;
  report.parameters = model.count_params();
  report.first = points.validate;
  if (options.planned) options.planned(report);
  std::vector<std::shared_ptr<Callback>> callbacks{patience, terminate_on_nan()};
  std::shared_ptr<GradientWatch> watch;
  if (options.diagnose) callbacks.push_back(watch = gradient_watch(train.x, train.y));
  report.history = model.fit(train.x, train.y,
                             {.batch_size = options.batch_size,
                              .epochs = options.epochs,
                              .callbacks = callbacks,
                              .validation_data = Validation{watched.x, watched.y},
                              .progress = options.progress,
                              .interrupted = remembering(options.interrupted, report.interrupted)});
  diagnosed(watch.get(), report);
  check_finite(report.history);
  report.best_epoch = patience->best_epoch();
  report.stopped = patience->stopped();
  if (!report.interrupted) {
    const Index steps = options.steps > 0 ? options.steps : std::max<Index>(options.horizon, 3);
    tasks::evaluate(forecaster, series, points.train, steps, network.label, report);
  }
  return {std::move(forecaster), std::move(report)};
}

Forecast forecast_as_in_lesson(const Series& given, const LessonOptions& options) {
  constexpr Index lesson_rows = 8'946, window = 50, epochs = 20;
  Series series = checked(given);
  const Index rows = std::min(series.values.shape()[0], lesson_rows);
  // Ten windows at least: on fewer, nothing that is said below would mean anything.
  if (rows < window + 10) {
    throw Error(ErrorKind::value, series.name + ": too few rows for the lesson's window",
                {.got = counted(rows, "row"), .want = "at least " + counted(window + 10, "row")});
  }
  series.values = series.values.rows(0, rows);
  if (!series.dates.empty()) series.dates.resize(static_cast<std::size_t>(rows));
  check_varies(series, rows);

  MinMaxScaler scaler;
  scaler.fit(series.values);
  Model model = tasks::lesson_network(window).model;
  model.compile(
      {.optimizer = "adam", .loss = "mse", .seed = options.seed, .threads = options.threads});
  Forecaster forecaster(model, scaler, scaler, "level", window);
  const Windows train = windows(forecaster.scaled(series.values), {.length = window});
  ForecastReport report;
  report.lesson = true;
  report.model = "simple_rnn";
  report.layers = "SimpleRNN(50, relu) > Dense(1)";
  report.target = "level";
  report.window = window;
  report.rows = rows;
  report.split = {.train = rows, .validate = rows};
  report.parameters = model.count_params();
  report.first = window;
  if (options.planned) options.planned(report);
  const auto watch = options.diagnose ? gradient_watch(train.x, train.y) : nullptr;
  std::vector<std::shared_ptr<Callback>> callbacks;
  if (watch) callbacks.push_back(watch);
  report.history = model.fit(train.x, train.y,
                             {.batch_size = 32,
                              .epochs = epochs,
                              .callbacks = callbacks,
                              .progress = options.progress,
                              .interrupted = remembering(options.interrupted, report.interrupted)});
  diagnosed(watch.get(), report);
  check_finite(report.history);
  if (!report.interrupted) {
    tasks::evaluate(forecaster, series, rows, 3, "SimpleRNN(50)", report);
    const auto squared = [&](double rmse) { return std::pow(rmse / scaler.scale()[0], 2); };
    report.mse = squared(report.accuracies[0].rmse);
    report.persistence_mse = squared(report.accuracies[1].rmse);
  }
  return {std::move(forecaster), std::move(report)};
}

}  // namespace unroll
