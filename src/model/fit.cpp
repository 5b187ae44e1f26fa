// fit, evaluate, predict: epochs and batches over a Trainer.
#include <algorithm>
#include <chrono>
#include <numeric>

#include "src/base/random.h"
#include "src/model/model_impl.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Streams of random numbers beside those of weights and layers.
constexpr std::uint64_t shuffle_stream = std::uint64_t{1} << 62;

class Clock {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

Index batches(Index rows, Index batch_size) { return (rows + batch_size - 1) / batch_size; }

RowNumbers batch_of(const std::vector<Index>& order, Index batch, Index batch_size) {
  const auto first = static_cast<std::size_t>(batch * batch_size);
  const auto count = std::min(static_cast<std::size_t>(batch_size), order.size() - first);
  return RowNumbers(order).subspan(first, count);
}

std::vector<Index> in_order(Index rows) {
  std::vector<Index> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), Index{0});
  return order;
}

/// The same permutation for the same seed and epoch, on every machine.
void shuffle(std::vector<Index>& order, std::uint64_t seed, Index epoch) {
  const base::Random random(seed, shuffle_stream + static_cast<std::uint64_t>(epoch));
  std::iota(order.begin(), order.end(), Index{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1],
              order[static_cast<std::size_t>(random.below(static_cast<Index>(i), i))]);
  }
}

Data slice(const Data& data, Index first, Index last) {
  Data part;
  for (const Rows& rows : data) part.push_back(rows.slice(first, last));
  return part;
}

Index rows_in(const Data& x) {
  if (x.empty() || x[0].count() == 0) {
    throw Error(
        ErrorKind::value, "no rows",
        {.got = x.empty() ? "no inputs" : x[0].shape().to_string(), .want = "at least one row"});
  }
  return x[0].count();
}

void check_positive(const char* what, Index value) {
  if (value >= 1) return;
  throw Error(ErrorKind::value, std::string(what) + " is not positive",
              {.got = std::to_string(value), .want = "1 or more"});
}

/// What is trained on and what is watched.
struct Parts {
  Data x, y;
  Rows weight;
  std::optional<Validation> validation;
};

Parts parts_of(const Data& x, const Data& y, const FitOptions& options) {
  Parts parts{x, y, options.sample_weight, options.validation_data};
  const Index rows = rows_in(x);
  if (!parts.weight.empty() && parts.weight.count() != rows) {
    throw Error(ErrorKind::shape, "sample_weight has another number of rows",
                {.got = std::to_string(parts.weight.count()), .want = std::to_string(rows)});
  }
  const double share = options.validation_split;
  if (share == 0 || parts.validation) return parts;
  const auto cut = static_cast<Index>(static_cast<double>(rows) * (1 - share));
  if (!(share > 0 && share < 1) || cut == 0 || cut == rows) {
    throw Error(ErrorKind::value, "validation_split leaves nothing on one side",
                {.got = std::to_string(share) + " of " + std::to_string(rows) + " rows",
                 .want = "a share between 0 and 1"});
  }
  parts.validation = Validation{slice(x, cut, rows), slice(y, cut, rows), {}};
  if (!parts.weight.empty()) {
    parts.validation->sample_weight = parts.weight.slice(cut, rows);
    parts.weight = parts.weight.slice(0, cut);
  }
  parts.x = slice(x, 0, cut);
  parts.y = slice(y, 0, cut);
  return parts;
}

}  // namespace

History Model::fit(const Data& x, const Data& y, const FitOptions& options) {
  check_positive("batch_size", options.batch_size);
  check_positive("epochs", options.epochs);
  const Parts parts = parts_of(x, y, options);
  ModelImpl& model = *impl_;
  model.see(parts.x);
  Trainer& trainer = model.ready(true);
  trainer.check(parts.x, &parts.y);
  trainer.resolve_metrics();
  if (parts.validation) trainer.check(parts.validation->x, &parts.validation->y);

  const Index rows = rows_in(parts.x), steps = batches(rows, options.batch_size);
  std::vector<Index> order = in_order(rows);
  Totals totals(trainer.metrics());
  History history;
  history.steps_per_epoch = steps;
  const Clock whole;
  model.stop = false;
  for (const auto& callback : options.callbacks) callback->on_train_begin(*this);
  Logs logs;
  for (Index epoch = 0; epoch < options.epochs && !model.stop; ++epoch) {
    const Clock clock;
    for (const auto& callback : options.callbacks) callback->on_epoch_begin(*this, epoch);
    if (options.shuffle) shuffle(order, trainer.seed(), epoch);
    totals.reset();
    for (Index step = 0; step < steps && !model.stop; ++step) {
      const RowNumbers numbers = batch_of(order, step, options.batch_size);
      if (trainer.graph().stateful()) {
        model.fit_states(model.session, static_cast<Index>(numbers.size()));
      }
      trainer.train({&parts.x, &parts.y, &parts.weight, numbers}, model.states(model.session),
                    totals);
      if (options.progress || !options.callbacks.empty()) {
        logs.clear();
        totals.report(trainer.metrics(), "", logs);
        options.progress({ProgressEvent::Kind::step, step + 1, steps, epoch, options.epochs,
                          clock.seconds(), logs});
        for (const auto& callback : options.callbacks) callback->on_step_end(*this, step, logs);
      }
      if (options.interrupted && options.interrupted()) model.stop = true;
    }
    logs.clear();
    totals.report(trainer.metrics(), "", logs);
    if (parts.validation && !(options.interrupted && model.stop)) {
      const Logs watched = evaluate(
          parts.validation->x, parts.validation->y,
          {.batch_size = options.batch_size, .sample_weight = parts.validation->sample_weight});
      for (const auto& [name, value] : watched) logs.emplace_back("val_" + name, value);
    }
    history.add(logs);
    options.progress(
        {ProgressEvent::Kind::epoch, steps, steps, epoch, options.epochs, clock.seconds(), logs});
    for (const auto& callback : options.callbacks) callback->on_epoch_end(*this, epoch, logs);
  }
  for (const auto& callback : options.callbacks) callback->on_train_end(*this);
  history.seconds = whole.seconds();
  return history;
}

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

Logs Model::evaluate(const Data& x, const Data& y, const EvaluateOptions& options) {
  check_positive("batch_size", options.batch_size);
  ModelImpl& model = *impl_;
  model.see(x);
  Trainer& trainer = model.ready(true);
  trainer.check(x, &y);
  trainer.resolve_metrics();
  const Index rows = rows_in(x), steps = batches(rows, options.batch_size);
  const std::vector<Index> order = in_order(rows);
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
