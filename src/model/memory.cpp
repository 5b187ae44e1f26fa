// A lane's arena grows with its rows in a straight line: two short trials tell the line.
#include "src/model/memory.h"

#include <algorithm>
#include <cstdio>

#include "src/base/aligned.h"
#include "src/base/memory.h"
#include "src/model/fit_data.h"
#include "src/model/model_impl.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// Rows of the smaller trial; kernels work on so many at a time.
constexpr Index few = 8;

std::string megabytes(Index bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) * 1e-6);
  return text;
}

/// Layers that learn from the data they see have seen none when a trial is over.
class Untouched {
 public:
  explicit Untouched(const Graph& graph) {
    for (Parameter* parameter : graph.parameters()) {
      if (!parameter->trainable) kept_.emplace_back(parameter, parameter->value().clone());
    }
  }
  ~Untouched() {
    for (auto& [parameter, value] : kept_) parameter->assign(value);
  }
  Untouched(const Untouched&) = delete;
  Untouched& operator=(const Untouched&) = delete;

 private:
  std::vector<std::pair<Parameter*, Tensor>> kept_;
};

/// Bytes that one row's outputs of all layers take, at every step.
double output_bytes(const Graph& graph, const std::vector<Shape>& rows, DType dtype) {
  Index longest = 1;
  for (const Shape& row : rows) {
    if (row.rank() > 0) longest = std::max(longest, row[0]);
  }
  double numbers = 0;
  for (const LayerImpl* layer : graph.all_layers()) {
    const auto node = layer->first_use.lock();
    if (node == nullptr) continue;
    for (const Shape& shape : node->shapes) {
      // Who gives the last step has computed them all.
      double of_row = shape.rank() == 2 ? static_cast<double>(longest) : 1;
      for (int axis = 1; axis < shape.rank(); ++axis) {
        of_row *= static_cast<double>(shape[axis] == unknown ? longest : shape[axis]);
      }
      numbers += of_row;
    }
  }
  return numbers * static_cast<double>(size_of(dtype));
}

}  // namespace

/// A step of `rows` rows of zeros in one lane, without its update.
LaneBytes Trainer::lane_bytes(const std::vector<Shape>& shapes, Index rows) {
  const Untouched untouched(graph_);
  prepare(true);
  Lane lane(graph_, dtype_);
  std::vector<Rows> x;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const DType dtype = graph_.inputs()[i].ids ? DType::int32 : dtype_;
    x.emplace_back(Tensor(shapes[i].with(0, rows), dtype));
  }
  std::vector<Index> numbers = in_order(rows);
  LaneGradient gradient;
  gradient.begin(flat_);
  lane.start({.training = true, .recording = true, .seed = options_.seed, .batch_rows = rows}, 0,
             rows, &flat_, &gradient);
  lane.gather(x, numbers);
  lane.forward();
  base::Arena& arena = lane.tape().arena();
  for (std::size_t o = 0; o < goals_.size(); ++o) {
    const Var& y = lane.output(o);
    const Index n = y.shape()[-1];
    // The labels of a CTC are few beside what it computes.
    if (!std::holds_alternative<CTC>(goals_[o].loss.options())) {
      arena.take<std::byte>(y.elements() / n * target_size(goals_[o].loss, n) * size_of(dtype_));
    }
    y.gradient<std::byte>();
  }
  lane.backward();
  return {arena.peak(), gradient.sparse_bytes()};
}

Index Trainer::arena_peak() const {
  Index bytes = 0;
  for (const auto& lane : lanes_) bytes += lane->tape().arena().peak();
  return bytes;
}

MemoryTrials::MemoryTrials(Trainer& trainer, std::vector<Shape> rows)
    : trainer_(trainer), rows_(std::move(rows)) {}

LaneBytes MemoryTrials::lane(Index rows) {
  if (rows > 2 * few) {
    const LaneBytes one = lane(few), two = lane(2 * few);
    const auto extended = [&](Index a, Index b) { return a + (b - a) * (rows - few) / few; };
    return {extended(one.arena, two.arena), extended(one.kept, two.kept)};
  }
  const auto found = tried_.find(rows);
  if (found != tried_.end()) return found->second;
  return tried_[rows] = trainer_.lane_bytes(rows_, rows);
}

TrainingMemory MemoryTrials::training(Index batch, Index rest) {
  TrainingMemory memory;
  Index steps = 1;
  for (const Shape& row : rows_) {
    if (row.rank() > 0) steps = std::max(steps, row[0]);
  }
  // A last batch of fewer rows may have more lanes, of fewer rows each.
  std::vector<Index> rows_of_arena;
  for (const Index size : {batch, rest}) {
    if (size == 0) continue;
    const Cut way = trainer_.cut_of(size, steps, true);
    const Index arenas = way.kept ? way.lanes : std::min<Index>(way.lanes, trainer_.threads());
    rows_of_arena.resize(
        std::max(rows_of_arena.size(), static_cast<std::size_t>(std::max<Index>(arenas, 0))));
    for (Index i = 0; i < arenas; ++i) {
      Index& rows = rows_of_arena[static_cast<std::size_t>(i)];
      rows = std::max(rows, std::min(way.slice_rows, size - i * way.lane_rows));
    }
    if (size == batch) memory.lane_rows = std::min(way.lane_rows, size);
    memory.lanes = std::max(memory.lanes, way.lanes);
  }
  for (const Index rows : rows_of_arena) memory.arenas += lane(rows).arena;
  const Index bytes_of = size_of(trainer_.dtype());
  const FlatWeights& flat = trainer_.flat();
  memory.weights = flat.size() * bytes_of;
  for (const Parameter* parameter : trainer_.graph().parameters()) {
    if (!parameter->trainable) memory.weights += parameter->elements() * bytes_of;
  }
  memory.gradients =
      (flat.dense_size() * memory.lanes + flat.size() - flat.dense_size()) * bytes_of +
      lane(batch).kept;
  memory.optimizer = static_cast<Index>(trainer_.slots().size()) * flat.size() * bytes_of;
  return memory;
}

namespace {

const Graph& compiled_graph(const Model& model) {
  const ModelImpl& impl = model.impl();
  if (impl.graph == nullptr) {
    throw Error(ErrorKind::value, "the memory of a model that is not built is not known",
                {.hint = "an InputLayer says what the first layer is given"});
  }
  return impl.built_graph();
}

std::vector<Shape> row_shapes(const Graph& graph, Index time) {
  std::vector<Shape> rows;
  for (const GraphInput& input : graph.inputs()) {
    Shape row = input.shape.without(0);
    for (int axis = 0; axis < row.rank(); ++axis) {
      if (row[axis] != unknown) continue;
      if (time < 1) {
        throw Error(ErrorKind::value, "how long the sequences are is left open",
                    {.got = "input \"" + input.layer->name + "\" " + input.shape.to_string(),
                     .want = "the steps of a sequence",
                     .hint = "{.batch_size = 32, .time = 100}"});
      }
      row.set(axis, time);
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

TrainingMemory training_memory(const Model& model, const MemoryOptions& options) {
  check_positive("batch_size", options.batch_size);
  const Graph& graph = compiled_graph(model);
  Trainer& trainer = model.impl().ready(true);
  return MemoryTrials(trainer, row_shapes(graph, options.time)).training(options.batch_size);
}

std::string summary(const Model& model, const MemoryOptions& options) {
  const TrainingMemory memory = training_memory(model, options);
  std::string text = model.summary();
  const auto line = [&](const char* what, Index bytes, const std::string& more = {}) {
    text += " " + std::string(what) + ": " + megabytes(bytes) + more + "\n";
  };
  text += "Training with batches of " + std::to_string(options.batch_size) + "\n";
  line("Weights", memory.weights);
  line("Gradients", memory.gradients);
  line("Optimizer", memory.optimizer);
  line("Arenas", memory.arenas,
       " (" + std::to_string(memory.lanes) + " lanes of " + std::to_string(memory.lane_rows) +
           " rows)");
  line("Total", memory.total());
  return text;
}

void check_memory(Trainer& trainer, const std::vector<Shape>& rows, Index batch, Index count) {
  // A layer keeps a few numbers for each that it gives, an LSTM about ten: far below the limit no
  // trial is needed.
  constexpr double most_for_each = 32;
  const Index available = base::available_memory();
  const double rough = most_for_each * static_cast<double>(batch) *
                           output_bytes(trainer.graph(), rows, trainer.dtype()) +
                       32.0 * static_cast<double>(trainer.flat().size() * size_of(trainer.dtype()));
  if (rough < static_cast<double>(available)) return;
  MemoryTrials trials(trainer, rows);
  const TrainingMemory memory = trials.training(batch, count % batch);
  if (memory.total() <= available) return;
  Index fits = base::round_up(batch, few) - few;
  while (fits > 0 && trials.training(fits, count % fits).total() > available) fits -= few;
  throw Error(
      ErrorKind::value, "training would take more memory than there is",
      {.got = megabytes(memory.total()) + ": weights " + megabytes(memory.weights) +
              ", gradients " + megabytes(memory.gradients) + ", optimizer " +
              megabytes(memory.optimizer) + ", " + std::to_string(memory.lanes) + " lanes of " +
              std::to_string(memory.lane_rows) + " rows " + megabytes(memory.arenas),
       .want = "at most " + megabytes(available),
       .hint = fits > 0 ? "batch_size = " + std::to_string(fits) +
                              " fits; so may shorter sequences (tbptt)"
                        : "shorter sequences (tbptt), or fewer units"});
}

}  // namespace unroll
