#include "src/model/trainer.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "src/autograd/dispatch.h"
#include "src/base/aligned.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Models with fewer dense weights than this (256 KiB of float32) stay in a core's own cache: short
/// lanes then keep more cores busy. Larger ones want more rows for each read of the weights.
constexpr Index small_model = 65536;
constexpr Index most_lanes = 16;  // copies of the gradient

}  // namespace

Trainer::Trainer(const Graph& graph, DType dtype, const CompileOptions& options)
    : graph_(graph),
      dtype_(dtype),
      options_(options),
      goals_(graph.outputs().size(), Goal{options.loss, 1}),
      counts_(graph.outputs().size()),
      workers_(options.threads > 0 ? options.threads : base::default_threads()),
      tables_(Tabulated::of(graph)) {}

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

bool Trainer::large() const { return flat_.dense_size() > small_model; }

template <class F>
void Trainer::run_lanes(Index lanes, F f) {
  if (team_of(lanes) == nullptr) return workers_.run(lanes, f);
  const base::FlushDenormals flush;
  f(0);
}

Index Trainer::lane_rows(Index batch, bool training) const {
  if (training && graph_.needs_whole_batch()) return batch;
  const Index least = large() ? 16 : 8;
  const Index even = (batch + most_lanes - 1) / most_lanes;
  return std::max(least, base::round_up(even, 8));
}

void Trainer::prepare(bool training) {
  workers_.run(static_cast<Index>(graph_.layers().size()), [&](Index i) {
    LayerImpl& layer = *graph_.layers()[static_cast<std::size_t>(i)];
    const auto reads = [&](const Tabulated& table) { return table.reader()->layer == &layer; };
    if (std::ranges::none_of(running_tables_, reads)) layer.prepare(dtype_, training);
  });
}

std::span<Tabulated> Trainer::begin_tables(const Batch& batch, Index rows_each) {
  const auto rest = std::partition(tables_.begin(), tables_.end(), [&](Tabulated& table) {
    return table.begin((*batch.x)[table.input()], batch.numbers, rows_each, flat_, workers_);
  });
  return {tables_.begin(), rest};
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

void Trainer::run_batch(const Batch& given, const RunMode& how, Totals& totals, Index rows_each) {
  Batch batch = given;
  batch.numbers = by_length(given, how.states);
  RunMode mode = how;
  mode.batch_rows = static_cast<Index>(batch.numbers.size());
  const auto rows = static_cast<Index>(batch.numbers.size());
  if (rows_each == 0) rows_each = lane_rows(rows, mode.training);
  const Index lanes = (rows + rows_each - 1) / rows_each;
  mode.team = team_of(lanes);
  running_lanes_ = lanes;
  running_tables_ = mode.training ? begin_tables(batch, rows_each) : std::span<Tabulated>();
  mode.tables = running_tables_;
  add_lanes(lanes);
  prepare(mode.recording);
  const auto begin = [&](Index i) {
    const auto lane = static_cast<std::size_t>(i);
    start_lane(lane, batch, mode, rows_each);
    std::ranges::fill(sums_[lane].losses, 0.0);
    for (auto& state : sums_[lane].metrics) std::ranges::fill(state, 0.0);
    for (std::size_t output = 0; output < counts_.size(); ++output) {
      aim(lane, output, batch, rows_each);
    }
  };
  const auto finish = [&](Index i) {
    const auto lane = static_cast<std::size_t>(i);
    for (std::size_t output = 0; output < counts_.size(); ++output) {
      lose(lane, output, mode.recording);
    }
    if (mode.recording) lanes_[lane]->backward();
  };
  if (counts_first()) {
    // A join: the mean over the samples that count needs their number in the whole batch.
    run_lanes(lanes, begin);
    for (std::size_t output = 0; output < counts_.size(); ++output) {
      counts_[output] = {};
      for (Index i = 0; i < lanes; ++i) {
        counts_[output].add(sums_[static_cast<std::size_t>(i)].targets[output].counts);
      }
    }
    run_lanes(lanes, finish);
  } else {
    count_all(batch);
    run_lanes(lanes, [&](Index i) {
      begin(i);
      finish(i);
    });
  }
  total_up(lanes, rows, totals);
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

const Lane& Trainer::backpropagate(const std::vector<Rows>& x, const std::vector<Rows>& y) {
  resolve_metrics();
  std::vector<Index> numbers(static_cast<std::size_t>(x[0].count()));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  States states;
  Totals totals(watched_);
  const RunMode mode{.recording = true, .seed = options_.seed, .states = &states};
  run_batch({.x = &x, .y = &y, .numbers = numbers}, mode, totals, x[0].count());
  return *lanes_[0];
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
  running_tables_ = {};
  prepare(false);
  const RunMode mode{.states = &states, .team = team_of(lanes)};
  run_lanes(lanes,
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
