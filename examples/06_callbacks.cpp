// Callbacks: a training that stops in time, keeps its best model, and survives being ended.
//
// It must reach a validation loss below 0.002 (a constant has about 0.02), give the best model
// back from its file, and, ended in the middle and begun again, come to the same bytes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

Windows waves() {
  Tensor series({600, 1});
  for (Index i = 0; i < 600; ++i) {
    const double t = static_cast<double>(i);
    series.floats()[i] = static_cast<float>(0.5 + 0.3 * std::sin(0.2 * t) * std::sin(0.031 * t));
  }
  return windows(series, {.length = 20});
}

/// Trains, or goes on where an earlier call was ended; `ends` says after how many steps that is.
History train(Model& model, Index ends) {
  const Windows data = waves();
  Index steps = 0;
  return model.fit(data.x, data.y,
                   {.epochs = 30,
                    .callbacks = {early_stopping({.patience = 5, .restore_best_weights = true}),
                                  reduce_lr_on_plateau({.factor = 0.5, .patience = 2}),
                                  model_checkpoint("06_best.unroll", {.save_best_only = true}),
                                  csv_logger("06_training.csv"), terminate_on_nan(),
                                  backup_and_restore("06_training.backup", {.save_freq = 5})},
                    .validation_split = 0.2,
                    .interrupted = [&steps, ends] { return ++steps == ends; }});
}

Sequential network() {
  Sequential model{GRU(12, {.dropout = 0.1}), Dense(1)};
  model.compile({.optimizer = Adam{.learning_rate = 0.01}, .loss = "mse", .seed = 1});
  return model;
}

int main() {
  std::remove("06_training.backup");
  Sequential whole = network(), ended = network(), again = network();
  const History history = train(whole, -1);
  train(ended, 77);                       // Ctrl-C in the middle of an epoch, say
  const History rest = train(again, -1);  // the same call, in another process perhaps
  const Tensor x = waves().x.slice(0, 100).tensor();
  const Tensor predicted = whole.predict(x)[0], other = again.predict(x)[0];
  const Tensor loaded = load_bundle("06_best.unroll").model.predict(x)[0];

  bool same = rest["val_loss"] == history["val_loss"], kept = true;
  for (Index i = 0; i < predicted.elements(); ++i) {
    same = same && predicted.floats()[i] == other.floats()[i];
    kept = kept && loaded.floats()[i] == other.floats()[i];
  }
  double best = INFINITY;
  for (const double loss : history["val_loss"]) best = std::min(best, loss);
  std::cout << history.epochs() << " epochs, best validation loss " << best
            << " (must be below 0.002)\n"
            << (same ? "ended and begun again: the same bytes\n" : "ended and begun again: OTHER\n")
            << (kept ? "the best model is in 06_best.unroll\n" : "06_best.unroll is OTHER\n");
  return best < 0.002 && same && kept ? 0 : 1;
}
