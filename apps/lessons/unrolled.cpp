// A recurrent network laid out in time: the same numbers from a feed-forward network.
#include "unroll/unrolled.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/lesson.h"
#include "unroll/layers.h"
#include "unroll/plot_model.h"
#include "unroll/recurrent.h"

namespace unroll::apps {

namespace {

constexpr Index steps = 4, features = 3, units = 5;

Tensor inputs(const Draws& draws, DType dtype) {
  Tensor x({16, steps, features});
  for (Index i = 0; i < x.elements(); ++i) x.floats()[i] = draws.number(i);
  return x.to(dtype);
}

double worst_difference(const Tensor& a, const Tensor& b) {
  const Tensor left = a.to(DType::float64), right = b.to(DType::float64);
  double worst = 0;
  for (std::size_t i = 0; i < left.values<double>().size(); ++i) {
    worst = std::max(worst, std::abs(left.values<double>()[i] - right.values<double>()[i]));
  }
  return worst;
}

}  // namespace

LessonResult unrolled_lesson(const LessonRun& run) {
  const Draws draws(run.seed);
  LessonTable table{{"recurrent layer", "weights", "layers unrolled", "weights unrolled",
                     "float32 differs by", "float64 differs by"},
                    {}};
  double worst_single = 0, worst_double = 0;
  Model drawn = Sequential{InputLayer({.shape = {steps, features}}), SimpleRNN(units), Dense(1)};
  for (const Layer& recurrent : {Layer(SimpleRNN(units)), Layer(GRU(units)), Layer(LSTM(units))}) {
    double differs[2];
    Sequential model{InputLayer({.shape = {unknown, features}}), recurrent, Dense(1)};
    model.compile({.seed = run.seed, .threads = run.threads});
    Model flat = unroll_in_time(model, steps);
    for (const DType dtype : {DType::float32, DType::float64}) {
      model.set_dtype(dtype);
      const Tensor x = inputs(draws, dtype);
      flat = unroll_in_time(model, steps);
      differs[dtype == DType::float64] = worst_difference(model.predict(x)[0], flat.predict(x)[0]);
    }
    Index layers = 0;
    for (const Layer& layer : flat.layers()) layers += layer.class_name() == "CellStep";
    worst_single = std::max(worst_single, differs[0]);
    worst_double = std::max(worst_double, differs[1]);
    table.rows.push_back({fmt::format("{}({})", recurrent.class_name(), units),
                          std::to_string(model.count_params()), std::to_string(layers),
                          std::to_string(flat.count_params()), fmt::format("{:.1e}", differs[0]),
                          fmt::format("{:.1e}", differs[1])});
  }
  LessonResult result;
  result.tables = {table};
  result.seen = fmt::format(
      "For {} steps a recurrent layer is {} feed-forward layers, one a step, all with the same "
      "weights: as many numbers to learn as before, and the same outputs, to {:.0e} in float32 and "
      "{:.0e} in float64, which is how they are rounded. --plot draws the unrolled network.",
      steps, steps, worst_single, worst_double);
  const Model flat = unroll_in_time(drawn, steps);
  result.picture = [flat](const std::string& path) {
    plot_model(flat, path, {.show_shapes = true, .rankdir = "LR"});
  };
  return result;
}

}  // namespace unroll::apps
