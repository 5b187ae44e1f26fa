// One step of training, evaluation or prediction on one batch: lanes, and what joins them.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "src/base/threads.h"
#include "src/model/lane.h"
#include "unroll/model.h"

namespace unroll {

/// The rows of one batch.
struct Batch {
  const std::vector<Rows>* x = nullptr;
  const std::vector<Rows>* y = nullptr;  ///< null while predicting
  const Rows* sample_weight = nullptr;   ///< null or empty: all 1
  RowNumbers numbers;
};

/// What is trained of one output.
struct Goal {
  Loss loss = "mse";
  double weight = 1;
};

/// A number that is reported beside the loss: a metric of an output, or the output's own loss.
struct Watched {
  Metric metric;
  std::size_t output = 0;
  std::string name;
  bool weighted = false;  ///< counts sample_weight
  bool loss = false;      ///< the mean of the output's loss by rows; its metric is a Mean
};

/// Loss and metrics over some batches, as Keras averages them: the loss by rows, each metric in its
/// way.
class Totals {
 public:
  explicit Totals(const std::vector<Watched>& watched);
  void reset();
  void add_loss(double loss, Index rows) {
    loss_ += loss * static_cast<double>(rows);
    rows_ += static_cast<double>(rows);
  }
  std::span<double> state(std::size_t metric) { return states_[metric]; }
  /// Everything as one row of numbers, and back: a fit that goes on in the middle of an epoch.
  std::vector<double> numbers() const;
  /// Requires: as many as numbers() has.
  void set_numbers(std::span<const double> numbers);
  /// "loss" and the others' names, each after a prefix, into `logs`.
  void report(const std::vector<Watched>& watched, const std::string& prefix, Logs& logs) const;

 private:
  double loss_ = 0, rows_ = 0;
  std::vector<std::vector<double>> states_;
};

/// Where numbers first became NaN or infinite in the step that has just been done.
struct NotFinite {
  std::string layer;  ///< empty where the data themselves are not finite
  std::string what;   ///< "output", "gradient of \"kernel\"", "weight \"kernel\"", "input 0"
};

/// A batch in lanes, each with a gradient of its own, that go in slices one after the other.
struct Cut {
  Index lane_rows = 0, lanes = 0, slice_rows = 0;
  bool kept = false;  ///< every lane computes in an arena of its own; else every thread has one
};

/// What a lane takes: its arena at most, and what it leaves behind for the update of tables.
struct LaneBytes {
  Index arena = 0, kept = 0;
};

class Trainer {
 public:
  Trainer(const Graph& graph, DType dtype, const CompileOptions& options);

  const Graph& graph() const noexcept { return graph_; }
  const std::vector<Watched>& metrics() const noexcept { return watched_; }
  /// One for each output.
  const std::vector<Goal>& goals() const noexcept { return goals_; }
  std::uint64_t seed() const noexcept { return options_.seed; }
  Index iterations() const noexcept { return iterations_; }
  void set_iterations(Index iterations) noexcept { iterations_ = iterations; }
  const CompileOptions& options() const noexcept { return options_; }
  void set_learning_rate(double rate) noexcept { options_.optimizer.set_learning_rate(rate); }
  /// What the optimiser remembers, flat vectors beside the weights. Requires: bind().
  const std::vector<Tensor>& slots() const noexcept { return slots_; }
  /// The end of a fit: weights whose average is kept (use_ema) become it.
  void finalize();
  /// Looks for numbers that are not finite: the data, then the layers' outputs in the order they
  /// run, then the gradients in the order they came back, then the weights. For the step that
  /// train() has just done. Requires: keep_lanes() before it.
  std::optional<NotFinite> first_not_finite() const;
  /// Whether every trained weight is finite; one pass over them.
  bool weights_finite();
  DType dtype() const noexcept { return dtype_; }
  /// Requires: bind().
  const FlatWeights& flat() const noexcept { return flat_; }
  Index lane_rows(Index batch, bool training) const;
  /// How a batch is cut; `steps`: of its longest sequence.
  Cut cut_of(Index batch, Index steps, bool training) const;
  /// Lanes are to keep what they have computed, for first_not_finite().
  void keep_lanes(bool keep) noexcept { keep_lanes_ = keep; }
  /// What a lane would take in a step of so many rows: tried, with zeros. `shapes`: of one row of
  /// each input. Requires: bind(). See memory.cpp.
  LaneBytes lane_bytes(const std::vector<Shape>& shapes, Index rows);
  int threads() const noexcept { return workers_.threads(); }
  /// What the arenas have held at most.
  Index arena_peak() const;
  /// Numbers that the optimiser keeps beside the weights, for the summary.
  Index optimizer_numbers() const;

  /// Gives weights their first values, and numbers them.
  void initialize();
  /// The same, and makes them one vector.
  void bind();
  /// Says what the metric names mean for these losses and outputs; before the first batch with
  /// targets. Throws: Error (value) for a list that does not fit the outputs.
  void resolve_metrics();
  /// Throws: Error (shape) unless x (and y) fit the model.
  void check(const std::vector<Rows>& x, const std::vector<Rows>* y) const;

  void train(const Batch& batch, States& states, Totals& totals);
  /// The same with sequences cut into parts of `length` steps, each trained by itself: states go
  /// on from part to part, gradients do not. Throws: Error (shape) where inputs and targets are not
  /// sequences of one length; Error (unsupported) for layers that read from the end.
  void train_in_parts(const Batch& batch, Index length, States& states, Totals& totals);
  /// Forward, loss and backward of all rows in one lane, without an update, for those who look at
  /// gradients; the lane keeps them until the next run.
  const Lane& backpropagate(const std::vector<Rows>& x, const std::vector<Rows>& y);
  void evaluate(const Batch& batch, States& states, Totals& totals);
  /// The batch's outputs go to rows [first, first + numbers) of `outputs`, which has `rows` in all
  /// and is made when the first batch shows its shapes.
  void predict(const Batch& batch, States& states, Tensors& outputs, Index first, Index rows);

 private:
  /// The truth of one output beside what the lane predicted, sample by sample in the order of
  /// memory.
  struct Target {
    Index n = 1, samples = 0;
    Var truth;
    const void* weight = nullptr;        // (samples) of the lane's precision, or null
    const std::uint8_t* mask = nullptr;  // (samples), or null
    LossCounts counts;
  };
  /// What a lane leaves behind.
  struct LaneResult {
    std::vector<double> losses;  // of each output
    std::vector<Target> targets;
    std::vector<std::vector<double>> metrics;
    double activity_loss = 0;
    LaneGradient gradient;
  };
  /// Rows of a lane, all or some of them, on their way.
  struct Run {
    Lane& lane;
    LaneResult& result;
    RowNumbers numbers;
  };
  class Borrowed;

  /// f(0) .. f(lanes - 1). A lane alone with large weights runs here, with the workers as its team.
  template <class F>
  void run_lanes(Index lanes, F f);
  base::Workers* team_of(Index lanes) { return lanes == 1 && large() ? &workers_ : nullptr; }
  bool large() const;
  /// The rows of a batch, those with most unmasked steps first: lanes of like lengths skip what
  /// they pad, and the longest is not begun last.
  RowNumbers by_length(const Batch& batch, const States* states);
  /// `whole`: in one lane, which keeps what it has computed.
  void run_batch(const Batch& batch, const RunMode& mode, Totals& totals, bool whole = false);
  /// The rows [first, first + rows) of the batch begin their way, in a lane.
  Run begin(Lane& lane, LaneResult& result, const Batch& batch, const RunMode& mode, Index first,
            Index rows);
  void finish(const Run& run, bool recording);
  /// Puts the targets beside the predictions and counts their samples.
  void aim(const Run& run, std::size_t output, const Batch& batch);
  template <class T>
  void aim_as(const Run& run, std::size_t output, const Batch& batch);
  /// Loss, metrics and the gradient of the predictions.
  void lose(const Run& run, std::size_t output, bool training);
  template <class T>
  void lose_as(const Run& run, std::size_t output, bool training);
  template <class T>
  void watch(const Run& run, std::size_t output);
  void total_up(Index lanes, Index rows, Totals& totals);
  const std::string& output_name(std::size_t output) const;
  void add_watched(std::size_t output, const std::vector<Metric>& metrics, bool weighted);
  bool counts_first() const;
  void count_all(const Batch& batch);
  void prepare(bool training);
  /// Those of `tables_` that a batch gains from, first; returns how many.
  std::span<Tabulated> begin_tables(const Batch& batch, const Cut& way);
  void update();
  template <class T>
  void update_as(Index lanes);
  template <class T>
  void reduce(Index lanes, Index first, Index last);
  template <class T>
  void add_sparse_rows(Index lanes, Index part, Index parts);
  template <class T>
  void clear_sparse_rows(Index lanes);
  template <class T>
  double penalties();
  void add_lanes(Index lanes);
  void add_results(Index lanes);
  /// Which thread takes which lane is chance: each gets the room that one has needed.
  void even_out_lanes();
  template <class F>
  void for_sparse(Index lanes, F f) const;

  const Graph& graph_;
  DType dtype_;
  CompileOptions options_;
  std::vector<Goal> goals_;  // of each output
  std::vector<Watched> watched_;
  std::vector<LossCounts> counts_;  // of each output, over the whole batch
  bool metrics_resolved_ = false;
  base::Workers workers_;
  FlatWeights flat_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Tabulated> tables_;
  std::span<Tabulated> running_tables_;       // of `tables_`: those that this batch has begun
  std::unique_ptr<std::atomic_flag[]> lent_;  // of each thread's lane: see Borrowed
  std::vector<LaneResult> results_;           // of each lane of a batch
  bool keep_lanes_ = false, lanes_kept_ = false;
  Tensor sparse_gradient_;  // of the tables; zeros between steps
  std::vector<Tensor> slots_;
  std::tuple<std::vector<GradientRange<float>>, std::vector<GradientRange<double>>> clipped_;
  Index iterations_ = 0;
  Index running_lanes_ = 0;
  std::vector<std::pair<Index, Index>> lengths_;  // steps masked of each row of a batch, the row
  std::vector<Index> by_length_;
  std::vector<Rows> part_x_, part_y_;  // of train_in_parts
  States part_states_;
};

}  // namespace unroll
