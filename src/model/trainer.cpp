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
      tables_(Tabulated::of(graph)),
      lent_(new std::atomic_flag[static_cast<std::size_t>(workers_.threads())]()) {}

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

Cut Trainer::cut_of(Index batch, Index steps, bool training) const {
  // About so many steps at a time: what they leave for the way back stays in the caches.
  constexpr Index steps_at_once = 1024;
  Cut way;
  way.lane_rows = lane_rows(batch, training);
  way.lanes = (batch + way.lane_rows - 1) / way.lane_rows;
  way.kept = keep_lanes_ || counts_first();
  const bool sliced = !way.kept && !(training && graph_.needs_whole_batch());
  const Index least = std::max<Index>(large() ? 16 : 8, base::round_up(steps_at_once / steps, 8));
  way.slice_rows = sliced ? std::min(way.lane_rows, least) : way.lane_rows;
  return way;
}

void Trainer::prepare(bool training) {
  workers_.run(static_cast<Index>(graph_.layers().size()), [&](Index i) {
    LayerImpl& layer = *graph_.layers()[static_cast<std::size_t>(i)];
    const auto reads = [&](const Tabulated& table) { return table.reader()->layer == &layer; };
    if (std::ranges::none_of(running_tables_, reads)) layer.prepare(dtype_, training);
  });
}

std::span<Tabulated> Trainer::begin_tables(const Batch& batch, const Cut& way) {
  const auto rest = std::partition(tables_.begin(), tables_.end(), [&](Tabulated& table) {
    return table.begin((*batch.x)[table.input()], batch.numbers, way.lane_rows, way.slice_rows,
                       flat_, workers_);
  });
  return {tables_.begin(), rest};
}

/// A lane that no other thread uses meanwhile. There is one for each thread.
class Trainer::Borrowed {
 public:
  explicit Borrowed(Trainer& trainer) : trainer_(trainer) {
    while (trainer_.lent_[place_].test_and_set(std::memory_order_acquire)) {
      place_ = (place_ + 1) % static_cast<std::size_t>(trainer_.workers_.threads());
    }
  }
  ~Borrowed() { trainer_.lent_[place_].clear(std::memory_order_release); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Lane& lane() const { return *trainer_.lanes_[place_]; }

 private:
  Trainer& trainer_;
  std::size_t place_ = 0;
};

Trainer::Run Trainer::begin(Lane& lane, LaneResult& result, const Batch& batch, const RunMode& mode,
                            Index first, Index rows) {
  const Run run{
      lane, result,
      batch.numbers.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(rows))};
  lane.start(mode, first, rows, &flat_, mode.recording ? &result.gradient : nullptr);
  lane.gather(*batch.x, run.numbers);
  lane.forward();
  return run;
}

void Trainer::finish(const Run& run, bool recording) {
  for (std::size_t output = 0; output < counts_.size(); ++output) lose(run, output, recording);
  if (recording) run.lane.backward();
  run.result.activity_loss += run.lane.activity_loss();
}

void Trainer::add_lanes(Index lanes) {
  while (static_cast<Index>(lanes_.size()) < lanes) {
    lanes_.push_back(std::make_unique<Lane>(graph_, dtype_));
  }
}

void Trainer::even_out_lanes() {
  Index most = 0;
  for (const auto& lane : lanes_) most = std::max(most, lane->tape().arena().peak());
  for (const auto& lane : lanes_) {
    if (lane->tape().arena().peak() < most) lane->reserve(most);
  }
}

/// Of so many lanes, which begin.
void Trainer::add_results(Index lanes) {
  while (static_cast<Index>(results_.size()) < lanes) {
    LaneResult& result = results_.emplace_back();
    result.targets.resize(graph_.outputs().size());
    result.losses.resize(graph_.outputs().size());
    for (const Watched& one : watched_) {
      result.metrics.emplace_back(static_cast<std::size_t>(metric_state_size(one.metric)), 0.0);
    }
  }
  for (Index i = 0; i < lanes; ++i) {
    LaneResult& result = results_[static_cast<std::size_t>(i)];
    std::ranges::fill(result.losses, 0.0);
    for (auto& state : result.metrics) std::ranges::fill(state, 0.0);
    result.activity_loss = 0;
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

namespace {

Index longest(const std::vector<Rows>& x) {
  Index steps = 1;
  for (const Rows& rows : x) {
    if (rows.row_shape().rank() > 0) steps = std::max(steps, rows.row_shape()[0]);
  }
  return steps;
}

}  // namespace

void Trainer::run_batch(const Batch& given, const RunMode& how, Totals& totals, bool whole) {
  Batch batch = given;
  batch.numbers = by_length(given, how.states);
  RunMode mode = how;
  const auto rows = static_cast<Index>(batch.numbers.size());
  mode.batch_rows = rows;
  const Cut way = whole ? Cut{rows, 1, rows, true} : cut_of(rows, longest(*batch.x), mode.training);
  mode.team = team_of(way.lanes);
  running_lanes_ = way.lanes;
  lanes_kept_ = way.kept;
  running_tables_ = mode.training ? begin_tables(batch, way) : std::span<Tabulated>();
  mode.tables = running_tables_;
  add_lanes(way.kept ? way.lanes : std::min<Index>(way.lanes, workers_.threads()));
  add_results(way.lanes);
  prepare(mode.recording);
  const auto result_of = [&](Index i) -> LaneResult& {
    return results_[static_cast<std::size_t>(i)];
  };
  const auto start = [&](Lane& lane, Index i, Index first) {
    const Index last = std::min({first + way.slice_rows, (i + 1) * way.lane_rows, rows});
    if (mode.recording && first == i * way.lane_rows) result_of(i).gradient.begin(flat_);
    const Run run = begin(lane, result_of(i), batch, mode, first, last - first);
    for (std::size_t output = 0; output < counts_.size(); ++output) aim(run, output, batch);
    return run;
  };
  if (counts_first()) {
    // A join: the mean over the samples that count needs their number in the whole batch.
    const auto lane_of = [&](Index i) -> Lane& { return *lanes_[static_cast<std::size_t>(i)]; };
    run_lanes(way.lanes, [&](Index i) { start(lane_of(i), i, i * way.lane_rows); });
    for (std::size_t output = 0; output < counts_.size(); ++output) {
      counts_[output] = {};
      for (Index i = 0; i < way.lanes; ++i)
        counts_[output].add(result_of(i).targets[output].counts);
    }
    run_lanes(way.lanes, [&](Index i) { finish({lane_of(i), result_of(i), {}}, mode.recording); });
  } else {
    count_all(batch);
    const auto run_lane = [&](Lane& lane, Index i) {
      const Index end = std::min((i + 1) * way.lane_rows, rows);
      for (Index first = i * way.lane_rows; first < end; first += way.slice_rows) {
        finish(start(lane, i, first), mode.recording);
      }
    };
    run_lanes(way.lanes, [&](Index i) {
      if (way.kept) return run_lane(*lanes_[static_cast<std::size_t>(i)], i);
      run_lane(Borrowed(*this).lane(), i);
    });
    if (!way.kept) even_out_lanes();
  }
  total_up(way.lanes, rows, totals);
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
  run_batch({.x = &x, .y = &y, .numbers = numbers}, mode, totals, true);
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
  run_lanes(lanes, [&](Index i) {
    Lane& lane = *lanes_[static_cast<std::size_t>(i)];
    const Index start = i * rows_each, size = std::min(rows_each, count - start);
    lane.start(mode, start, size, nullptr, nullptr);
    lane.gather(*batch.x, batch.numbers.subspan(static_cast<std::size_t>(start),
                                                static_cast<std::size_t>(size)));
    lane.forward();
  });
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
