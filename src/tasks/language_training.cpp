// Training of language models: the streams, what follows the fit.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/tasks/options.h"
#include "src/tasks/schedule.h"
#include "src/tasks/words.h"
#include "unroll/callbacks.h"
#include "unroll/error.h"
#include "unroll/language.h"

namespace unroll {

namespace {

using tasks::counted;

void check(const LanguageTraining& o) {
  constexpr Index most = 1'000'000'000;
  const char* const who = "train";
  tasks::check_number(who, "validation", o.validation, o.validation > 0 && o.validation < 1,
                      "a share above 0 and below 1");
  tasks::check_count(who, "batch_size", o.batch_size, 1, most);
  tasks::check_count(who, "steps", o.steps, 1, most);
  tasks::check_count(who, "epochs", o.epochs, 1, most);
  tasks::check_number(who, "learning_rate", o.learning_rate,
                      o.learning_rate > 0 && std::isfinite(o.learning_rate), "a number above 0");
  tasks::check_choice(who, "schedule", o.schedule, {"cosine", "plateau", "constant"});
  tasks::check_count(who, "warmup", o.warmup, 0, most);
  tasks::check_number(who, "clip_norm", o.clip_norm, o.clip_norm > 0 && std::isfinite(o.clip_norm),
                      "a number above 0");
  tasks::check_count(who, "patience", o.patience, 1, most);
  tasks::check_count(who, "learnt", o.learnt, 0, std::numeric_limits<Index>::max());
}

/// What is foretold while learning. A row is `steps` ids and the one after them; row
/// s * batch_size + b continues row (s - 1) * batch_size + b.
struct Streams {
  Rows x, y;
  Index steps_per_epoch = 0;
};

Streams streams_of(std::span<const std::int32_t> ids, Index batch_size, Index steps) {
  const Index length = (static_cast<Index>(ids.size()) - 1) / batch_size;
  const Index pieces = length / steps;
  if (pieces < 1) {
    const Index most = std::max<Index>(length, 1);
    throw Error(
        ErrorKind::value, "train: the text is too short for one step",
        {.got = counted(static_cast<Index>(ids.size()), "token") + " to learn from",
         .want = "more than " + tasks::grouped(batch_size * steps) + ": " +
                 counted(batch_size, "stream") + " of " + std::to_string(steps),
         .hint = length < 1 ? "a longer text, or a smaller batch_size"
                            : "a longer text, or steps of at most " + std::to_string(most)});
  }
  // The ids in the order in which they are read, each once, and one more a row.
  const Index row = steps + 1, rows = pieces * batch_size;
  Tensor storage({rows, row}, DType::int32);
  auto* to = storage.values<std::int32_t>().data();
  for (Index s = 0; s < pieces; ++s) {
    for (Index b = 0; b < batch_size; ++b, to += row) {
      std::copy_n(ids.data() + b * length + s * steps, row, to);
    }
  }
  return {.x = Rows(storage, 0, row, rows, {steps}),
          .y = Rows(storage, 1, row, rows, {steps}),
          .steps_per_epoch = pieces};
}

LearningRate rate_of(const LanguageTraining& o, Index steps_per_epoch) {
  if (o.schedule != "cosine") return o.learning_rate;
  return tasks::warmed_cosine(o.learning_rate, o.warmup, o.epochs * steps_per_epoch, 0.01);
}

/// Begins epochs with states of zeros and ends them with a loss on what is not learnt.
class Watch : public Callback {
 public:
  Watch(LanguageModel model, std::span<const std::int32_t> ids, Index first,
        const bool& interrupted)
      : model_(std::move(model)), ids_(ids), first_(first), interrupted_(interrupted) {}

  void on_epoch_begin(Model& model, Index) override { model.reset_states(); }

  void add_logs(Model& model, Index, Logs& logs) override {
    score_ = interrupted_ ? LanguageScore{} : model_.evaluate(ids_, first_);
    logs.emplace_back("val_loss", score_.nats);
    logs.emplace_back("learning_rate", model.learning_rate());
  }

 private:
  LanguageModel model_;
  std::span<const std::int32_t> ids_;
  Index first_;
  const bool& interrupted_;
  LanguageScore score_;
};

std::shared_ptr<Callback> teller(const LanguageModel& model, const LanguageTraining& options,
                                 const bool& interrupted) {
  return lambda_callback({.on_epoch_end = [&](Model&, Index epoch, const Logs&) {
    if (options.epoch_done && !interrupted) options.epoch_done(model, epoch);
  }});
}

void check_finite(const History& history) {
  const std::vector<double>& losses = history["loss"];
  if (losses.empty() || std::isfinite(losses.back())) return;
  throw Error(ErrorKind::value, "train: the loss is no longer finite",
              {.got = tasks::spelt(losses.back()) + " in epoch " + std::to_string(losses.size()),
               .hint = "a smaller learning rate"});
}

}  // namespace

LanguageReport train(const LanguageModel& model, std::span<const std::int32_t> ids,
                     const LanguageTraining& options) {
  check(options);
  tasks::check_ids("train", ids, model.vocabulary());
  const auto count = static_cast<Index>(ids.size());
  const auto learnt =
      static_cast<Index>(std::floor(static_cast<double>(count) * (1 - options.validation) + 0.5));
  LanguageReport report;
  report.parameters = model.model().count_params();
  report.tokens = count;
  report.training_tokens = learnt;
  report.validation_tokens = count - learnt;
  if (report.validation_tokens < 1 || learnt < 2) {
    throw Error(ErrorKind::value, "train: the text is too short to be split",
                {.got = counted(count, "token")});
  }
  const Streams streams =
      streams_of(ids.first(static_cast<std::size_t>(learnt)), options.batch_size, options.steps);
  report.steps_per_epoch = streams.steps_per_epoch;
  report.learnt_tokens = streams.x.count() * options.steps;

  Model& network = model.model();
  network.compile({.optimizer = Adam{.learning_rate = rate_of(options, streams.steps_per_epoch),
                                     .global_clipnorm = options.clip_norm},
                   .loss = SparseCategoricalCrossentropy{.from_logits = true},
                   .seed = options.seed,
                   .threads = options.threads});
  if (options.planned) options.planned(report);

  const auto interrupted = [&] {
    return report.interrupted =
               report.interrupted || (options.interrupted && options.interrupted());
  };
  const auto patience =
      early_stopping({.patience = options.patience, .mode = "min", .restore_best_weights = true});
  std::vector<std::shared_ptr<Callback>> callbacks{
      std::make_shared<Watch>(model, ids, learnt, report.interrupted), patience};
  if (options.schedule == "plateau") {
    callbacks.push_back(reduce_lr_on_plateau({.factor = 0.5, .patience = 1, .mode = "min"}));
  }
  callbacks.push_back(terminate_on_nan());
  callbacks.push_back(teller(model, options, report.interrupted));
  callbacks.insert(callbacks.end(), options.callbacks.begin(), options.callbacks.end());
  report.history = network.fit(streams.x, streams.y,
                               {.batch_size = options.batch_size,
                                .epochs = options.epochs,
                                .callbacks = callbacks,
                                .shuffle = false,
                                .progress = options.progress,
                                .interrupted = interrupted});
  check_finite(report.history);
  report.best_epoch = patience->best_epoch();
  report.stopped = patience->stopped();
  network.reset_states();
  if (!report.interrupted) report.validation = model.evaluate(ids, learnt);
  return report;
}

}  // namespace unroll
