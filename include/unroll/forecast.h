// Forecasting: a recurrent network beside the simple forecasts that it has to beat.
//
//   Table table = read_csv("vix.csv");
//   Series series = series_of(table, {.column = "CLOSE"});
//   Forecast result = forecast(series, {.model = "gru", .units = 50});
//   std::cout << verdict(result.report);          // does it beat "tomorrow = today"?
//   auto next = result.forecaster.next(series.values, 5);
//
// The protocol. The rows are split by time: the network learns from the first part (70 % of the
// rows), the second (10 %) says when to stop, and only the third (20 %) is reported. Scales are
// taken from the first part. Nothing is fitted again afterwards. A row belongs to the part that its
// target lies in; the window before it may reach back into the part before, which is past by then.
//
// `horizon` h > 1: the network forecasts one step; its forecast is appended to the window and the
// next step is forecast, h times. What is reported is the error of the h-th value, for every row of
// the third part, against simple forecasts made at the same time h steps before.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/diagnose.h"
#include "unroll/model.h"
#include "unroll/scalers.h"
#include "unroll/table.h"

namespace unroll {

// --- the series ---

/// Numbers in order of time.
struct Series {
  Tensor values;                      ///< float64 (rows, 1), no NaN
  std::vector<Timestamp> dates = {};  ///< one a row, ascending; or none
  std::string name = "the series";    ///< as refusals name it
  std::vector<Index> left_out = {};   ///< lines of the source whose value or date is missing
};

struct SeriesOptions {
  std::string column = {};       ///< empty: the only column of numbers
  std::string date_column = {};  ///< empty: the leftmost column of dates, if there is one
  bool strict = false;           ///< refuse rows without a value instead of leaving them out
};
/// A column of a table as a series.
/// Throws: Error (value) where there is no such column, where none is named and there are several,
///   for dates that run backwards, and with `strict` for a missing value; Error (format) for a
///   column that holds something else.
Series series_of(const Table& table, const SeriesOptions& options = {});

// --- what is asked for ---

struct ForecastReport;

struct ForecastOptions {
  std::string model = "gru";  ///< simple_rnn, gru, lstm
  Index units = 50;
  Index window = 50;  ///< values that the network sees
  Index epochs = 50;  ///< at most
  Index batch_size = 32;
  Index patience = 5;               ///< epochs without a better loss on the second part
  std::string target = "change";    ///< from the last value; or "level": the value itself
  std::string scaler = "standard";  ///< of the inputs; see fit_scaler
  Loss loss = "huber";
  double learning_rate = 1e-3;  ///< of Adam
  Index horizon = 1;            ///< steps ahead that are evaluated
  Index steps = 0;              ///< values to forecast beyond the end; 0: horizon, at least 3
  SplitInThree split = {.train = 0.7, .validate = 0.1};
  std::uint64_t seed = 7;
  int threads = 0;  ///< 0: UNROLL_THREADS, or every processor this process may use
  /// Told before training begins; the report holds the split and the model by then.
  std::function<void(const ForecastReport&)> planned = {};
  Progress progress = {};
  std::function<bool()> interrupted = {};  ///< asked after every step; true ends training
  /// Watches whether the gradient reaches the past: ForecastReport::reach and findings.
  bool diagnose = false;
};

// --- what comes out ---

/// A network that has learnt a series, with the scales that it was trained with.
/// Threads: one at a time.
class Forecaster {
 public:
  /// `input` scales the values; `output` scales what the network gives: changes, or values where
  /// `target` is "level". Throws: Error (value) for another target; Error (shape) where the model
  /// does not take (window, 1) to 1 number.
  Forecaster(Model model, Scaler input, Scaler output, std::string target, Index window);

  /// One-step forecasts of rows window, window + 1, ..., rows: the last one lies beyond the end.
  /// Each sees the true values before it. Shapes: float64 (rows, 1) -> float64
  /// (rows - window + 1). Throws: Error (shape) for fewer rows than the window.
  Tensor predict(const Tensor& values, const Progress& progress = {});
  /// Forecasts of rows [first, last), each made `horizon` rows before.
  /// Throws: Error (shape) where a window would begin before row 0.
  std::vector<double> ahead(const Tensor& values, Index first, Index last, Index horizon);
  /// The values after the end, each forecast from the ones before it.
  std::vector<double> next(const Tensor& values, Index steps);
  /// The inputs as the network sees them: float32 (rows, 1).
  Tensor scaled(const Tensor& values) const;

  const Model& model() const noexcept { return model_; }
  const Scaler& input() const noexcept { return input_; }
  const Scaler& output() const noexcept { return output_; }
  const std::string& target() const noexcept { return target_; }
  Index window() const noexcept { return window_; }

 private:
  double unscaled(double output, double last) const noexcept;
  void check_rows(const Tensor& values, Index wanted) const;

  Model model_;
  Scaler input_, output_;
  std::string target_;
  Index window_;
};

/// Errors of one way to forecast on the evaluated rows, in the units of the series.
struct ForecastErrors {
  std::string name;   ///< "gru", "persistence", "drift", "moving_average", "seasonal_naive"
  std::string label;  ///< "GRU(50)", "persistence", "drift", "moving average (5)", ...
  double mae = 0;
  double rmse = 0;
  /// MAE / mean |value - value before| over the first part. Source: Hyndman, Koehler, 2006.
  double mase = 0;
  /// How much smaller the MAE is than persistence's, per cent.
  double skill = 0;
};

/// Whether forecasts only repeat the last value: then they agree better with it than with the
/// truth.
struct LagTest {
  double with_last = 0;   ///< correlation of the forecasts with the last values they saw
  double with_truth = 0;  ///< and with the true values; NaN where one of the two is constant
};

/// A value beyond the end; `date` is no_date where the series has no regular dates.
struct NextValue {
  Timestamp date = no_date;
  double value = 0;
};

/// All numbers of a forecast.
struct ForecastReport {
  bool lesson = false;  ///< made by forecast_as_in_lesson
  std::string model;    ///< "gru"
  std::string layers;   ///< "GRU(50) > Dense(1)"
  std::string target;
  Index window = 0, horizon = 1;
  Index rows = 0;
  SplitPoints split{};  ///< the lesson's run has no second and third part: both are `rows`
  Index parameters = 0;

  History history;
  Index best_epoch = -1;     ///< whose weights were kept, from 0; -1: the last one's
  bool stopped = false;      ///< by patience
  bool interrupted = false;  ///< then nothing below is filled

  /// The model, persistence, drift, moving average and, where a period was found, seasonal naive.
  std::vector<ForecastErrors> accuracies;
  Index period = 0;  ///< of the seasonal forecast, in rows; 0: none found
  double skill = 0;  ///< the model's
  /// Of the Diebold-Mariano test on absolute errors against persistence, two-sided.
  double p_value = 1;
  LagTest lag;
  std::vector<NextValue> next;

  /// With `diagnose`: how far back the gradient reached after the last epoch, and what was wrong
  /// with it meanwhile.
  std::vector<GradientReach> reach;
  std::vector<GradientFinding> findings;

  Index first = 0;  ///< the first row that is evaluated
  std::vector<double> truth, predicted;

  /// Of the lesson's run, on the scaled windows: mean squared errors.
  double mse = 0, persistence_mse = 0;
};

struct Forecast {
  Forecaster forecaster;
  ForecastReport report;
};

/// Trains a network on a series and evaluates it.
/// Throws: Error (value) for an option outside its range, a series too short for its window or
///   constant, and a loss that is no longer finite.
Forecast forecast(const Series& series, const ForecastOptions& options = {});

struct LessonOptions {
  std::uint64_t seed = 7;
  int threads = 0;
  std::function<void(const ForecastReport&)> planned = {};
  Progress progress = {};
  std::function<bool()> interrupted = {};
  bool diagnose = false;  ///< as ForecastOptions::diagnose
};
/// The lesson's own protocol: MinMaxScaler over all rows, the first 8,946 rows, windows of 50,
/// SimpleRNN(50, relu) > Dense(1), Adam, mse, batches of 32, 20 epochs, no test part. What is
/// evaluated are the windows that it was trained on: see caveats().
/// Throws: as forecast.
Forecast forecast_as_in_lesson(const Series& series, const LessonOptions& options = {});

// --- in words ---

/// Whether the model beats "tomorrow = today", as a sentence or two that agree with the numbers as
/// they are printed.
std::string verdict(const ForecastReport& report);
/// "1.6 % better", "0.4 % worse", "no different"; and "p = 0.03", "p < 0.001".
std::string skill_text(double skill);
std::string p_value_text(double p_value);
/// Whether the forecasts do no more than repeat the last value.
bool repeats_last_value(const ForecastReport& report);
/// What is wrong with the lesson's protocol, a sentence each; empty for another report.
std::vector<std::string> caveats(const ForecastReport& report);

}  // namespace unroll
