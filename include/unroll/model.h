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
#include <initializer_list>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <span>
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
class Record;

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
  Index first_epoch = 0;  ///< FitOptions::initial_epoch
  std::string ended;      ///< why fit ended before its last epoch, as a callback said; or empty

  /// One epoch more. A name that an epoch does not have is NaN there.
  void add(const Logs& logs);
  void save(Record& record) const;
  void load(const Record& record);

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

/// What comes next in a fit: everything before this step of this epoch is done.
struct FitPosition {
  Index epoch = 0;           ///< from 0
  Index step = 0;            ///< of the epoch, from 0
  bool interrupted = false;  ///< fit has been asked to end here (FitOptions::interrupted)
};

/// Follows a fit and may end it. Called on the thread of fit, between steps. unroll/callbacks.h and
/// unroll/checkpoints.h have ready ones.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual void on_train_begin(Model&) {}
  virtual void on_train_end(Model&) {}
  /// Not called again for an epoch that a fit goes on with in the middle (resume_fit).
  virtual void on_epoch_begin(Model&, Index /*epoch*/) {}
  /// Adds what else is known of an epoch: the history and all callbacks will have it.
  virtual void add_logs(Model&, Index /*epoch*/, Logs&) {}
  virtual void on_epoch_end(Model&, Index /*epoch*/, const Logs&) {}
  virtual void on_train_batch_begin(Model&, Index /*step*/) {}
  /// The logs are the means over the epoch so far.
  virtual void on_train_batch_end(Model&, Index /*step*/, const Logs&) {}
  /// Around each evaluation: those of fit, and evaluate() with this callback.
  virtual void on_test_begin(Model&) {}
  virtual void on_test_end(Model&, const Logs&) {}
  /// Before the first step, and after each step and each epoch when every callback has had the end
  /// of it: fit_state() is then whole.
  virtual void on_settled(Model&, const FitPosition& /*next*/) {}

  /// What it remembers from epoch to epoch, so that a fit can go on in another process. load comes
  /// after on_train_begin.
  virtual void save(Record&) const {}
  virtual void load(const Record&) {}
};

struct CompileOptions {
  Optimizer optimizer = "rmsprop";
  Loss loss = "mse";                 ///< of every output; their weighted sum is trained
  std::vector<Metric> metrics = {};  ///< of every output, without sample_weight
  /// Names every random number: first weights (unless they have been set), shuffling, dropout.
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: UNROLL_THREADS, or every processor this process may use
  /// What each output's loss counts in the sum; none: 1 each.
  std::vector<double> loss_weights = {};
  std::vector<Metric> weighted_metrics = {};  ///< of every output, with sample_weight
  /// One loss an output, and one list of metrics an output, where outputs differ; none: as above.
  std::vector<Loss> losses = {};
  std::vector<std::vector<Metric>> metrics_of_outputs = {};
};

/// Data that is watched but not trained on.
struct Validation {
  Data x;
  Data y;
  Rows sample_weight = {};
};

/// Which epochs end with a validation: every nth, or the ones of a list; 1 is the first epoch.
class ValidationFreq {
 public:
  ValidationFreq(Index every) : every_(every) {}
  ValidationFreq(std::initializer_list<Index> epochs) : epochs_(epochs) {}
  /// Throws: Error (value) for numbers that are not positive.
  void check() const;
  /// `epoch` is from 0.
  bool has(Index epoch) const;
  std::string to_string() const;

 private:
  Index every_ = 0;  // 0: the list
  std::vector<Index> epochs_;
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
  /// The epoch to begin with: fit(.epochs = 3), then fit(.epochs = 5, .initial_epoch = 3), is fit
  /// for 5.
  Index initial_epoch = 0;
  /// Ends an epoch after so many batches; the next one goes on with the rows that are left. Where
  /// they run out the epoch ends there, and the next one begins them anew. None: all rows.
  std::optional<Index> steps_per_epoch = {};
  /// Validates on the first so many batches only.
  std::optional<Index> validation_steps = {};
  ValidationFreq validation_freq = 1;
  std::optional<Index> validation_batch_size = {};  ///< none: batch_size
  /// What a sample weighs by its class: the label of a sparse loss, the largest of one-hot targets,
  /// the rounded single target; 1 for a class that is not named. Multiplies sample_weight; does not
  /// apply to validation.
  std::map<Index, double> class_weight = {};
  /// Truncated backpropagation through time: sequences are trained in parts of so many steps, each
  /// with an update of its own. States go on from part to part, gradients do not. Inputs and
  /// targets are sequences of one length. None: whole sequences.
  std::optional<Index> tbptt = {};
};

struct EvaluateOptions {
  Index batch_size = 32;
  Rows sample_weight = {};
  Progress progress = {};
  std::optional<Index> steps = {};  ///< only the first so many batches
  std::vector<std::shared_ptr<Callback>> callbacks = {};
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

class PackedModel;

/// What one caller of a model has of its own: the states that layers carry. Two sessions do not see
/// each other. Threads: one at a time; different sessions, at once.
class Session {
 public:
  /// For Model::predict.
  Session();
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  /// Back to zeros.
  void reset();

  // --- one time step at a time: see unroll/stream.h ---
  /// Takes everything that its steps will need. All below throw Error (value) for a session that
  /// was not made of a packed model.
  explicit Session(const PackedModel& model);
  /// Takes one step of the only input and returns the only output, which the next step overwrites.
  /// Allocates nothing and waits for nobody unless it throws.
  /// Throws: Error (shape) for another number of features, inputs or outputs; Error (value) where a
  /// layer refuses a number, as an Embedding does an id outside its table.
  std::span<const float> step(std::span<const float> features);
  std::span<const float> step(std::int32_t id);
  /// The same for models of several inputs or outputs: set each input, step, look at the outputs.
  void set_input(std::size_t i, std::span<const float> features);
  void set_input(std::size_t i, std::int32_t id);
  void step();
  std::span<const float> output(std::size_t i) const;
  /// The states as they are now: copies, (1, size) each in the order of the layers, to be kept, or
  /// set in any session of the same model. Throws (set): Error (shape) for states of another model.
  Tensors states() const;
  void set_states(const Tensors& states);
  /// The states of another session of the same packed model; allocates nothing. Throws: Error
  /// (value) where it is of another one.
  void set_states(const Session& other);

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

  /// Uses the model as a layer of another, with the same weights. Throws: Error (shape).
  Symbol operator()(const Symbols& inputs) const;
  operator Layer() const;

  /// Says how to train. Throws: Error (value) for options of the optimiser or a loss that are out
  /// of range.
  void compile(const CompileOptions& options);

  /// Trains. x and y have one entry an input and an output; the first axis of each is the rows.
  /// Shapes: targets as the outputs; for sparse losses without the last axis.
  /// Throws: Error (shape) where data and model do not fit; Error (value) before compile, for no
  /// rows, and for arguments outside their range.
  History fit(const Data& x, const Data& y, const FitOptions& options = {});
  /// Loss, then metrics.
  Logs evaluate(const Data& x, const Data& y, const EvaluateOptions& options = {});
  /// One tensor an output: (rows, ...).
  Tensors predict(const Data& x, const PredictOptions& options = {});
  /// The same with states of the caller's own.
  Tensors predict(Session& session, const Data& x, const PredictOptions& options = {});
  /// One step on one batch; returns loss, then metrics, as measured before the update.
  Logs train_on_batch(const Data& x, const Data& y, const Rows& sample_weight = {});
  /// The same without an update; and the outputs for one batch.
  Logs test_on_batch(const Data& x, const Data& y, const Rows& sample_weight = {});
  Tensors predict_on_batch(const Data& x);

  /// Of the next update; changed until the model is compiled again. Throws: Error (value) before
  /// compile; to set: Error (value) where a schedule says the rate, or for a negative one.
  double learning_rate() const;
  void set_learning_rate(double rate);
  /// Updates since the model was compiled.
  Index iterations() const;
  /// All that training changes, as one value: weights, what the optimiser remembers, iterations, a
  /// constant learning rate, the states of stateful layers. A copy.
  /// Throws: Error (value) before compile; to set: Error (shape) and Error (format) where the
  /// record is of another model.
  Record training_state() const;
  void set_training_state(const Record& record);

  /// Forgets the states of stateful layers; or of one of them, by its name (Keras:
  /// layer.reset_states(); states are a session's here, not a layer's).
  /// Throws: Error (value) where there is no such layer, or it is not stateful.
  void reset_states();
  void reset_states(std::string_view layer);
  /// For callbacks: ends fit after this step or epoch; `why` goes into the history.
  void stop_training(std::string why = {});
  /// For callbacks: what fit's logs may hold, such as "val_loss"; nothing outside fit.
  std::vector<std::string> fit_names() const;
  /// For callbacks, in on_settled: the whole fit as one value. It holds training_state(), the
  /// position, the means of the running epoch, the history, what callbacks save, and a description
  /// of model, data and arguments.
  /// Throws: Error (value) outside fit.
  Record fit_state() const;
  /// For callbacks, in on_train_begin: fit goes on from a fit_state(), to the same bits as one that
  /// never stopped. Throws: Error (value) where the record is of another model, other data or other
  /// arguments (more epochs are fine).
  void resume_fit(const Record& record);

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
  /// Freezes or frees every layer. As in Keras, compile again afterwards.
  void set_trainable(bool trainable);

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
