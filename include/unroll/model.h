// Models: layers that are trained and asked.
//
//   Sequential model{SimpleRNN(50, {.activation = "relu"}), Dense(1)};
//   model.compile({.optimizer = "adam", .loss = "mse"});
//   History history = model.fit(train.x, train.y, {.batch_size = 32, .epochs = 20});
//   Tensor predicted = model.predict(test.x)[0];
//
// How a batch is trained: it is cut into lanes, some rows each; the cut depends on the batch and
// the model, never on how many threads there are. Each lane takes its rows through the whole model,
// forward and back, on its own; the lanes' gradients are summed pairwise in a fixed order; the
// optimiser makes one pass. So the results are the same bits on any number of threads.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unroll/layer.h"
#include "unroll/losses.h"
#include "unroll/metrics.h"
#include "unroll/optimizers.h"
#include "unroll/windows.h"

namespace unroll {

class Model;

/// What fit, evaluate and predict read: one source of rows or a list, one for each input.
class Data : public std::vector<Rows> {
 public:
  using std::vector<Rows>::vector;
  Data(Rows one) : std::vector<Rows>{std::move(one)} {}
  Data(Tensor one) : std::vector<Rows>{Rows(std::move(one))} {}
  Data(const Tensors& list) : std::vector<Rows>(list.begin(), list.end()) {}
};

/// Names and values, in order: {"loss", 0.01}, {"val_loss", 0.02}.
using Logs = std::vector<std::pair<std::string, double>>;
/// The value of a name; NaN where there is none.
double value_of(const Logs& logs, std::string_view name);

/// What fit did, epoch by epoch: history["loss"][epoch].
class History {
 public:
  /// The values of a name. Throws: Error (value) that lists the names.
  const std::vector<double>& operator[](std::string_view name) const;
  bool has(std::string_view name) const;
  std::vector<std::string> names() const;
  std::size_t epochs() const noexcept { return epochs_; }
  Index steps_per_epoch = 0;
  double seconds = 0;

  void add(const Logs& logs);

 private:
  std::vector<std::pair<std::string, std::vector<double>>> columns_;
  std::size_t epochs_ = 0;
};

/// Where a long run stands.
struct ProgressEvent {
  enum class Kind { step, epoch, done };
  Kind kind = Kind::step;
  Index step = 0, steps = 0;    ///< in this epoch
  Index epoch = 0, epochs = 1;  ///< from 0
  double epoch_seconds = 0;     ///< since the epoch began
  Logs logs;                    ///< empty while predicting
};

/// Where fit, evaluate and predict say how far they are; they write nowhere else. Silent by
/// default.
///   {.progress = progress_line(std::cerr, true)}   // a line that moves: a terminal
///   {.progress = std::cerr}                        // one plain line an epoch
class Progress {
 public:
  Progress() = default;
  Progress(std::ostream& out);
  Progress(std::function<void(const ProgressEvent&)> receiver) : receiver_(std::move(receiver)) {}

  explicit operator bool() const noexcept { return receiver_ != nullptr; }
  void operator()(const ProgressEvent& event) const {
    if (receiver_) receiver_(event);
  }

 private:
  std::function<void(const ProgressEvent&)> receiver_;
};
/// Keras's line, `278/278 ━━━━━━━━━━━━━━━━━━━━ 0.1s 0.3ms/step - loss: 0.0030`; on a terminal it
/// moves.
Progress progress_line(std::ostream& out, bool terminal);

/// Follows a fit and may end it. Called on the thread of fit, between steps.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_train_begin(Model&) {}
  virtual void on_epoch_begin(Model&, Index /*epoch*/) {}
  virtual void on_step_end(Model&, Index /*step*/, const Logs&) {}
  virtual void on_epoch_end(Model&, Index /*epoch*/, const Logs&) {}
  virtual void on_train_end(Model&) {}
};

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  double min_delta = 0;
  Index patience = 0;
  bool restore_best_weights = false;
  Index start_from_epoch = 0;
};
/// Ends fit when a loss has not fallen for `patience` epochs.
/// Throws in fit: Error (value) where the history has no such name.
class EarlyStopping : public Callback {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& options = {}) : options_(options) {}
  void on_train_begin(Model& model) override;
  void on_epoch_end(Model& model, Index epoch, const Logs& logs) override;
  void on_train_end(Model& model) override;

  /// The epoch with the best value, from 0; -1 before the first, and whether fit was ended here.
  Index best_epoch() const noexcept { return best_epoch_; }
  bool stopped() const noexcept { return stopped_; }

 private:
  EarlyStoppingOptions options_;
  double best_ = 0;
  Index best_epoch_ = -1, waited_ = 0;
  bool stopped_ = false;
  std::vector<Tensor> weights_;
};

struct CompileOptions {
  Optimizer optimizer = "rmsprop";
  Loss loss = "mse";  ///< of every output; their sum is trained
  std::vector<Metric> metrics = {};
  /// Names every random number: first weights (unless they have been set), shuffling, dropout.
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: UNROLL_THREADS, or every processor this process may use
};

/// Data that is watched but not trained on.
struct Validation {
  Data x;
  Data y;
  Rows sample_weight = {};
};

struct FitOptions {
  Index batch_size = 32;
  Index epochs = 1;
  std::vector<std::shared_ptr<Callback>> callbacks = {};
  /// Share of the rows, the last ones, kept for validation; taken before any shuffling.
  double validation_split = 0;
  std::optional<Validation> validation_data = {};
  bool shuffle = true;
  Rows sample_weight = {};  ///< one weight a row, or (row, time)
  Progress progress = {};
  /// Asked after every step; true ends fit in good order (Ctrl-C).
  std::function<bool()> interrupted = {};
};

struct EvaluateOptions {
  Index batch_size = 32;
  Rows sample_weight = {};
  Progress progress = {};
};

struct PredictOptions {
  Index batch_size = 32;  ///< matters to stateful models and to the steps that progress counts
  Progress progress = {};
};

struct SummaryOptions {
  Index line_length = 0;  ///< characters; 0: as wide as Keras would for `columns`
  Index columns = 80;     ///< of the terminal
  bool show_trainable = false;
};

/// The states that stateful layers carry, for one caller. Two sessions do not see each other.
/// Threads: one at a time.
class Session {
 public:
  Session();
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  /// Back to zeros.
  void reset();

 private:
  friend class Model;
  friend struct ModelImpl;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct ModelOptions {
  Symbols inputs;
  Symbols outputs;
  std::string name = "functional";
};

struct ModelImpl;

/// Layers between inputs and outputs. A handle: copies are the same model. Models may share layers.
/// Threads: one at a time; predict with sessions of their own from several threads is not yet
/// supported.
class Model {
 public:
  explicit Model(const ModelOptions& options);

  void compile(const CompileOptions& options);

  /// Trains. x and y have one entry an input and an output; the first axis of each is the rows.
  /// Shapes: targets as the outputs; for sparse losses without the last axis.
  /// Throws: Error (shape) where data and model do not fit; Error (value) before compile and for no
  /// rows.
  History fit(const Data& x, const Data& y, const FitOptions& options = {});
  /// Loss, then metrics.
  Logs evaluate(const Data& x, const Data& y, const EvaluateOptions& options = {});
  /// One tensor an output: (rows, ...).
  Tensors predict(const Data& x, const PredictOptions& options = {});
  /// The same with states of the caller's own.
  Tensors predict(Session& session, const Data& x, const PredictOptions& options = {});
  /// One step on one batch; returns loss, then metrics, as measured before the update.
  Logs train_on_batch(const Data& x, const Data& y, const Rows& sample_weight = {});

  /// Forgets the states of stateful layers.
  void reset_states();
  /// For callbacks: ends fit after this step or epoch.
  void stop_training();

  /// Keras's table.
  std::string summary(const SummaryOptions& options = {}) const;
  const std::string& name() const;
  std::vector<Layer> layers() const;
  /// Throws: Error (value) that lists the names.
  Layer get_layer(std::string_view name) const;
  Symbols inputs() const;
  Symbols outputs() const;
  bool built() const;
  Index count_params() const;
  /// Numbers that training changes.
  Index count_trainable() const;
  std::vector<Tensor> get_weights() const;
  void set_weights(const std::vector<Tensor>& weights);

  /// Computes in float64 from now on, for checks.
  void set_dtype(DType dtype);

  ModelImpl& impl() const noexcept { return *impl_; }

 protected:
  explicit Model(std::shared_ptr<ModelImpl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<ModelImpl> impl_;
};

/// Layers one after another. Built when its first layer is an InputLayer, or by the first data it
/// sees.
class Sequential : public Model {
 public:
  Sequential(std::initializer_list<Layer> layers);
  explicit Sequential(std::vector<Layer> layers, std::string name = "sequential");
  void add(const Layer& layer);
  /// Builds for rows of a shape, batch included (None as `unknown`).
  void build(const Shape& input_shape);
};

}  // namespace unroll
