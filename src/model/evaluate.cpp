// evaluate, predict, and what is done with one batch.
#include <algorithm>

#include "src/model/fit_run.h"

namespace unroll {

Logs Model::train_on_batch(const Data& x, const Data& y, const Rows& sample_weight) {
  ModelImpl& model = *impl_;
  model.see(x);
  Trainer& trainer = model.ready(true);
  trainer.check(x, &y);
  trainer.resolve_metrics();
  const Index rows = rows_in(x);
  if (trainer.graph().stateful()) model.fit_states(model.session, rows);
  Totals totals(trainer.metrics());
  const std::vector<Index> order = in_order(rows);
  trainer.train({&x, &y, &sample_weight, order}, model.states(model.session), totals);
  Logs logs;
  totals.report(trainer.metrics(), "", logs);
  return logs;
}

Logs Model::test_on_batch(const Data& x, const Data& y, const Rows& sample_weight) {
  return evaluate(x, y, {.batch_size = rows_in(x), .sample_weight = sample_weight});
}

Tensors Model::predict_on_batch(const Data& x) { return predict(x, {.batch_size = rows_in(x)}); }

Logs Model::evaluate(const Data& x, const Data& y, const EvaluateOptions& options) {
  check_positive("batch_size", options.batch_size);
  check_positive("steps", options.steps);
  ModelImpl& model = *impl_;
  model.see(x);
  Trainer& trainer = model.ready(true);
  trainer.check(x, &y);
  trainer.resolve_metrics();
  const Index rows = rows_in(x), all = batches(rows, options.batch_size);
  const Index steps = std::min(all, options.steps.value_or(all));
  const std::vector<Index> order = in_order(rows);
  for (const auto& callback : options.callbacks) callback->on_test_begin(*this);
  Totals totals(trainer.metrics());
  const Clock clock;
  Logs logs;
  for (Index step = 0; step < steps; ++step) {
    const RowNumbers numbers = batch_of(order, step, options.batch_size);
    if (trainer.graph().stateful()) {
      model.fit_states(model.session, static_cast<Index>(numbers.size()));
    }
    trainer.evaluate({&x, &y, &options.sample_weight, numbers}, model.states(model.session),
                     totals);
    if (options.progress) {
      logs.clear();
      totals.report(trainer.metrics(), "", logs);
      options.progress({ProgressEvent::Kind::step, step + 1, steps, 0, 1, clock.seconds(), logs});
    }
  }
  logs.clear();
  totals.report(trainer.metrics(), "", logs);
  options.progress({ProgressEvent::Kind::epoch, steps, steps, 0, 1, clock.seconds(), logs});
  for (const auto& callback : options.callbacks) callback->on_test_end(*this, logs);
  return logs;
}

Tensors Model::predict(const Data& x, const PredictOptions& options) {
  return predict(impl_->session, x, options);
}

Tensors Model::predict(Session& session, const Data& x, const PredictOptions& options) {
  check_positive("batch_size", options.batch_size);
  ModelImpl& model = *impl_;
  model.see(x);
  Trainer& trainer = model.ready(false);
  trainer.check(x, nullptr);
  const Index rows = rows_in(x);
  const bool stateful = trainer.graph().stateful();
  // Without states the cut into batches changes nothing: larger ones keep all workers busy.
  const Index batch_size = stateful ? options.batch_size : std::max<Index>(options.batch_size, 512);
  const Index steps = batches(rows, batch_size);
  const std::vector<Index> order = in_order(rows);
  Tensors outputs;
  const Clock clock;
  for (Index step = 0; step < steps; ++step) {
    const RowNumbers numbers = batch_of(order, step, batch_size);
    if (stateful) model.fit_states(session, static_cast<Index>(numbers.size()));
    trainer.predict({.x = &x, .numbers = numbers}, model.states(session), outputs,
                    step * batch_size, rows);
    const Index shown = batches(std::min(rows, (step + 1) * batch_size), options.batch_size);
    options.progress({step + 1 == steps ? ProgressEvent::Kind::epoch : ProgressEvent::Kind::step,
                      shown,
                      batches(rows, options.batch_size),
                      0,
                      1,
                      clock.seconds(),
                      {}});
  }
  return outputs;
}

}  // namespace unroll
