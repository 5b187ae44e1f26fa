// What a batch is trained towards: the goals of the outputs, the targets beside the predictions,
// their losses and metrics.
#include <algorithm>
#include <array>

#include "src/autograd/dispatch.h"
#include "src/model/trainer.h"
#include "unroll/error.h"

namespace unroll {

namespace {

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

// --- Goals ---

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
  // Those of before have no room for what the metrics keep.
  results_.clear();
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

// --- One batch ---

/// Whether what a sample weighs depends on all lanes.
bool Trainer::counts_first() const {
  return graph_.makes_masks() || std::ranges::any_of(goals_, [](const Goal& goal) {
           return goal.loss.reduction() == ReductionKind::mean_with_sample_weight ||
                  leaves_samples_out(goal.loss);
         });
}

/// Where every sample counts, their numbers are known before the lanes start.
void Trainer::count_all(const Batch& batch) {
  for (std::size_t output = 0; output < counts_.size(); ++output) {
    const Rows& y = (*batch.y)[output];
    const Index n = graph_.output_symbols()[output].shape()[-1];
    const Loss& loss = goals_[output].loss;
    const Index per_row = aligns(loss) ? 1 : y.row_elements() / target_size(loss, n);
    const auto samples = static_cast<double>(static_cast<Index>(batch.numbers.size()) * per_row);
    counts_[output] = {.samples = samples, .valid = samples};
  }
}

void Trainer::aim(const Run& run, std::size_t output, const Batch& batch) {
  with_float(dtype_, [&]<class T>() { aim_as<T>(run, output, batch); });
}

template <class T>
void Trainer::aim_as(const Run& run, std::size_t output, const Batch& batch) {
  Lane& own = run.lane;
  const RowNumbers numbers = run.numbers;
  const Var& predicted = own.output(output);
  const Rows& y = (*batch.y)[output];
  Target& target = run.result.targets[output];
  const Loss& loss = goals_[output].loss;
  target.n = predicted.shape()[-1];
  const Index rows = own.rows();
  target.samples = aligns(loss) ? rows : predicted.elements() / target.n;
  const Index per_row = target.samples / rows;
  const Index wanted = aligns(loss) ? y.row_elements() : per_row * target_size(loss, target.n);
  if (y.row_elements() != wanted) {
    throw Error(
        ErrorKind::shape, "targets do not fit output \"" + output_name(output) + "\"",
        {.got = y.shape().to_string(),
         .want = std::to_string(wanted) + " numbers a row for " +
                 graph_.output_symbols()[output].shape().to_string() + " and " +
                 std::string(loss.name()),
         .hint = "sparse losses take labels, the others one number for each of the output's"});
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
void Trainer::watch(const Run& run, std::size_t output) {
  const auto wanted = [&](const Watched& one) { return one.output == output && !one.loss; };
  if (std::ranges::none_of(watched_, wanted)) return;
  Lane& own = run.lane;
  const Target& target = run.result.targets[output];
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
                  std::span<double>(run.result.metrics[w]));
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

namespace {

/// Calls f(first, count) for each run of samples that count at all: what is masked costs nothing.
template <class T, class F>
void for_counted(const T* scales, Index samples, F f) {
  for (Index end = 0, first = 0; first < samples; first = end) {
    while (first < samples && scales[first] == T{0}) ++first;
    for (end = first; end < samples && scales[end] != T{0};) ++end;
    if (end > first) f(first, end - first);
  }
}

}  // namespace

void Trainer::lose(const Run& run, std::size_t output, bool training) {
  with_float(dtype_, [&]<class T>() { lose_as<T>(run, output, training); });
}

template <class T>
void Trainer::lose_as(const Run& run, std::size_t output, bool training) {
  Lane& own = run.lane;
  const Target& target = run.result.targets[output];
  const Index samples = target.samples, n = target.n;
  const Var& predicted = own.output(output);
  const T* truth = target.truth.data<T>();
  base::Arena& arena = own.tape().arena();
  const Goal& goal = goals_[output];
  const auto* weight = static_cast<const T*>(target.weight);
  watch<T>(run, output);
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
    const Index size = target_size(goal.loss, n);
    for_counted(scales, samples, [&](Index first, Index count) {
      loss_values(goal.loss, count, n, truth + first * size, predicted.data<T>() + first * n,
                  values + first);
    });
  }
  double total = 0;
  for (Index s = 0; s < samples; ++s) {
    // A masked sample may have a loss that is not a number.
    if (scales[s] != T{0}) total += static_cast<double>(values[s]) * static_cast<double>(scales[s]);
  }
  run.result.losses[output] += total;
  if (training && predicted.needs_gradient()) {
    for (Index s = 0; goal.weight != 1 && s < samples; ++s) {
      scales[s] *= static_cast<T>(goal.weight);
    }
    if (aligns(goal.loss)) {
      ctc_gradient(sequences, scales, predicted.gradient<T>(), scratch);
    } else {
      const Index size = target_size(goal.loss, n);
      T* gradient = predicted.gradient<T>();
      for_counted(scales, samples, [&](Index first, Index count) {
        loss_gradient(goal.loss, count, n, truth + first * size, predicted.data<T>() + first * n,
                      scales + first, gradient + first * n);
      });
    }
  }
}

/// The lanes' sums, lane by lane, into the totals.
void Trainer::total_up(Index lanes, Index rows, Totals& totals) {
  double loss = 0;
  for (std::size_t output = 0; output < goals_.size(); ++output) {
    double sum = 0;
    for (Index i = 0; i < lanes; ++i) sum += results_[static_cast<std::size_t>(i)].losses[output];
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
        metric_add(totals.state(w), results_[static_cast<std::size_t>(i)].metrics[w]);
      }
    }
  }
  for (Index i = 0; i < lanes; ++i) loss += results_[static_cast<std::size_t>(i)].activity_loss;
  with_float(dtype_, [&]<class T>() { loss += penalties<T>(); });
  totals.add_loss(loss, rows);
}

}  // namespace unroll
