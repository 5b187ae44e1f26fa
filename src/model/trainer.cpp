#include "src/model/trainer.h"

#include <algorithm>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "src/base/aligned.h"
#include "src/kernels/vector.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Models with fewer dense weights than this (256 KiB of float32) stay in a core's own cache: short
/// lanes then keep more cores busy. Larger ones want more rows for each read of the weights.
constexpr Index small_model = 65536;
constexpr Index most_lanes = 16;  // copies of the gradient

}  // namespace

// --- Totals
// -----------------------------------------------------------------------------------------

Totals::Totals(const std::vector<Metric>& metrics) {
  for (const Metric& metric : metrics) {
    states_.emplace_back(static_cast<std::size_t>(metric_state_size(metric)), 0.0);
  }
}

void Totals::reset() {
  loss_ = rows_ = 0;
  for (auto& state : states_) std::ranges::fill(state, 0.0);
}

void Totals::report(const std::vector<Metric>& metrics, const std::string& prefix,
                    Logs& logs) const {
  logs.emplace_back(prefix + "loss", rows_ == 0 ? 0 : loss_ / rows_);
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    logs.emplace_back(prefix + std::string(metrics[i].name()),
                      metric_result(metrics[i], states_[i]));
  }
}

// --- Trainer
// ----------------------------------------------------------------------------------------

Trainer::Trainer(const Graph& graph, DType dtype, const CompileOptions& options)
    : graph_(graph),
      dtype_(dtype),
      options_(options),
      metrics_(options.metrics),
      valid_(graph.outputs().size(), 0.0),
      workers_(options.threads > 0 ? options.threads : base::default_threads()) {}

Index Trainer::optimizer_numbers() const {
  // Keras counts the step counter and the learning rate too.
  return slots_.empty() && iterations_ == 0
             ? 0
             : static_cast<Index>(slots_.size()) * flat_.trained() + 2;
}

void Trainer::initialize() {
  graph_.number();
  for (std::size_t i = 0; i < graph_.parameters().size(); ++i) {
    graph_.parameters()[i]->initialize(options_.seed, i + 1);
  }
}

void Trainer::bind() {
  initialize();
  flat_.bind(graph_.parameters(), dtype_);
  const auto wanted = static_cast<std::size_t>(slot_count(options_.optimizer));
  const bool fits =
      slots_.size() == wanted &&
      (wanted == 0 || (slots_[0].elements() == flat_.size() && slots_[0].dtype() == dtype_));
  if (fits) return;
  slots_.clear();
  for (std::size_t i = 0; i < wanted; ++i) slots_.emplace_back(Shape{flat_.size()}, dtype_);
  initialize_slots(options_.optimizer, slots_);
}

void Trainer::resolve_metrics(const std::vector<Rows>& y) {
  if (metrics_resolved_) return;
  const Shape& output = graph_.output_symbols()[0].shape();
  for (Metric& metric : metrics_) metric = resolve(metric, options_.loss, output[-1], y[0].shape());
  metrics_resolved_ = true;
}

namespace {

bool fits(const Shape& wanted, const Rows& rows) {
  const Shape& row = rows.row_shape();
  if (row.rank() != wanted.rank() - 1) return false;
  for (int axis = 0; axis < row.rank(); ++axis) {
    if (wanted[axis + 1] != unknown && wanted[axis + 1] != row[axis]) return false;
  }
  return true;
}

Error misfit(std::string what, const Rows& rows, const std::string& want, std::string hint = {}) {
  return Error(ErrorKind::shape, std::move(what),
               {.got = rows.shape().to_string(), .want = want, .hint = std::move(hint)});
}

}  // namespace

void Trainer::check(const std::vector<Rows>& x, const std::vector<Rows>* y) const {
  if (x.size() != graph_.inputs().size()) {
    throw Error(ErrorKind::shape, "the model has another number of inputs",
                {.got = std::to_string(x.size()), .want = std::to_string(graph_.inputs().size())});
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const GraphInput& input = graph_.inputs()[i];
    if (!fits(input.shape, x[i])) {
      const bool flat = input.shape.rank() == 3 && x[i].row_shape().rank() == 1;
      throw misfit("input \"" + input.layer->name + "\" has another shape", x[i],
                   input.shape.to_string(),
                   flat ? "x.reshape({rows, steps, 1}) gives each step one feature" : "");
    }
    if (x[i].count() != x[0].count()) {
      throw misfit("the inputs have different numbers of rows", x[i],
                   std::to_string(x[0].count()) + " rows");
    }
  }
  if (y == nullptr) return;
  if (y->size() != graph_.outputs().size()) {
    throw Error(
        ErrorKind::shape, "the model has another number of outputs",
        {.got = std::to_string(y->size()), .want = std::to_string(graph_.outputs().size())});
  }
  for (std::size_t i = 0; i < y->size(); ++i) {
    const Rows& rows = (*y)[i];
    if (rows.count() != x[0].count()) {
      throw misfit("targets and inputs have different numbers of rows", rows,
                   std::to_string(x[0].count()) + " rows");
    }
  }
}

Index Trainer::lane_rows(Index batch, bool training) const {
  if (training && graph_.needs_whole_batch()) return batch;
  const Index least = flat_.dense_size() <= small_model ? 8 : 16;
  const Index even = (batch + most_lanes - 1) / most_lanes;
  return std::max(least, base::round_up(even, 8));
}

void Trainer::prepare(bool training) {
  workers_.run(static_cast<Index>(graph_.layers().size()), [&](Index i) {
    graph_.layers()[static_cast<std::size_t>(i)]->prepare(dtype_, training);
  });
}

void Trainer::start_lane(std::size_t lane, const Batch& batch, const RunMode& mode,
                         Index rows_each) {
  const Index first = static_cast<Index>(lane) * rows_each;
  const Index rows = std::min(rows_each, static_cast<Index>(batch.numbers.size()) - first);
  Lane& own = *lanes_[lane];
  own.start(mode, first, rows, mode.recording ? &flat_ : nullptr);
  own.gather(*batch.x, batch.numbers.subspan(static_cast<std::size_t>(first),
                                             static_cast<std::size_t>(rows)));
  own.forward();
}

void Trainer::count_valid(std::size_t lane) {
  for (std::size_t output = 0; output < graph_.outputs().size(); ++output) {
    const Mask& mask = lanes_[lane]->output_mask(output);
    double count = 0;
    for (Index i = 0; mask && i < mask.time * mask.rows; ++i) count += mask.data[i] != 0 ? 1 : 0;
    sums_[lane].valid[output] = count;
  }
}

void Trainer::add_lanes(Index lanes) {
  while (static_cast<Index>(lanes_.size()) < lanes) {
    lanes_.push_back(std::make_unique<Lane>(graph_, dtype_));
    LaneSums sums;
    sums.valid.assign(graph_.outputs().size(), 0.0);
    for (const Metric& metric : metrics_) {
      sums.metrics.emplace_back(static_cast<std::size_t>(metric_state_size(metric)), 0.0);
    }
    sums_.push_back(std::move(sums));
  }
}

void Trainer::run_batch(const Batch& batch, const RunMode& mode, Totals& totals) {
  const auto rows = static_cast<Index>(batch.numbers.size());
  const Index rows_each = lane_rows(rows, mode.training);
  const Index lanes = (rows + rows_each - 1) / rows_each;
  running_lanes_ = lanes;
  add_lanes(lanes);
  prepare(mode.recording);
  const auto finish = [&](std::size_t lane) {
    lose(lane, batch, mode.recording, rows_each);
    if (mode.recording) lanes_[lane]->backward();
  };
  if (!graph_.makes_masks()) {
    workers_.run(lanes, [&](Index i) {
      const auto lane = static_cast<std::size_t>(i);
      start_lane(lane, batch, mode, rows_each);
      finish(lane);
    });
  } else {
    // A join: the mean over unmasked samples needs their number in the whole batch.
    workers_.run(lanes, [&](Index i) {
      start_lane(static_cast<std::size_t>(i), batch, mode, rows_each);
      count_valid(static_cast<std::size_t>(i));
    });
    std::ranges::fill(valid_, 0.0);
    for (Index i = 0; i < lanes; ++i) {
      for (std::size_t o = 0; o < valid_.size(); ++o) {
        valid_[o] += sums_[static_cast<std::size_t>(i)].valid[o];
      }
    }
    workers_.run(lanes, [&](Index i) { finish(static_cast<std::size_t>(i)); });
  }
  double loss = 0;
  for (Index i = 0; i < lanes; ++i) {
    LaneSums& sums = sums_[static_cast<std::size_t>(i)];
    loss += sums.loss;
    for (std::size_t m = 0; m < metrics_.size(); ++m) {
      metric_add(totals.state(m), sums.metrics[m]);
    }
  }
  with_float(dtype_, [&]<class T>() { loss += penalties<T>(); });
  totals.add_loss(loss, rows);
}

void Trainer::lose(std::size_t lane, const Batch& batch, bool training, Index rows_each) {
  LaneSums& sums = sums_[lane];
  sums.loss = 0;
  for (auto& state : sums.metrics) std::ranges::fill(state, 0.0);
  const Index first = static_cast<Index>(lane) * rows_each;
  const RowNumbers numbers = batch.numbers.subspan(static_cast<std::size_t>(first),
                                                   static_cast<std::size_t>(lanes_[lane]->rows()));
  for (std::size_t output = 0; output < graph_.outputs().size(); ++output) {
    with_float(dtype_, [&]<class T>() { lose_output<T>(lane, output, batch, training, numbers); });
  }
}

template <class T>
void Trainer::lose_output(std::size_t lane, std::size_t output, const Batch& batch, bool training,
                          RowNumbers numbers) {
  Lane& own = *lanes_[lane];
  const Var& predicted = own.output(output);
  const Index n = predicted.shape()[-1], samples = predicted.elements() / n;
  const Index rows = own.rows(), per_row = samples / rows;
  const Rows& y = (*batch.y)[output];
  if (y.row_elements() != per_row * target_size(options_.loss, n)) {
    throw misfit(
        "targets do not fit output \"" + graph_.output_symbols()[output].node()->layer->name + "\"",
        y, std::to_string(per_row * target_size(options_.loss, n)) + " numbers a row",
        "sparse losses take labels, the others one number for each of the output's");
  }
  const bool by_step = predicted.time_first() && per_row > 1;
  const Var truth = gather_rows(own.tape(), y, numbers, dtype_, by_step);

  // What each sample weighs: its row's weight, its mask, and one over the number of samples.
  base::Arena& arena = own.tape().arena();
  T* weight = arena.take<T>(samples);
  std::fill_n(weight, samples, T{1});
  const Mask& mask = own.output_mask(output);
  const bool masked = mask && mask.time * rows == samples;
  const bool weighted = batch.sample_weight != nullptr && !batch.sample_weight->empty();
  const Var given = weighted ? gather_rows(own.tape(), *batch.sample_weight, numbers, dtype_,
                                           by_step && batch.sample_weight->row_elements() > 1)
                             : Var();
  for (Index s = 0; s < samples; ++s) {
    const Index r = by_step ? s % rows : s / per_row;
    if (masked) {
      const Index t = by_step ? s / rows : s % per_row;
      weight[s] = mask.data[t * rows + r] != 0 ? T{1} : T{0};
    }
  }
  LaneSums& sums = sums_[lane];
  if (output == 0) {
    for (std::size_t m = 0; m < metrics_.size(); ++m) {
      metric_update(metrics_[m], samples, n, truth.data<T>(), predicted.data<T>(),
                    masked ? weight : nullptr, std::span<double>(sums.metrics[m]));
    }
  }
  const double all = static_cast<double>(per_row) * static_cast<double>(batch.numbers.size());
  // Keras adds its epsilon to the number of unmasked samples.
  const double count = masked ? valid_[output] + 1e-7 : all;
  const T share = static_cast<T>(1 / count);
  const bool each = given && given.elements() == samples;
  for (Index s = 0; s < samples; ++s) {
    const Index r = by_step ? s % rows : s / per_row;
    weight[s] *= share * (given ? given.data<T>()[each ? s : r] : T{1});
  }
  T* values = arena.take<T>(samples);
  loss_values(options_.loss, samples, n, truth.data<T>(), predicted.data<T>(), values);
  double total = 0;
  for (Index s = 0; s < samples; ++s) {
    if (weight[s] != T{0}) total += static_cast<double>(values[s]) * static_cast<double>(weight[s]);
  }
  sums.loss += total;
  if (training && predicted.needs_gradient()) {
    loss_gradient(options_.loss, samples, n, truth.data<T>(), predicted.data<T>(), weight,
                  predicted.gradient<T>());
  }
}

void Trainer::train(const Batch& batch, States& states, Totals& totals) {
  ++iterations_;
  const RunMode mode{.training = true,
                     .recording = true,
                     .seed = options_.seed,
                     .step = static_cast<std::uint64_t>(iterations_),
                     .states = &states};
  run_batch(batch, mode, totals);
  update();
}

void Trainer::evaluate(const Batch& batch, States& states, Totals& totals) {
  run_batch(batch, {.states = &states}, totals);
}

void Trainer::predict(const Batch& batch, States& states, Tensors& outputs, Index first,
                      Index rows) {
  const auto count = static_cast<Index>(batch.numbers.size());
  const Index rows_each = std::max<Index>(lane_rows(count, false), 16);
  const Index lanes = (count + rows_each - 1) / rows_each;
  add_lanes(lanes);
  prepare(false);
  const RunMode mode{.states = &states};
  workers_.run(lanes,
               [&](Index i) { start_lane(static_cast<std::size_t>(i), batch, mode, rows_each); });
  for (std::size_t o = outputs.size(); o < graph_.outputs().size(); ++o) {
    const Var& y = lanes_[0]->output(o);
    const Shape row = y.time_first() ? y.shape().without(1) : y.shape().without(0);
    outputs.push_back(Tensor(row.with(0, rows), dtype_));
  }
  workers_.run(lanes, [&](Index i) {
    Lane& lane = *lanes_[static_cast<std::size_t>(i)];
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      Var y = lane.output(o);
      if (y.time_first()) y = swap_first_axes(y);
      const Index place = (first + lane.first_row()) * (y.elements() / lane.rows());
      std::memcpy(static_cast<std::byte*>(outputs[o].raw()) + place * size_of(dtype_),
                  y.data<std::byte>(), static_cast<std::size_t>(y.elements() * size_of(dtype_)));
    }
  });
}

}  // namespace unroll
