#include "src/model/trainer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "src/autograd/dispatch.h"
#include "src/base/aligned.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Models with fewer dense weights than this (256 KiB of float32) stay in a core's own cache: short
/// lanes then keep more cores busy. Larger ones want more rows for each read of the weights.
constexpr Index small_model = 65536;
constexpr Index most_lanes = 16;  // copies of the gradient

/// Whether the loss itself leaves samples out of its mean (ignore_class).
bool leaves_samples_out(const Loss& loss) { return loss_mask<float>(loss, 0, nullptr, nullptr); }

/// Whether a sample is a whole sequence: its labels are not one for each step.
bool aligns(const Loss& loss) { return std::holds_alternative<CTC>(loss.options()); }

}  // namespace

// --- Totals ---

Totals::Totals(const std::vector<Watched>& watched) {
  for (const Watched& one : watched) {
    states_.emplace_back(static_cast<std::size_t>(metric_state_size(one.metric)), 0.0);
  }
}

void Totals::reset() {
  loss_ = rows_ = 0;
  for (auto& state : states_) std::ranges::fill(state, 0.0);
}

void Totals::report(const std::vector<Watched>& watched, const std::string& prefix,
                    Logs& logs) const {
  logs.emplace_back(prefix + "loss", rows_ == 0 ? 0 : loss_ / rows_);
  for (std::size_t i = 0; i < watched.size(); ++i) {
    logs.emplace_back(prefix + watched[i].name, metric_result(watched[i].metric, states_[i]));
  }
}

// --- Trainer ---

Trainer::Trainer(const Graph& graph, DType dtype, const CompileOptions& options)
    : graph_(graph),
      dtype_(dtype),
      options_(options),
      goals_(graph.outputs().size(), Goal{options.loss, 1}),
      counts_(graph.outputs().size()),
      workers_(options.threads > 0 ? options.threads : base::default_threads()) {}

Index Trainer::optimizer_numbers() const {
  return iterations_ == 0 ? 0 : optimizer_size(options_.optimizer, flat_.trained());
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

namespace {

void check_list(const char* what, std::size_t count, std::size_t outputs) {
  if (count == 0 || count == outputs) return;
  throw Error(ErrorKind::value,
              std::string("compile: ") + what + " is not a list of one for each output",
              {.got = std::to_string(count), .want = std::to_string(outputs)});
}

}  // namespace

void Trainer::resolve_metrics() {
  if (metrics_resolved_) return;
  const std::size_t outputs = goals_.size();
  check_list("losses", options_.losses.size(), outputs);
  check_list("loss_weights", options_.loss_weights.size(), outputs);
  check_list("metrics_of_outputs", options_.metrics_of_outputs.size(), outputs);
  for (std::size_t o = 0; o < outputs; ++o) {
    if (!options_.losses.empty()) goals_[o].loss = options_.losses[o];
    if (!options_.loss_weights.empty()) goals_[o].weight = options_.loss_weights[o];
  }
  watched_.clear();
  for (std::size_t o = 0; outputs > 1 && o < outputs; ++o) {
    watched_.push_back({Mean{}, o, output_name(o) + "_loss", false, true});
  }
  for (std::size_t o = 0; o < outputs; ++o) {
    const bool own = !options_.metrics_of_outputs.empty();
    add_watched(o, own ? options_.metrics_of_outputs[o] : options_.metrics, false);
    add_watched(o, options_.weighted_metrics, true);
  }
  metrics_resolved_ = true;
  // Lanes that predicted before have no room for what the metrics keep.
  lanes_.clear();
  sums_.clear();
}

const std::string& Trainer::output_name(std::size_t output) const {
  return graph_.output_symbols()[output].node()->layer->name;
}

void Trainer::add_watched(std::size_t output, const std::vector<Metric>& metrics, bool weighted) {
  if (!metrics.empty() && aligns(goals_[output].loss)) {
    throw Error(ErrorKind::unsupported, "compile: metrics of an output that is trained with ctc",
                {.got = "\"" + output_name(output) + "\"",
                 .hint = "decode the predictions and count with LabelErrorRate (unroll/ctc.h)"});
  }
  const Index n = graph_.output_symbols()[output].shape()[-1];
  for (const Metric& metric : metrics) {
    const Metric resolved = resolve(metric, goals_[output].loss, n);
    std::string name(resolved.name());
    if (goals_.size() > 1) name = output_name(output) + "_" + name;
    const bool taken =
        std::ranges::any_of(watched_, [&](const Watched& one) { return one.name == name; });
    if (taken && weighted) name = "weighted_" + name;
    watched_.push_back({resolved, output, name, weighted, false});
  }
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

void Trainer::add_lanes(Index lanes) {
  while (static_cast<Index>(lanes_.size()) < lanes) {
    lanes_.push_back(std::make_unique<Lane>(graph_, dtype_));
    LaneSums sums;
    sums.targets.resize(graph_.outputs().size());
    sums.losses.resize(graph_.outputs().size());
    for (const Watched& one : watched_) {
      sums.metrics.emplace_back(static_cast<std::size_t>(metric_state_size(one.metric)), 0.0);
    }
    sums_.push_back(std::move(sums));
  }
}

namespace {

/// Steps of a row (time, ...) that are filled with `padding` and nothing else.
template <class T>
Index padded_steps(const Rows& rows, Index row, double padding) {
  const auto numbers = static_cast<const T*>(rows.row(row));
  const Index time = rows.row_shape()[0], width = rows.row_elements() / std::max<Index>(time, 1);
  Index count = 0;
  for (Index t = 0; t < time; ++t) {
    const T* step = numbers + t * width;
    count += std::all_of(step, step + width,
                         [&](T value) { return static_cast<double>(value) == padding; });
  }
  return count;
}

Index padded_steps(const Rows& rows, Index row, double padding) {
  switch (rows.dtype()) {
    case DType::float32:
      return padded_steps<float>(rows, row, padding);
    case DType::float64:
      return padded_steps<double>(rows, row, padding);
    case DType::int32:
      return padded_steps<std::int32_t>(rows, row, padding);
    case DType::uint8:
      return padded_steps<std::uint8_t>(rows, row, padding);
  }
  return 0;
}

}  // namespace

RowNumbers Trainer::by_length(const Batch& batch, const States* states) {
  const bool padded = std::ranges::any_of(
      graph_.inputs(), [](const GraphInput& input) { return input.padding.has_value(); });
  // A row's place in the batch names its carried states.
  if (!padded || (states != nullptr && !states->empty())) return batch.numbers;
  lengths_.clear();
  for (Index row : batch.numbers) {
    Index masked = 0;
    for (std::size_t i = 0; i < batch.x->size(); ++i) {
      const std::optional<double>& padding = graph_.inputs()[i].padding;
      if (padding && (*batch.x)[i].row_shape().rank() > 0) {
        masked += padded_steps((*batch.x)[i], row, *padding);
      }
    }
    lengths_.emplace_back(masked, static_cast<Index>(lengths_.size()));
  }
  std::ranges::sort(lengths_);
  by_length_.clear();
  for (const auto& [masked, place] : lengths_) {
    by_length_.push_back(batch.numbers[static_cast<std::size_t>(place)]);
  }
  return by_length_;
}

void Trainer::run_batch(const Batch& given, const RunMode& how, Totals& totals) {
  Batch batch = given;
  batch.numbers = by_length(given, how.states);
  RunMode mode = how;
  mode.batch_rows = static_cast<Index>(batch.numbers.size());
  const auto rows = static_cast<Index>(batch.numbers.size());
  const Index rows_each = lane_rows(rows, mode.training);
  const Index lanes = (rows + rows_each - 1) / rows_each;
  running_lanes_ = lanes;
  add_lanes(lanes);
  prepare(mode.recording);
  const auto begin = [&](Index i) {
    const auto lane = static_cast<std::size_t>(i);
    start_lane(lane, batch, mode, rows_each);
    std::ranges::fill(sums_[lane].losses, 0.0);
    for (auto& state : sums_[lane].metrics) std::ranges::fill(state, 0.0);
    for (std::size_t output = 0; output < counts_.size(); ++output) {
      with_float(dtype_, [&]<class T>() { aim<T>(lane, output, batch, rows_each); });
    }
  };
  const auto finish = [&](Index i) {
    const auto lane = static_cast<std::size_t>(i);
    for (std::size_t output = 0; output < counts_.size(); ++output) {
      with_float(dtype_, [&]<class T>() { lose<T>(lane, output, mode.recording); });
    }
    if (mode.recording) lanes_[lane]->backward();
  };
  if (counts_first()) {
    // A join: the mean over the samples that count needs their number in the whole batch.
    workers_.run(lanes, begin);
    for (std::size_t output = 0; output < counts_.size(); ++output) {
      counts_[output] = {};
      for (Index i = 0; i < lanes; ++i) {
        counts_[output].add(sums_[static_cast<std::size_t>(i)].targets[output].counts);
      }
    }
    workers_.run(lanes, finish);
  } else {
    for (std::size_t output = 0; output < counts_.size(); ++output) {
      const Rows& y = (*batch.y)[output];
      const Index n = graph_.output_symbols()[output].shape()[-1];
      const Loss& loss = goals_[output].loss;
      const Index per_row = aligns(loss) ? 1 : y.row_elements() / target_size(loss, n);
      const auto samples = static_cast<double>(rows * per_row);
      counts_[output] = {.samples = samples, .valid = samples};
    }
    workers_.run(lanes, [&](Index i) {
      begin(i);
      finish(i);
    });
  }
  total_up(lanes, rows, totals);
}

/// The lanes' sums, lane by lane, into the totals.
void Trainer::total_up(Index lanes, Index rows, Totals& totals) {
  double loss = 0;
  for (std::size_t output = 0; output < goals_.size(); ++output) {
    double sum = 0;
    for (Index i = 0; i < lanes; ++i) sum += sums_[static_cast<std::size_t>(i)].losses[output];
    loss += goals_[output].weight * sum;
    for (std::size_t w = 0; w < watched_.size(); ++w) {
      if (!watched_[w].loss || watched_[w].output != output) continue;
      const std::array<double, 2> part{sum * static_cast<double>(rows), static_cast<double>(rows)};
      metric_add(totals.state(w), part);
    }
  }
  for (Index i = 0; i < lanes; ++i) {
    for (std::size_t w = 0; w < watched_.size(); ++w) {
      if (!watched_[w].loss) {
        metric_add(totals.state(w), sums_[static_cast<std::size_t>(i)].metrics[w]);
      }
    }
  }
  for (Index i = 0; i < lanes; ++i) loss += lanes_[static_cast<std::size_t>(i)]->activity_loss();
  with_float(dtype_, [&]<class T>() { loss += penalties<T>(); });
  totals.add_loss(loss, rows);
}

/// Whether what a sample weighs depends on all lanes.
bool Trainer::counts_first() const {
  return graph_.makes_masks() || std::ranges::any_of(goals_, [](const Goal& goal) {
           return goal.loss.reduction() == ReductionKind::mean_with_sample_weight ||
                  leaves_samples_out(goal.loss);
         });
}

template <class T>
void Trainer::aim(std::size_t lane, std::size_t output, const Batch& batch, Index rows_each) {
  Lane& own = *lanes_[lane];
  const RowNumbers numbers = batch.numbers.subspan(lane * static_cast<std::size_t>(rows_each),
                                                   static_cast<std::size_t>(own.rows()));
  const Var& predicted = own.output(output);
  const Rows& y = (*batch.y)[output];
  Target& target = sums_[lane].targets[output];
  const Loss& loss = goals_[output].loss;
  target.n = predicted.shape()[-1];
  const Index rows = own.rows();
  target.samples = aligns(loss) ? rows : predicted.elements() / target.n;
  const Index per_row = target.samples / rows;
  const Index wanted = aligns(loss) ? y.row_elements() : per_row * target_size(loss, target.n);
  if (y.row_elements() != wanted) {
    throw misfit("targets do not fit output \"" + output_name(output) + "\"", y,
                 std::to_string(wanted) + " numbers a row for " +
                     graph_.output_symbols()[output].shape().to_string() + " and " +
                     std::string(loss.name()),
                 "sparse losses take labels, the others one number for each of the output's");
  }
  const bool by_step = predicted.time_first() && per_row > 1;
  target.truth = gather_rows(own.tape(), y, numbers, dtype_, by_step);
  const auto row_of = [&](Index s) { return by_step ? s % rows : s / per_row; };

  base::Arena& arena = own.tape().arena();
  target.weight = nullptr;
  if (batch.sample_weight != nullptr && !batch.sample_weight->empty()) {
    const bool each = batch.sample_weight->row_elements() == per_row && per_row > 1;
    const Var given =
        gather_rows(own.tape(), *batch.sample_weight, numbers, dtype_, by_step && each);
    T* weight = arena.take<T>(target.samples);
    for (Index s = 0; s < target.samples; ++s) weight[s] = given.data<T>()[each ? s : row_of(s)];
    target.weight = weight;
  }
  const Mask& travelled = own.output_mask(output);
  const bool masked = travelled && !aligns(loss) && travelled.time * rows == target.samples;
  target.mask = nullptr;
  if (masked || leaves_samples_out(loss)) {
    auto* mask = arena.take<std::uint8_t>(target.samples);
    for (Index s = 0; s < target.samples; ++s) {
      const Index t = by_step ? s / rows : s % per_row;
      mask[s] = masked ? travelled.data[t * rows + row_of(s)] : 1;
    }
    loss_mask(loss, target.samples, target.truth.data<T>(), mask);
    target.mask = mask;
  }
  if (counts_first()) {
    target.counts =
        count_samples(target.samples, target.mask, static_cast<const T*>(target.weight));
  }
}

/// The metrics of an output, each over the samples and weights that it counts.
template <class T>
void Trainer::watch(std::size_t lane, std::size_t output) {
  const auto wanted = [&](const Watched& one) { return one.output == output && !one.loss; };
  if (std::ranges::none_of(watched_, wanted)) return;
  Lane& own = *lanes_[lane];
  const Target& target = sums_[lane].targets[output];
  const Var& predicted = own.output(output);
  base::Arena& arena = own.tape().arena();
  const auto* weight = static_cast<const T*>(target.weight);
  T *kept = nullptr, *weighted = nullptr;
  if (target.mask != nullptr) {
    kept = arena.take<T>(target.samples);
    for (Index s = 0; s < target.samples; ++s) kept[s] = target.mask[s] != 0 ? T{1} : T{0};
    weighted = kept;
  }
  if (weight != nullptr) {
    weighted = arena.take<T>(target.samples);
    for (Index s = 0; s < target.samples; ++s) weighted[s] = weight[s] * (kept ? kept[s] : T{1});
  }
  for (std::size_t w = 0; w < watched_.size(); ++w) {
    if (!wanted(watched_[w])) continue;
    metric_update(watched_[w].metric, target.samples, target.n, target.truth.data<T>(),
                  predicted.data<T>(), watched_[w].weighted ? weighted : kept,
                  std::span<double>(sums_[lane].metrics[w]));
  }
}

namespace {

/// A lane's predictions as CTC reads them; masked steps might as well not be there.
template <class T>
CtcBatch<T> sequences_of(const Lane& lane, std::size_t output, const Var& truth, Index length) {
  const Var& predicted = lane.output(output);
  const Mask& mask = lane.output_mask(output);
  const Index rows = lane.rows(), n = predicted.shape()[-1];
  CtcBatch<T> batch = CtcBatch<T>::row_by_row(rows, predicted.elements() / (rows * n), n,
                                              predicted.data<T>(), length, truth.data<T>());
  if (predicted.time_first()) {
    batch.row_stride = n;
    batch.step_stride = rows * n;
  }
  if (mask && mask.time == batch.steps) {
    batch.mask = mask.data;
    batch.mask_row = 1;
    batch.mask_step = mask.rows;
  }
  return batch;
}

}  // namespace

template <class T>
void Trainer::lose(std::size_t lane, std::size_t output, bool training) {
  Lane& own = *lanes_[lane];
  const Target& target = sums_[lane].targets[output];
  const Index samples = target.samples, n = target.n;
  const Var& predicted = own.output(output);
  const T* truth = target.truth.data<T>();
  base::Arena& arena = own.tape().arena();
  const Goal& goal = goals_[output];
  const auto* weight = static_cast<const T*>(target.weight);
  watch<T>(lane, output);
  T* scales = arena.take<T>(samples);
  sample_scales(goal.loss, counts_[output], samples, target.mask, weight, scales);
  T* values = arena.take<T>(samples);
  CtcBatch<T> sequences;
  T* scratch = nullptr;
  if (aligns(goal.loss)) {
    const Index length = target.truth.elements() / std::max<Index>(samples, 1);
    sequences = sequences_of<T>(own, output, target.truth, length);
    scratch = arena.take<T>(ctc_scratch_size(sequences.steps, n, length));
    ctc_values(sequences, values, scratch);
  } else {
    loss_values(goal.loss, samples, n, truth, predicted.data<T>(), values);
  }
  double total = 0;
  for (Index s = 0; s < samples; ++s) {
    // A masked sample may have a loss that is not a number.
    if (scales[s] != T{0}) total += static_cast<double>(values[s]) * static_cast<double>(scales[s]);
  }
  sums_[lane].losses[output] = total;
  if (training && predicted.needs_gradient()) {
    for (Index s = 0; goal.weight != 1 && s < samples; ++s) {
      scales[s] *= static_cast<T>(goal.weight);
    }
    if (aligns(goal.loss)) {
      ctc_gradient(sequences, scales, predicted.gradient<T>(), scratch);
    } else {
      loss_gradient(goal.loss, samples, n, truth, predicted.data<T>(), scales,
                    predicted.gradient<T>());
    }
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

namespace {

/// The steps of all sequences. Throws: Error (shape).
Index steps_of(const std::vector<Rows>& x, const std::vector<Rows>& y) {
  const Shape& first = x[0].row_shape();
  for (const std::vector<Rows>* all : {&x, &y}) {
    for (const Rows& rows : *all) {
      if (rows.row_shape().rank() > 0 && rows.row_shape()[0] == first[0]) continue;
      throw Error(ErrorKind::shape, "tbptt cuts inputs and targets that are sequences",
                  {.got = rows.shape().to_string(),
                   .want = "(rows, " + std::to_string(first[0]) + ", ...)",
                   .hint = "a target for every step: return_sequences in the last layer"});
    }
  }
  return first[0];
}

void cut(const std::vector<Rows>& rows, Index first, Index last, std::vector<Rows>& parts) {
  parts.clear();
  for (const Rows& one : rows) parts.push_back(one.steps(first, last));
}

}  // namespace

void Trainer::train_in_parts(const Batch& batch, Index length, States& states, Totals& totals) {
  const Index steps = steps_of(*batch.x, *batch.y);
  part_states_ = states;  // tensors share their numbers: stateful layers keep theirs
  for (LayerImpl* layer : graph_.all_layers()) {
    if (part_states_.contains(layer)) continue;
    for (const Shape& shape : layer->part_shapes(static_cast<Index>(batch.numbers.size()))) {
      part_states_[layer].emplace_back(shape, dtype_);
    }
  }
  const bool by_step = batch.sample_weight != nullptr && !batch.sample_weight->empty() &&
                       batch.sample_weight->row_elements() == steps;
  for (Index first = 0; first < steps; first += length) {
    const Index last = std::min(first + length, steps);
    cut(*batch.x, first, last, part_x_);
    cut(*batch.y, first, last, part_y_);
    Batch part{&part_x_, &part_y_, batch.sample_weight, batch.numbers};
    const Rows weight = by_step ? batch.sample_weight->steps(first, last) : Rows();
    if (by_step) part.sample_weight = &weight;
    train(part, part_states_, totals);
  }
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
