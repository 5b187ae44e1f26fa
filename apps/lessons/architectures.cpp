// The four ways in which inputs and outputs can be sequences, each trained to something it can do.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <numbers>

#include "apps/lesson.h"
#include "unroll/layers.h"
#include "unroll/plot_model.h"
#include "unroll/recurrent.h"

namespace unroll::apps {

namespace {

constexpr Index rows = 1000, steps = 8, waves = 4, digits = 6;

struct Task {
  const char* architecture;
  const char* task;
  std::string layers;
  Sequential model;
  Tensor x, y;
  CompileOptions how;
  Index epochs;
};

/// A point, and whether it lies in the unit circle of area one half.
Task one_to_one(const Draws& draws) {
  Tensor x({rows, 2}), y({rows, 1});
  for (Index row = 0; row < rows; ++row) {
    const float a = draws.number(2 * row), b = draws.number(2 * row + 1);
    x.floats()[2 * row] = a;
    x.floats()[2 * row + 1] = b;
    y.floats()[row] = a * a + b * b < 2 / std::numbers::pi_v<float> ? 1.0F : 0.0F;
  }
  return {"one-to-one",
          "is the point inside the circle?",
          "Dense(16) > Dense(1)",
          Sequential{Dense(16, {.activation = "relu"}), Dense(1, {.activation = "sigmoid"})},
          x,
          y,
          {.loss = "binary_crossentropy", .metrics = {"accuracy"}},
          30};
}

/// A label becomes a wave of that many periods.
Task one_to_many(const Draws& draws) {
  Tensor x({rows, waves}), y({rows, steps, 1});
  for (Index row = 0; row < rows; ++row) {
    const Index label = draws.below(waves, row);
    x.floats()[row * waves + label] = 1;
    for (Index t = 0; t < steps; ++t) {
      const double turn = static_cast<double>(t) / steps * static_cast<double>(label + 1) / 2;
      y.floats()[row * steps + t] = static_cast<float>(std::sin(2 * std::numbers::pi * turn));
    }
  }
  return {"one-to-many",
          "a label becomes a wave",
          "RepeatVector(8) > GRU(24) > Dense(1)",
          Sequential{RepeatVector(steps), GRU(24, {.return_sequences = true}), Dense(1)},
          x,
          y,
          {.loss = "mse", .metrics = {R2Score()}},
          25};
}

/// Which sign is more frequent?
Task many_to_one(const Draws& draws) {
  Tensor x({rows, steps + 1, 1}), y({rows, 1});
  for (Index row = 0; row < rows; ++row) {
    float sum = 0;
    for (Index t = 0; t <= steps; ++t) {
      sum += x.floats()[row * (steps + 1) + t] = draws.sign(row * (steps + 1) + t);
    }
    y.floats()[row] = sum > 0 ? 1.0F : 0.0F;
  }
  return {"many-to-one",
          "which sign is more frequent?",
          "SimpleRNN(12) > Dense(1)",
          Sequential{SimpleRNN(12), Dense(1, {.activation = "sigmoid"})},
          x,
          y,
          {.loss = "binary_crossentropy", .metrics = {"accuracy"}},
          10};
}

/// Each step: have there been more 1 than -1 so far?
Task synchronised(const Draws& draws) {
  Tensor x({rows, steps, 1}), y({rows, steps, 1});
  for (Index row = 0; row < rows; ++row) {
    float sum = 0;
    for (Index t = 0; t < steps; ++t) {
      const Index at = row * steps + t;
      sum += x.floats()[at] = draws.sign(at);
      y.floats()[at] = sum > 0 ? 1.0F : 0.0F;
    }
  }
  return {
      "many-to-many",
      "more 1 than -1 so far? at every step",
      "SimpleRNN(12, return_sequences) > Dense(1)",
      Sequential{SimpleRNN(12, {.return_sequences = true}), Dense(1, {.activation = "sigmoid"})},
      x,
      y,
      {.loss = "binary_crossentropy", .metrics = {"accuracy"}},
      10};
}

/// A sequence is read to its end, then written backwards.
Task encoder_decoder(const Draws& draws) {
  constexpr Index length = 5;
  Tensor x({2 * rows, length, digits}), y({2 * rows, length}, DType::int32);
  for (Index row = 0; row < 2 * rows; ++row) {
    for (Index t = 0; t < length; ++t) {
      const Index digit = draws.below(digits, row * length + t);
      x.floats()[(row * length + t) * digits + digit] = 1;
      y.values<std::int32_t>()[static_cast<std::size_t>(row * length + length - 1 - t)] =
          static_cast<std::int32_t>(digit);
    }
  }
  return {"encoder-decoder",
          "five digits are written backwards",
          "LSTM(64) > RepeatVector(5) > LSTM(64) > Dense(6)",
          Sequential{LSTM(64), RepeatVector(length), LSTM(64, {.return_sequences = true}),
                     Dense(digits, {.activation = "softmax"})},
          x,
          y,
          {.loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}},
          30};
}

}  // namespace

LessonResult architectures_lesson(const LessonRun& run) {
  const Draws draws(run.seed);
  LessonTable shapes{{"architecture", "input", "output", "layers"}, {}};
  LessonTable results{{"architecture", "task", "on unseen rows", "seconds"}, {}};
  double worst = 1;
  Task tasks[] = {one_to_one(draws), one_to_many(draws), many_to_one(draws), synchronised(draws),
                  encoder_decoder(draws)};
  for (Task& task : tasks) {
    run.note(fmt::format("training {}: {}", task.architecture, task.task));
    task.how.optimizer = Adam{.learning_rate = 1e-2};
    task.how.seed = run.seed;
    task.how.threads = run.threads;
    task.model.compile(task.how);
    const History history = task.model.fit(
        task.x, task.y,
        {.epochs = task.epochs, .validation_split = 0.2, .interrupted = run.interrupted});
    if (run.interrupted()) return {};
    const bool share = history.has("val_accuracy");
    const double reached = history[share ? "val_accuracy" : "val_r2_score"].back();
    worst = std::min(worst, reached);
    const Shape in = task.model.inputs()[0].shape(), out = task.model.outputs()[0].shape();
    shapes.rows.push_back({task.architecture, in.to_string(), out.to_string(), task.layers});
    results.rows.push_back(
        {task.architecture, task.task,
         share ? fmt::format("{:.1f} % right", 100 * reached) : fmt::format("R2 {:.3f}", reached),
         fmt::format("{:.1f}", history.seconds)});
  }
  LessonResult result;
  result.tables = {shapes, results};
  result.seen = fmt::format(
      "The same layers serve all five: what differs is whether the last step is taken "
      "(return_sequences off), every step, or one vector is handed to a second network. None here "
      "means any number of rows. The least of the five results is {:.3f}.",
      worst);
  const Model last = tasks[std::size(tasks) - 1].model;
  result.picture = [last](const std::string& path) {
    plot_model(last, path, {.show_shapes = true});
  };
  return result;
}

}  // namespace unroll::apps
