// fit: see fit_run.h.
#include <algorithm>

#include "src/model/fit_run.h"
#include "src/model/memory.h"
#include "unroll/error.h"

namespace unroll {

namespace {

/// The model, built for the data and bound, its data checked.
Trainer& checked_trainer(ModelImpl& model, const Parts& parts, const FitOptions& options) {
  model.see(parts.x);
  Trainer& trainer = model.ready(true);
  trainer.check(parts.x, &parts.y);
  trainer.resolve_metrics();
  if (parts.validation) trainer.check(parts.validation->x, &parts.validation->y);
  std::vector<Shape> rows;
  for (const Rows& x : parts.x) {
    rows.push_back(x.row_shape());
    if (options.tbptt && rows.back().rank() > 0) {
      rows.back().set(0, std::min(rows.back()[0], *options.tbptt));
    }
  }
  const Index count = rows_in(parts.x);
  check_memory(trainer, rows, std::min(options.batch_size, count), count);
  return trainer;
}

const FitOptions& checked(const FitOptions& options) {
  check_arguments(options);
  return options;
}

std::string callback_name(std::size_t i) { return "callbacks/" + std::to_string(i); }

}  // namespace

FitRun::FitRun(const Model& model, const Data& x, const Data& y, const FitOptions& options)
    : model_(model),
      impl_(model.impl()),
      options_(checked(options)),
      parts_(parts_of(x, y, options)),
      trainer_(checked_trainer(impl_, parts_, options)),
      passes_(rows_in(parts_.x), options.batch_size, options.shuffle, trainer_.seed()),
      totals_(trainer_.metrics()),
      steps_(options.steps_per_epoch.value_or(passes_.batches())),
      epoch_(options.initial_epoch) {
  if (impl_.run != nullptr) {
    throw Error(ErrorKind::value, "fit is called while the model's fit goes on",
                {.hint = "a callback may evaluate and predict, but not fit"});
  }
  description_ = describe_fit(impl_, trainer_, parts_, options);
  if (!options.class_weight.empty()) {
    parts_.weight =
        weights_by_class(trainer_, impl_.dtype, parts_.y, parts_.weight, options.class_weight);
  }
  history_.steps_per_epoch = steps_;
  history_.first_epoch = options.initial_epoch;
  impl_.run = this;
  impl_.stop = false;
  impl_.why.clear();
}

FitRun::~FitRun() { impl_.run = nullptr; }

History FitRun::run() {
  whole_.begin();
  model_.impl().trainer->keep_lanes(false);  // unless a callback wants them
  for (const auto& callback : options_.callbacks) callback->on_train_begin(model_);
  if (pending_) {
    restore(*pending_);
    pending_.reset();
  } else {
    passes_.begin(epoch_);
  }
  settle(false);
  while (epoch_ < options_.epochs && (inside_ || !impl_.stop) && !interrupted_) {
    if (!inside_) begin_epoch();
    train_epoch();
    end_epoch();
  }
  trainer_.finalize();
  for (const auto& callback : options_.callbacks) callback->on_train_end(model_);
  history_.seconds = whole_.seconds();
  history_.ended = impl_.why;
  return std::move(history_);
}

void FitRun::begin_epoch() {
  clock_.begin();
  for (const auto& callback : options_.callbacks) callback->on_epoch_begin(model_, epoch_);
  // With steps_per_epoch the passes go on across epochs; otherwise each epoch is one.
  if (!options_.steps_per_epoch) {
    passes_.begin(epoch_);
  } else if (passes_.exhausted()) {
    passes_.begin(passes_.pass() + 1);
  }
  totals_.reset();
  step_ = 0;
  inside_ = true;
}

void FitRun::train_epoch() {
  while (step_ < steps_ && !passes_.exhausted() && !impl_.stop && !interrupted_) {
    train_step();
    interrupted_ = options_.interrupted && options_.interrupted();
    settle(interrupted_);
  }
}

void FitRun::train_step() {
  for (const auto& callback : options_.callbacks) callback->on_train_batch_begin(model_, step_);
  const RowNumbers numbers = passes_.next();
  if (trainer_.graph().stateful()) {
    impl_.fit_states(impl_.session, static_cast<Index>(numbers.size()));
  }
  const Batch batch{&parts_.x, &parts_.y, &parts_.weight, numbers};
  if (options_.tbptt) {
    trainer_.train_in_parts(batch, *options_.tbptt, impl_.states(impl_.session), totals_);
  } else {
    trainer_.train(batch, impl_.states(impl_.session), totals_);
  }
  ++step_;
  if (!options_.progress && options_.callbacks.empty()) return;
  logs_.clear();
  totals_.report(trainer_.metrics(), "", logs_);
  options_.progress(
      {ProgressEvent::Kind::step, step_, steps_, epoch_, options_.epochs, clock_.seconds(), logs_});
  for (const auto& callback : options_.callbacks) {
    callback->on_train_batch_end(model_, step_ - 1, logs_);
  }
}

void FitRun::validate(Logs& logs) {
  const Validation& watched = *parts_.validation;
  const Logs values =
      model_.evaluate(watched.x, watched.y,
                      {.batch_size = options_.validation_batch_size.value_or(options_.batch_size),
                       .sample_weight = watched.sample_weight,
                       .steps = options_.validation_steps,
                       .callbacks = options_.callbacks});
  for (const auto& [name, value] : values) logs.emplace_back("val_" + name, value);
}

void FitRun::end_epoch() {
  logs_.clear();
  totals_.report(trainer_.metrics(), "", logs_);
  if (parts_.validation && !interrupted_ && options_.validation_freq.has(epoch_)) validate(logs_);
  for (const auto& callback : options_.callbacks) callback->add_logs(model_, epoch_, logs_);
  history_.add(logs_);
  options_.progress({ProgressEvent::Kind::epoch, step_, steps_, epoch_, options_.epochs,
                     clock_.seconds(), logs_});
  for (const auto& callback : options_.callbacks) callback->on_epoch_end(model_, epoch_, logs_);
  inside_ = false;
  if (interrupted_) return;  // what was settled last is where another fit goes on
  ++epoch_;
  step_ = 0;
  settle(false);
}

void FitRun::settle(bool interrupted) {
  for (const auto& callback : options_.callbacks) {
    callback->on_settled(model_, {epoch_, step_, interrupted});
  }
}

std::vector<std::string> FitRun::names() const {
  std::vector<std::string> names;
  for (const char* prefix : {"", "val_"}) {
    if (*prefix != '\0' && !parts_.validation) continue;
    Logs logs;
    totals_.report(trainer_.metrics(), prefix, logs);
    for (const auto& [name, value] : logs) names.push_back(name);
  }
  return names;
}

// --- the fit as one value ---

Record FitRun::record() const {
  Record record;
  for (const auto& [name, text] : description_) record.set("fit/" + name, text);
  record.put("training", model_.training_state());
  History so_far = history_;
  so_far.seconds = whole_.seconds();
  Record history;
  so_far.save(history);
  record.put("history", history);
  for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
    Record remembered;
    options_.callbacks[i]->save(remembered);
    record.put(callback_name(i), remembered);
  }
  const std::vector<double> totals = totals_.numbers();
  record.set("position/totals", Tensor::of<double>({static_cast<Index>(totals.size())}, totals));
  const auto count = [&](const char* name, Index value) {
    record.set(std::string("position/") + name, static_cast<double>(value));
  };
  count("epoch", epoch_);
  count("step", step_);
  count("inside", inside_ ? 1 : 0);
  count("pass", passes_.pass());
  count("taken", passes_.taken());
  count("stop", impl_.stop ? 1 : 0);
  record.set("position/why", impl_.why);
  record.set("position/epoch_seconds", clock_.seconds());
  return record;
}

void FitRun::go_on_from(const Record& record) {
  const Record described = record.part("fit");
  const auto refuse = [](const std::string& what, std::string got, std::string want) {
    throw Error(ErrorKind::value, "the backup is of another fit: " + what + " differs",
                {.got = std::move(got),
                 .want = std::move(want) + ", as in the backup",
                 .hint = "the same model, data and arguments go on with it; another file begins "
                         "anew"});
  };
  for (const auto& [name, text] : description_) {
    const bool known = described.texts().contains(name);
    if (!known || described.text(name) != text) {
      refuse(name, text, known ? described.text(name) : "nothing");
    }
  }
  for (const auto& [name, text] : described.texts()) {
    const bool known = std::ranges::any_of(
        description_, [&, &other = name](const auto& entry) { return entry.first == other; });
    if (!known) refuse(name, "nothing", text);
  }
  const Record place = record.part("position");
  const Index epoch = place.count("epoch");
  if (epoch > options_.epochs) {
    refuse("epochs", std::to_string(options_.epochs), std::to_string(epoch) + " or more");
  }
  if (place.tensor("totals").elements() != static_cast<Index>(totals_.numbers().size())) {
    refuse("the metrics", "", "");
  }
  pending_ = record;
}

void FitRun::restore(const Record& record) {
  model_.set_training_state(record.part("training"));
  history_.load(record.part("history"));
  whole_.begin(history_.seconds);
  for (std::size_t i = 0; i < options_.callbacks.size(); ++i) {
    options_.callbacks[i]->load(record.part(callback_name(i)));
  }
  const Record place = record.part("position");
  totals_.set_numbers(place.tensor("totals").values<double>());
  epoch_ = place.count("epoch");
  step_ = place.count("step");
  inside_ = place.count("inside") != 0;
  passes_.begin(place.count("pass"), place.count("taken"));
  impl_.stop = place.count("stop") != 0;
  impl_.why = place.text("why");
  clock_.begin(place.number("epoch_seconds"));
}

// --- Model ---

History Model::fit(const Data& x, const Data& y, const FitOptions& options) {
  return FitRun(*this, x, y, options).run();
}

std::vector<std::string> Model::fit_names() const {
  return impl_->run == nullptr ? std::vector<std::string>{} : impl_->run->names();
}

Record Model::fit_state() const {
  if (impl_->run != nullptr) return impl_->run->record();
  throw Error(ErrorKind::value, "fit_state outside fit",
              {.hint = "training_state() is the state of a model that is not being trained"});
}

void Model::resume_fit(const Record& record) {
  if (impl_->run != nullptr) return impl_->run->go_on_from(record);
  throw Error(ErrorKind::value, "resume_fit outside fit",
              {.hint = "call it in a callback's on_train_begin"});
}

}  // namespace unroll
