// unroll predict: forecasts of a saved model for other data.
#include <fmt/format.h>

#include <memory>

#include "apps/commands.h"
#include "apps/flags.h"
#include "apps/forecast_bundle.h"
#include "apps/output.h"
#include "src/io/json.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags {
  CommonFlags common;
  SeriesFlags data;
  std::string model;
  Index steps = 0;
};

/// What is known and what was forecast, row by row, and beyond the end.
struct Predictions {
  Index first = 0;  ///< the first row that is forecast
  Tensor one_step;  ///< of rows first, first + 1, ..., one beyond the end
  std::vector<double> next;
  std::vector<std::string> dates;  ///< of all rows and of the next values; or none
};

std::vector<std::string> dates_of(const Series& series, Index steps) {
  std::vector<std::string> dates;
  for (const Timestamp date : series.dates) dates.push_back(to_iso(date));
  if (dates.empty()) return dates;
  const auto step = infer_step(series.dates).step;
  const bool regular = step.unit != TimeUnit::none;
  for (Index n = 1; n <= steps; ++n) {
    dates.push_back(regular ? to_iso(unroll::next(series.dates.back(), step, n)) : "");
  }
  return dates;
}

/// Numbers as float32 has them: the model gives no more.
std::string spelt(double value) { return fmt::format("{}", static_cast<float>(value)); }

template <class F>
void for_each(const Series& series, const Predictions& predictions, F f) {
  const Index rows = series.values.shape()[0];
  const auto values = series.values.values<double>();
  const auto forecasts = predictions.one_step.values<double>();
  const auto when = [&](Index row) {
    return predictions.dates.empty() ? std::to_string(row + 1)
                                     : predictions.dates[static_cast<std::size_t>(row)];
  };
  for (Index row = predictions.first; row < rows; ++row) {
    f(when(row), &values[static_cast<std::size_t>(row)],
      forecasts[static_cast<std::size_t>(row - predictions.first)]);
  }
  for (std::size_t i = 0; i < predictions.next.size(); ++i) {
    f(when(rows + static_cast<Index>(i)), nullptr, predictions.next[i]);
  }
}

std::string csv(const Series& series, const Predictions& predictions) {
  std::string text = predictions.dates.empty() ? "row,value,forecast\n" : "date,value,forecast\n";
  for_each(series, predictions, [&](const std::string& when, const double* value, double forecast) {
    text += when + "," + (value == nullptr ? "" : fmt::format("{}", *value)) + "," +
            spelt(forecast) + "\n";
  });
  return text;
}

std::string json(const std::string& model, const Series& series, const Predictions& predictions) {
  Json rows = Json::array(), next = Json::array();
  const char* const when_name = predictions.dates.empty() ? "row" : "date";
  for_each(series, predictions, [&](const std::string& when, const double* value, double forecast) {
    const Json time = predictions.dates.empty() ? Json(std::stoll(when))
                      : when.empty()            ? Json()
                                                : Json(when);
    if (value == nullptr) {
      next.push_back({{when_name, time}, {"value", forecast}});
    } else {
      rows.push_back({{when_name, time}, {"value", *value}, {"forecast", forecast}});
    }
  });
  Json object = {{"model", model}};
  object["predictions"] = std::move(rows);
  object["forecast"] = std::move(next);
  return object.dump(2) + "\n";
}

int run(const Flags& flags) {
  SavedForecaster saved = load_forecaster(flags.model);
  Model model = saved.forecaster.model();
  model.compile({.threads = flags.common.threads});
  const Series series = read_series(flags.data, saved.column);
  const Index rows = series.values.shape()[0], window = saved.forecaster.window();
  if (rows < window) {
    throw Error(ErrorKind::value, series.name + ": too few rows for the window",
                {.got = grouped(rows) + (rows == 1 ? " row" : " rows"),
                 .want = "at least " + grouped(window) + ", the window of " + flags.model});
  }
  const Index steps = flags.steps > 0 ? flags.steps : std::max<Index>(saved.horizon, 3);
  const Predictions predictions{.first = window,
                                .one_step = saved.forecaster.predict(series.values),
                                .next = saved.forecaster.next(series.values, steps),
                                .dates = dates_of(series, steps)};
  write_out(flags.common.json ? json(saved.model, series, predictions) : csv(series, predictions));
  return 0;
}

}  // namespace

Command predict_command() {
  auto flags = std::make_shared<Flags>();
  Command command("predict", "Forecasts other data with a model that unroll forecast has saved.",
                  "  unroll predict model.unroll --data prices.csv\n"
                  "  unroll predict model.unroll --data prices.csv --steps 10 --json");
  command.group("model");
  command.text("MODEL", flags->model, "", "a file that unroll forecast --save wrote").required();
  command.group("data");
  command.text("--data", flags->data.file, "FILE",
               "a CSV file, an http(s) URL, or - for standard input; none: the embedded series");
  add_series(command, flags->data);
  command.group("model");
  command.count("--steps", flags->steps,
                "values to forecast beyond the end (default: the saved horizon, at least 3)", 1,
                1'000'000);
  add_common(command, flags->common);
  command.action([flags] { return run(*flags); });
  return command;
}

}  // namespace unroll::apps
