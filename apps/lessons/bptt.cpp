// Backpropagation through time of a SimpleRNN with two units, written out by hand.
//
//   forward    h_t = tanh(x_t W + h_{t-1} R), loss = (h_T v - y)^2
//   backward   d loss / d h_T     = 2 (h_T v - y) v
//              d loss / d h_{t-1} = (d loss / d h_t * (1 - h_t^2)) R'
//              d loss / d R       = sum over t of h_{t-1}' (d loss / d h_t * (1 - h_t^2))
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "apps/lesson.h"
#include "unroll/layers.h"
#include "unroll/plot.h"
#include "unroll/recurrent.h"
#include "unroll/unrolled.h"

namespace unroll::apps {

namespace {

constexpr Index steps = 6;
using Two = std::array<double, 2>;

/// What is known of the network: one feature, two units.
struct Weights {
  Two W, v;
  std::array<Two, 2> R;  // R[from][to]
};

std::vector<Two> forward(const Weights& w, const std::vector<double>& x) {
  std::vector<Two> h{{0, 0}};
  for (const double x_t : x) {
    Two next{};
    for (std::size_t j = 0; j < 2; ++j) {
      next[j] = std::tanh(x_t * w.W[j] + h.back()[0] * w.R[0][j] + h.back()[1] * w.R[1][j]);
    }
    h.push_back(next);
  }
  return h;
}

double loss(const Weights& w, const std::vector<double>& x, double y) {
  const Two last = forward(w, x).back();
  const double error = last[0] * w.v[0] + last[1] * w.v[1] - y;
  return error * error;
}

/// d loss / d h_t for t = 1 .. T, and d loss / d R.
struct Back {
  std::vector<Two> dh;
  std::array<Two, 2> dR{};
};
Back backward(const Weights& w, const std::vector<double>& x, double y) {
  const std::vector<Two> h = forward(w, x);
  Back back;
  back.dh.resize(x.size());
  const double error = h.back()[0] * w.v[0] + h.back()[1] * w.v[1] - y;
  back.dh.back() = {2 * error * w.v[0], 2 * error * w.v[1]};
  for (std::size_t t = x.size(); t-- > 0;) {
    Two dz{};
    for (std::size_t j = 0; j < 2; ++j) dz[j] = back.dh[t][j] * (1 - h[t + 1][j] * h[t + 1][j]);
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t j = 0; j < 2; ++j) back.dR[i][j] += h[t][i] * dz[j];
      if (t > 0) back.dh[t - 1][i] = dz[0] * w.R[i][0] + dz[1] * w.R[i][1];
    }
  }
  return back;
}

}  // namespace

LessonResult bptt_lesson(const LessonRun& run) {
  Sequential model{InputLayer({.shape = {steps, 1}}), SimpleRNN(2, {.use_bias = false}),
                   Dense(1, {.use_bias = false})};
  model.compile({.loss = "mse", .seed = run.seed, .threads = run.threads});
  model.set_dtype(DType::float64);
  const Draws draws(run.seed);
  Tensor x({1, steps, 1}, DType::float64), y({1, 1}, DType::float64);
  std::vector<double> numbers;
  for (Index t = 0; t < steps; ++t) {
    numbers.push_back(static_cast<double>(draws.number(t)));
    x.values<double>()[static_cast<std::size_t>(t)] = numbers.back();
  }
  const double target = 0.5;
  y.values<double>()[0] = target;
  model.predict(x);
  const auto weights = model.get_weights();
  const auto at = [&](std::size_t which, Index i) {
    return weights[which].to(DType::float64).values<double>()[static_cast<std::size_t>(i)];
  };
  const Weights w{{at(0, 0), at(0, 1)},
                  {at(2, 0), at(2, 1)},
                  {Two{at(1, 0), at(1, 1)}, Two{at(1, 2), at(1, 3)}}};
  const Back back = backward(w, numbers, target);
  const StepGradients found = gradients_by_step(model, x, y)[0];

  LessonTable table{{"step", "dL/dh by hand", "by unroll", "length"}, {}};
  double worst = 0;
  for (Index t = 0; t < steps; ++t) {
    const auto s = static_cast<std::size_t>(t);
    const auto by_unroll = found.gradients[s].values<double>();
    for (std::size_t j = 0; j < 2; ++j) {
      worst = std::max(worst, std::abs(by_unroll[j] - back.dh[s][j]));
    }
    table.rows.push_back({std::to_string(t + 1),
                          fmt::format("({:+.6f}, {:+.6f})", back.dh[s][0], back.dh[s][1]),
                          fmt::format("({:+.6f}, {:+.6f})", by_unroll[0], by_unroll[1]),
                          fmt::format("{:.6f}", found.norms[s])});
  }
  LessonTable recurrent{{"weight", "dL/dR by hand", "by differences"}, {}};
  double worst_difference = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      constexpr double step = 1e-6;
      Weights up = w, down = w;
      up.R[i][j] += step;
      down.R[i][j] -= step;
      const double difference =
          (loss(up, numbers, target) - loss(down, numbers, target)) / (2 * step);
      worst_difference = std::max(worst_difference, std::abs(difference - back.dR[i][j]));
      recurrent.rows.push_back({fmt::format("R[{}][{}]", i, j),
                                fmt::format("{:+.8f}", back.dR[i][j]),
                                fmt::format("{:+.8f}", difference)});
    }
  }
  LessonResult result;
  result.tables = {table, recurrent};
  result.seen = fmt::format(
      "The error enters at the last step and comes back through R, step by step, each time times "
      "the slope of tanh; every step adds its part to the gradient of R. By hand and by unroll: "
      "different by at most {:.0e}. By hand and by differences of the loss: {:.0e}.",
      worst, worst_difference);
  Tensor norms({steps});
  for (Index t = 0; t < steps; ++t) {
    norms.floats()[t] = static_cast<float>(found.norms[static_cast<std::size_t>(t)]);
  }
  const PlotOptions plot{.title = "What comes back to each step",
                         .lines = {{"|dL/dh|", norms, 1}},
                         .x_label = "step",
                         .y_label = "length of the gradient",
                         .command = run.command};
  result.picture = [plot](const std::string& path) { Plot(plot).save(path); };
  return result;
}

}  // namespace unroll::apps
