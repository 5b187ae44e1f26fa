#include "src/tasks/evaluate.h"

#include <cmath>

#include "src/tasks/baselines.h"
#include "src/tasks/statistics.h"

namespace unroll::tasks {

namespace {

/// Five: a week of trading days. Not chosen by looking at a series.
constexpr Index averaged = 5;

/// The mean size of a change from one row to the next.
double naive_scale(std::span<const double> values) {
  double sum = 0;
  for (std::size_t i = 1; i < values.size(); ++i) sum += std::abs(values[i] - values[i - 1]);
  return sum / static_cast<double>(values.size() - 1);
}

class Evaluation {
 public:
  Evaluation(std::span<const double> truth, double scale) : truth_(truth), scale_(scale) {}

  ForecastErrors of(std::string name, std::string label, std::span<const double> forecasts) const {
    double absolute = 0, squared = 0;
    for (std::size_t i = 0; i < truth_.size(); ++i) {
      const double error = forecasts[i] - truth_[i];
      absolute += std::abs(error);
      squared += error * error;
    }
    const auto n = static_cast<double>(truth_.size());
    return {.name = std::move(name),
            .label = std::move(label),
            .mae = absolute / n,
            .rmse = std::sqrt(squared / n),
            .mase = absolute / n / scale_};
  }

  std::vector<double> loss_differences(std::span<const double> a, std::span<const double> b) const {
    std::vector<double> d(truth_.size());
    for (std::size_t i = 0; i < d.size(); ++i) {
      d[i] = std::abs(a[i] - truth_[i]) - std::abs(b[i] - truth_[i]);
    }
    return d;
  }

 private:
  std::span<const double> truth_;
  double scale_;
};

/// Dates after the end, where the series has a rhythm.
std::vector<NextValue> dated(const std::vector<double>& values,
                             const std::vector<Timestamp>& dates) {
  const TimeStep step = dates.empty() ? TimeStep{} : infer_step(dates).step;
  std::vector<NextValue> result;
  for (const double value : values) {
    const auto n = static_cast<Index>(result.size()) + 1;
    const bool regular = step.unit != TimeUnit::none;
    result.push_back(
        {.date = regular ? unroll::next(dates.back(), step, n) : no_date, .value = value});
  }
  return result;
}

}  // namespace

void evaluate(Forecaster& forecaster, const Series& series, Index known, Index steps,
              const std::string& label, ForecastReport& report) {
  const auto values = series.values.values<double>();
  const auto past = values.first(static_cast<std::size_t>(known));
  const Origin rows{report.first, report.rows, report.horizon};
  const auto truth = values.subspan(static_cast<std::size_t>(report.first));
  const Evaluation evaluation(truth, naive_scale(past));
  report.truth.assign(truth.begin(), truth.end());
  report.predicted = forecaster.ahead(series.values, rows.first, rows.last, rows.horizon);

  const std::vector<double> last = persistence(values, rows);
  std::vector<ForecastErrors>& all = report.accuracies;
  all.push_back(evaluation.of(report.model, label, report.predicted));
  all.push_back(evaluation.of("persistence", "persistence", last));
  all.push_back(evaluation.of("drift", "drift", drift(values, rows)));
  all.push_back(evaluation.of("moving_average", "moving average (" + std::to_string(averaged) + ")",
                              moving_average(values, rows, averaged)));
  report.period = find_period(past);
  const Index back =
      report.period == 0 ? 0 : (rows.horizon + report.period - 1) / report.period * report.period;
  if (back > rows.first) report.period = 0;
  if (report.period > 0) {
    all.push_back(evaluation.of("seasonal_naive",
                                "seasonal naive (" + std::to_string(report.period) + ")",
                                seasonal_naive(values, rows, report.period)));
  }
  const double reference = all[1].mae;
  for (ForecastErrors& one : all) {
    // A series that stands still over the evaluated rows leaves persistence nothing to improve on.
    if (reference > 0) one.skill = 100 * (1 - one.mae / reference);
  }
  report.skill = all[0].skill;
  report.p_value =
      diebold_mariano(evaluation.loss_differences(report.predicted, last), rows.horizon).p_value;
  report.lag = {.with_last = correlation(report.predicted, last),
                .with_truth = correlation(report.predicted, truth)};
  report.next = dated(forecaster.next(series.values, steps), series.dates);
}

}  // namespace unroll::tasks
