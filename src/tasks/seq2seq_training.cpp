// Training of a Seq2Seq: forced, with schedules of how much.
#include <algorithm>
#include <cmath>

#include "src/tasks/options.h"
#include "src/tasks/schedule.h"
#include "src/tasks/seq2seq_parts.h"
#include "src/tasks/words.h"
#include "unroll/callbacks.h"
#include "unroll/error.h"

namespace unroll {

void ForcingSchedule::check() const {
  const char* const who = "ForcingSchedule";
  tasks::check_choice(who, "kind", kind, {"constant", "linear", "exponential", "inverse_sigmoid"});
  tasks::check_number(who, "from", from, from >= 0 && from <= 1, "from 0 to 1");
  tasks::check_number(who, "to", to, to >= 0 && to <= 1, "from 0 to 1");
  tasks::check_count(who, "steps", steps, 1, 1'000'000'000);
}

double ForcingSchedule::at(Index update) const {
  if (kind == "constant") return from;
  const double done = static_cast<double>(update) / static_cast<double>(steps);
  double left = std::max(0.0, 1 - done);
  if (kind == "exponential") left = std::pow(0.25, done);
  if (kind == "inverse_sigmoid") {
    // k / (k + e^(i / k)) is one half at i = k ln k; in units of steps / 2 that is 1 where k = 8.
    constexpr double k = 8;
    const double i = 2 * done * k * std::log(k);
    left = k / (k + std::exp(i / k));
  }
  return to + (from - to) * left;
}

namespace {

void check(const Seq2SeqTraining& o) {
  constexpr Index most = 1'000'000'000;
  const char* const who = "train";
  tasks::check_count(who, "batch_size", o.batch_size, 1, most);
  tasks::check_count(who, "epochs", o.epochs, 1, most);
  tasks::check_number(who, "learning_rate", o.learning_rate,
                      o.learning_rate > 0 && std::isfinite(o.learning_rate), "a number above 0");
  tasks::check_choice(who, "schedule", o.schedule, {"cosine", "constant"});
  tasks::check_count(who, "warmup", o.warmup, 0, most);
  tasks::check_number(who, "clip_norm", o.clip_norm, o.clip_norm > 0 && std::isfinite(o.clip_norm),
                      "a number above 0");
  tasks::check_number(who, "label_smoothing", o.label_smoothing,
                      o.label_smoothing >= 0 && o.label_smoothing < 1, "from 0 to below 1");
  tasks::check_count(who, "max_length", o.max_length, 1, most);
  tasks::check_count(who, "patience", o.patience, 0, most);
  o.forcing.check();
}

/// Pairs as the model takes them: source with its end, target with its begin, what is to be said.
struct Table {
  Tensor source, target, truth;
  Index pairs = 0, too_long = 0;
};

Table table_of(const Seq2Seq& model, const Seq2SeqPairs& pairs, Index max_length) {
  if (pairs.sources.size() != pairs.targets.size()) {
    throw Error(ErrorKind::value, "train: lists of different lengths",
                {.got = std::to_string(pairs.sources.size()) + " sources, " +
                        std::to_string(pairs.targets.size()) + " targets"});
  }
  std::vector<std::size_t> kept;
  std::size_t S = 0, T = 0;
  const auto most = static_cast<std::size_t>(max_length);
  for (std::size_t i = 0; i < pairs.sources.size(); ++i) {
    tasks::check_ids("train", pairs.sources[i], model.source_vocabulary());
    tasks::check_ids("train", pairs.targets[i], model.target_vocabulary());
    if (std::max(pairs.sources[i].size(), pairs.targets[i].size()) > most) continue;
    kept.push_back(i);
    S = std::max(S, pairs.sources[i].size() + 1);
    T = std::max(T, pairs.targets[i].size() + 1);
  }
  const auto rows = static_cast<Index>(kept.size());
  Table table{Tensor({rows, static_cast<Index>(S)}, DType::int32),
              Tensor({rows, static_cast<Index>(T)}, DType::int32),
              Tensor({rows, static_cast<Index>(T)}, DType::int32), rows,
              static_cast<Index>(pairs.sources.size() - kept.size())};
  auto* source = table.source.values<std::int32_t>().data();
  auto* target = table.target.values<std::int32_t>().data();
  auto* truth = table.truth.values<std::int32_t>().data();
  for (const std::size_t i : kept) {
    const Ids &from = pairs.sources[i], &to = pairs.targets[i];
    *std::copy(from.begin(), from.end(), source) = model.end();
    *target = model.begin();
    std::copy(to.begin(), to.end(), target + 1);
    *std::copy(to.begin(), to.end(), truth) = model.end();
    source += S;
    target += T;
    truth += T;
  }
  return table;
}

LearningRate rate_of(const Seq2SeqTraining& o, Index steps_per_epoch) {
  if (o.schedule == "constant") return o.learning_rate;
  return tasks::warmed_cosine(o.learning_rate, o.warmup, o.epochs * steps_per_epoch, 0.03);
}

/// Says before every update how much the teacher forces; after every epoch, how it went.
class Follow : public Callback {
 public:
  Follow(const Seq2Seq& model, const Seq2SeqTraining& options, const bool& interrupted)
      : model_(model), options_(options), interrupted_(interrupted) {}

  void on_train_batch_begin(Model& model, Index) override {
    const Seq2Seq::Parts& parts = model_.parts();
    parts.decoder->set_feedback({parts.target_embedding, options_.forcing.at(model.iterations()),
                                 options_.feedback_sampled});
  }
  void on_train_end(Model&) override { model_.parts().decoder->set_feedback({}); }
  void add_logs(Model& model, Index, Logs& logs) override {
    if (options_.forcing.kind != "constant" || options_.forcing.from < 1) {
      logs.emplace_back("forcing", options_.forcing.at(model.iterations()));
    }
    if (!options_.score) return;
    const Logs scores = interrupted_ ? names_ : options_.score(model_);
    if (!interrupted_) {
      names_ = scores;
      for (auto& [name, value] : names_) value = std::nan("");
    }
    logs.insert(logs.end(), scores.begin(), scores.end());
  }

 private:
  const Seq2Seq& model_;
  const Seq2SeqTraining& options_;
  const bool& interrupted_;
  Logs names_;
};

}  // namespace

Seq2SeqReport train(const Seq2Seq& model, const Seq2SeqPairs& pairs,
                    const Seq2SeqTraining& options) {
  check(options);
  const Table learnt = table_of(model, pairs, options.max_length);
  if (learnt.pairs == 0) {
    throw Error(ErrorKind::value, "train: no pairs to learn from",
                {.got = tasks::counted(learnt.too_long, "pair") + " longer than max_length"});
  }
  const Table watched = table_of(model, options.validation, 1 << 20);
  Seq2SeqReport report;
  report.parameters = model.model().count_params();
  report.pairs = learnt.pairs;
  report.too_long = learnt.too_long;
  report.steps_per_epoch = (learnt.pairs + options.batch_size - 1) / options.batch_size;
  Model& network = model.model();
  network.compile(
      {.optimizer = Adam{.learning_rate = rate_of(options, report.steps_per_epoch),
                         .global_clipnorm = options.clip_norm},
       .loss = SparseCategoricalCrossentropy{.from_logits = true,
                                             .label_smoothing = options.label_smoothing},
       .seed = options.seed,
       .threads = options.threads});
  if (options.planned) options.planned(report);
  const auto interrupted = [&] {
    return report.interrupted =
               report.interrupted || (options.interrupted && options.interrupted());
  };
  std::vector<std::shared_ptr<Callback>> callbacks{
      std::make_shared<Follow>(model, options, report.interrupted)};
  std::shared_ptr<EarlyStopping> best;
  if (watched.pairs > 0) {
    best = early_stopping(
        {.monitor = options.monitor,
         .patience = options.patience > 0 ? options.patience : options.epochs,
         .mode = options.monitor == "val_loss" ? MonitorModeKind::min : MonitorModeKind::max,
         .restore_best_weights = true});
    callbacks.push_back(best);
  }
  callbacks.push_back(terminate_on_nan());
  callbacks.insert(callbacks.end(), options.callbacks.begin(), options.callbacks.end());
  FitOptions fit{.batch_size = options.batch_size,
                 .epochs = options.epochs,
                 .callbacks = callbacks,
                 .progress = options.progress,
                 .interrupted = interrupted};
  if (watched.pairs > 0) {
    fit.validation_data = Validation{{watched.source, watched.target}, {watched.truth}};
  }
  report.history = network.fit({learnt.source, learnt.target}, {learnt.truth}, fit);
  const std::vector<double>& losses = report.history["loss"];
  if (!losses.empty() && !std::isfinite(losses.back())) {
    throw Error(ErrorKind::value, "train: the loss is no longer finite",
                {.got = tasks::spelt(losses.back()) + " in epoch " + std::to_string(losses.size()),
                 .hint = "a smaller learning rate"});
  }
  if (best != nullptr) {
    report.best_epoch = best->best_epoch();
    report.stopped = best->stopped();
  }
  return report;
}

}  // namespace unroll
