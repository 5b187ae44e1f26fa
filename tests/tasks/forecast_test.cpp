#include "unroll/forecast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "tests/refused.h"
#include "unroll/csv.h"
#include "unroll/error.h"

namespace unroll {
namespace {

Series series_from(std::vector<double> values) {
  return {.values = Tensor::of<double>({static_cast<Index>(values.size()), 1}, values)};
}

/// A wave: the next change follows from the last two values, which no naive forecast knows.
Series wave(Index rows) {
  std::vector<double> values;
  for (Index i = 0; i < rows; ++i) values.push_back(20 + std::sin(0.7 * static_cast<double>(i)));
  return series_from(values);
}

TEST(Forecast, LearnsWhatCanBeLearnt) {
  const Forecast done = forecast(wave(600), {.units = 16, .window = 10, .epochs = 15});
  const ForecastReport& report = done.report;
  EXPECT_EQ(report.split.train, 420);
  EXPECT_EQ(report.split.validate, 480);
  EXPECT_EQ(report.first, 480);
  EXPECT_EQ(report.truth.size(), 120U);
  EXPECT_EQ(report.predicted.size(), 120U);
  EXPECT_EQ(report.history.steps_per_epoch, (410 + 31) / 32);
  EXPECT_EQ(report.parameters, 3 * (16 + 256 + 32) + 17);
  EXPECT_GT(report.skill, 80);
  EXPECT_LT(report.p_value, 0.001);
  EXPECT_FALSE(repeats_last_value(report));
  EXPECT_EQ(report.next.size(), 3U);
  EXPECT_EQ(report.next[0].date, no_date);
  EXPECT_NEAR(report.next[0].value, 20 + std::sin(0.7 * 600), 0.1);
}

TEST(Forecast, ErrorsAreThoseOfTheForecasts) {
  const Series series = wave(300);
  Forecast done = forecast(series, {.units = 4, .window = 10, .epochs = 2});
  const ForecastReport& report = done.report;
  double absolute = 0, squared = 0, naive = 0, scale = 0;
  const auto values = series.values.values<double>();
  for (std::size_t i = 0; i < 60; ++i) {
    absolute += std::abs(report.predicted[i] - values[240 + i]) / 60;
    squared += std::pow(report.predicted[i] - values[240 + i], 2) / 60;
    naive += std::abs(values[239 + i] - values[240 + i]) / 60;
  }
  for (std::size_t i = 1; i < 210; ++i) scale += std::abs(values[i] - values[i - 1]) / 209;
  EXPECT_NEAR(report.accuracies[0].mae, absolute, 1e-12);
  EXPECT_NEAR(report.accuracies[0].rmse, std::sqrt(squared), 1e-12);
  EXPECT_NEAR(report.accuracies[0].mase, absolute / scale, 1e-12);
  EXPECT_EQ(report.accuracies[1].name, "persistence");
  EXPECT_NEAR(report.accuracies[1].mae, naive, 1e-12);
  EXPECT_NEAR(report.skill, 100 * (1 - absolute / naive), 1e-9);
  // What the report forecast, the forecaster gives again: the same window, the same bits.
  const Tensor again = done.forecaster.predict(series.values);
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(again.values<double>()[240 - 10 + i], report.predicted[i]);
  }
}

TEST(Forecast, NothingOfTheTestPartReachesTheModel) {
  Series series = wave(300);
  const Forecast before = forecast(series, {.units = 4, .window = 10, .epochs = 2});
  Series changed = series;
  changed.values = series.values.clone();
  for (Index row = 240; row < 300; ++row) {
    changed.values.values<double>()[static_cast<std::size_t>(row)] *= -7;
  }
  const Forecast after = forecast(changed, {.units = 4, .window = 10, .epochs = 2});
  const auto a = before.forecaster.model().get_weights(),
             b = after.forecaster.model().get_weights();
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (Index k = 0; k < a[i].elements(); ++k) ASSERT_EQ(a[i].floats()[k], b[i].floats()[k]);
  }
  EXPECT_EQ(before.forecaster.input().center()[0], after.forecaster.input().center()[0]);
  EXPECT_EQ(before.forecaster.output().scale()[0], after.forecaster.output().scale()[0]);
}

TEST(Forecast, TheSameBytesOnAnyNumberOfThreads) {
  const Forecast one = forecast(wave(300), {.window = 10, .epochs = 2, .threads = 1});
  const Forecast three = forecast(wave(300), {.window = 10, .epochs = 2, .threads = 3});
  EXPECT_EQ(one.report.predicted, three.report.predicted);
  const Forecast other = forecast(wave(300), {.window = 10, .epochs = 2, .seed = 8, .threads = 1});
  EXPECT_NE(one.report.predicted, other.report.predicted);
}

TEST(Forecast, SeveralStepsAheadIterateOneStepForecasts) {
  const Series series = wave(300);
  Forecast done = forecast(series, {.units = 4, .window = 10, .epochs = 2, .horizon = 4});
  const ForecastReport& report = done.report;
  EXPECT_EQ(report.next.size(), 4U);
  // The forecast of row 240 made at row 236 is the fourth value beyond a series that ends there.
  const auto next = done.forecaster.next(series.values.rows(0, 237), 4);
  EXPECT_DOUBLE_EQ(report.predicted[0], next[3]);
  const double known = series.values.values<double>()[236];
  EXPECT_EQ(report.accuracies[1].name, "persistence");
  EXPECT_GT(std::abs(known - report.truth[0]), 0);
  EXPECT_NEAR(done.forecaster.ahead(series.values, 240, 241, 4)[0], next[3], 1e-12);
}

TEST(Forecast, LevelAndEveryModel) {
  for (const char* model : {"simple_rnn", "gru", "lstm"}) {
    const Forecast done = forecast(
        wave(300), {.model = model, .units = 16, .window = 10, .epochs = 40, .target = "level"});
    EXPECT_EQ(done.report.model, model);
    EXPECT_GT(done.report.skill, 0) << model;
  }
}

TEST(Forecast, SeasonalNaiveWhereThereIsAPeriod) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(i % 7 == 0 ? 5.0 + 0.001 * i : 1.0);
  const Forecast done = forecast(series_from(values), {.units = 2, .window = 10, .epochs = 1});
  EXPECT_EQ(done.report.period, 7);
  EXPECT_EQ(done.report.accuracies.back().label, "seasonal naive (7)");
  EXPECT_LT(done.report.accuracies.back().mae, 0.01);
}

TEST(Forecast, InterruptedInGoodOrder) {
  int steps = 0;
  const Forecast done = forecast(
      wave(300),
      {.units = 4, .window = 10, .epochs = 50, .interrupted = [&] { return ++steps == 3; }});
  EXPECT_TRUE(done.report.interrupted);
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(done.report.history.epochs(), 1U);
  EXPECT_TRUE(done.report.accuracies.empty());
}

TEST(Forecast, Refusals) {
  EXPECT_EQ(refused([] { forecast(wave(300), {.model = "grue"}); }),
            "forecast: no such model\n"
            "  got    \"grue\"\n"
            "  want   simple_rnn, gru or lstm");
  EXPECT_EQ(refused([] { forecast(wave(300), {.horizon = 0}); }),
            "forecast: horizon is out of range\n"
            "  got    0\n"
            "  want   1 to 1,000,000,000");
  EXPECT_EQ(refused([] { forecast(wave(300), {.target = "price"}); }),
            "forecast: no such target\n"
            "  got    \"price\"\n"
            "  want   change or level");
  EXPECT_EQ(refused([] { forecast(wave(60)); }),
            "the series: too few rows for the window\n"
            "  got    60 rows, of which 42 are to learn from\n"
            "  want   more than 50 to learn from: a window and the value after it\n"
            "hint: a window of at most 41, or at least 73 rows");
  EXPECT_EQ(refused([] { forecast(series_from(std::vector<double>(100, 4.5)), {.window = 5}); }),
            "the series: the series is constant\n"
            "  got    4.5 in all 100 rows\n"
            "  want   numbers that change");
  EXPECT_EQ(refused([] {
              forecast(series_from({1, NAN, 3}), {.window = 5});
            }),
            "the series: not every value is a number\n"
            "  got    nan\n"
            "  want   finite numbers only");
  EXPECT_EQ(refused([] {
              forecast(wave(300), {.window = 5, .epochs = 1, .loss = "mse", .learning_rate = 1e30});
            }).substr(0, 43),
            "forecast: the loss is no longer finite\n  go");
  EXPECT_EQ(refused([] { forecast_as_in_lesson(wave(40)); }),
            "the series: too few rows for the lesson's window\n"
            "  got    40 rows\n"
            "  want   at least 60 rows");
}

TEST(Forecast, TooFewRowsSaysHowManyAreEnough) {
  EXPECT_NO_THROW(forecast(wave(73), {.units = 1, .epochs = 1}));
  EXPECT_THROW(forecast(wave(72), {.units = 1, .epochs = 1}), Error);
}

TEST(Lesson, ToTheLetter) {
  const char* folder = std::getenv("UNROLL_DATA_DIR");
  if (folder == nullptr) GTEST_SKIP() << "UNROLL_DATA_DIR is not set";
  const Table table = read_csv(std::string(folder) + "/vix-daily.csv");
  const Forecast done = forecast_as_in_lesson(series_of(table, {.column = "CLOSE"}));
  const ForecastReport& report = done.report;
  EXPECT_EQ(report.rows, 8946);
  EXPECT_EQ(report.predicted.size(), 8896U);
  EXPECT_EQ(report.history.steps_per_epoch, 278);
  EXPECT_EQ(report.history.epochs(), 20U);
  EXPECT_EQ(report.parameters, 2651);
  EXPECT_LE(report.history["loss"].back(), 6e-4);
  EXPECT_NEAR(report.persistence_mse, 5.15e-4, 0.005e-4);
}

TEST(SeriesOf, ChoosesTheOnlyColumnOfNumbers) {
  const Table table = parse_csv("day,x\n2024-01-01,1\n2024-01-02,\n2024-01-03,3\n", "t.csv");
  const Series series = series_of(table);
  EXPECT_EQ(series.name, "t.csv, column x");
  EXPECT_EQ(series.values.shape(), (Shape{2, 1}));
  EXPECT_EQ(series.dates.size(), 2U);
  EXPECT_EQ(series.left_out, (std::vector<Index>{3}));
}

TEST(SeriesOf, Refusals) {
  const Table two = parse_csv("a,b\n1,2\n", "t.csv");
  EXPECT_EQ(refused([&] { series_of(two); }),
            "t.csv has more than one column of numbers\n"
            "  got    a, b\n"
            "hint: choose one: --column b");
  const Table none = parse_csv("a,b\nx,y\n", "t.csv");
  EXPECT_EQ(refused([&] { series_of(none); }),
            "t.csv has no column of numbers\n"
            "  got    a, b\n"
            "hint: name the column to see what is in it: --column NAME");
  const Table hole = parse_csv("a,b\n1,2\n,3\n", "t.csv");
  EXPECT_EQ(refused([&] { series_of(hole, {.column = "a", .strict = true}); }),
            "t.csv, line 3, column a: no value\n"
            "  got    a missing value\n"
            "  want   a number\n"
            "hint: without --strict such rows are left out, and counted");
}

}  // namespace
}  // namespace unroll
