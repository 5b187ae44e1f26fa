// Fits that are killed and go on.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <thread>

#include "src/io/file.h"
#include "src/io/record_file.h"
#include "tests/folder.h"
#include "tests/model/training_data.h"
#include "unroll/bundle.h"
#include "unroll/checkpoints.h"
#include "unroll/loggers.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;

/// Everything that a fit can remember: dropout, a stateful layer, normalisation, an average of the
/// weights, a falling learning rate, patience, best weights, metrics over parts of an epoch.
struct Plan {
  Index steps_per_epoch = 0;  // 0: all
  bool stateful = false;
  Frequency save_freq = 1;
  bool keep = false;
  int threads = 1;
};

constexpr Index epochs = 3;

Sequential learner(const Plan& run) {
  const Index rows = 10;
  Sequential model{InputLayer({.shape = {6, 1}, .batch_size = run.stateful ? rows : unknown}),
                   GRU(4, {.dropout = 0.3,
                           .recurrent_dropout = 0.2,
                           .return_sequences = true,
                           .stateful = run.stateful}),
                   SimpleRNN(3),
                   BatchNormalization(),
                   Dropout(0.2),
                   Dense(1, {.activation = "sigmoid"})};
  model.compile({.optimizer = Adam{.learning_rate = 0.05, .use_ema = true, .ema_momentum = 0.8},
                 .loss = "binary_crossentropy",
                 .metrics = {"accuracy", "mae"},
                 .seed = 5,
                 .threads = run.threads});
  return model;
}

struct Outcome {
  std::string weights, history, csv;
  bool operator==(const Outcome&) const = default;
};

std::string text_of(const History& history) {
  std::string text;
  for (const std::string& name : history.names()) {
    text += name;
    for (const double value : history[name]) {
      char bytes[sizeof value];
      std::memcpy(bytes, &value, sizeof value);
      text.append(bytes, sizeof value);
    }
  }
  return text + history.ended;
}

/// One fit, that begins or goes on in `folder`; `extra` may end it.
Outcome train(const Folder& folder, const Plan& run, const std::shared_ptr<Callback>& extra = {},
              const FitOptions& changes = {}) {
  const Windows data = windows(wave(60), {.length = 6});
  Tensor y({data.x.count(), 1});
  for (Index i = 0; i < y.elements(); ++i) {
    y.floats()[i] = data.y.values<float>(i)[0] > 0.5F ? 1.0F : 0.0F;
  }
  Sequential model = learner(run);
  FitOptions options = changes;
  options.batch_size = 10;
  options.epochs = epochs;
  options.validation_data = Validation{data.x.slice(0, 20), Rows(y).slice(0, 20)};
  if (run.steps_per_epoch > 0) options.steps_per_epoch = run.steps_per_epoch;
  options.callbacks = {
      backup_and_restore(folder / "backup",
                         {.save_freq = run.save_freq, .delete_checkpoint = !run.keep}),
      early_stopping({.monitor = "loss", .patience = 9, .restore_best_weights = true}),
      reduce_lr_on_plateau({.monitor = "accuracy", .factor = 0.5, .patience = 1}),
      csv_logger(folder / "log.csv"), terminate_on_nan()};
  if (extra) options.callbacks.push_back(extra);
  const History history = model.fit(data.x.slice(0, 50), Rows(y).slice(0, 50), options);
  return {bytes_of(model), text_of(history), content(folder / "log.csv")};
}

/// Ends the program, or throws, at one moment: the nth of all that fit calls.
struct Fate final : Callback {
  enum class Moment { batch_begin, batch_end, epoch_end, test_end, settled };
  Fate(Moment moment, Index count, bool kill) : moment_(moment), left_(count), kill_(kill) {}

  void on_train_batch_begin(Model&, Index) override { meet(Moment::batch_begin); }
  void on_train_batch_end(Model&, Index, const Logs&) override { meet(Moment::batch_end); }
  void on_epoch_end(Model&, Index, const Logs&) override { meet(Moment::epoch_end); }
  void on_test_end(Model&, const Logs&) override { meet(Moment::test_end); }
  void on_settled(Model&, const FitPosition&) override { meet(Moment::settled); }

 private:
  void meet(Moment moment) {
    if (moment != moment_ || left_-- != 0) return;
    if (kill_) ::raise(SIGKILL);
    throw std::runtime_error("the end");
  }

  Moment moment_;
  Index left_;
  bool kill_;
};

std::shared_ptr<Callback> fate(Fate::Moment moment, Index count, bool kill) {
  return std::make_shared<Fate>(moment, count, kill);
}

/// The same set of callbacks in the run that is compared: what never comes is no end.
Outcome undisturbed(const Plan& run) {
  const Folder folder;
  return train(folder, run, fate(Fate::Moment::settled, 1'000'000, false));
}

class GoesOn : public testing::TestWithParam<int> {};

Plan plan_number(int number) {
  switch (number) {
    case 0:
      return {};
    case 1:
      return {.save_freq = "epoch"};
    case 2:
      return {.steps_per_epoch = 3, .save_freq = 2};
    default:
      return {.stateful = true, .threads = 3};
  }
}

TEST_P(GoesOn, ToTheSameBitsFromAnyStep) {
  const Plan run = plan_number(GetParam());
  const Outcome want = undisturbed(run);
  for (const auto moment :
       {Fate::Moment::batch_begin, Fate::Moment::batch_end, Fate::Moment::epoch_end,
        Fate::Moment::test_end, Fate::Moment::settled}) {
    // After every step, and at every third of the other moments.
    const Index stride = moment == Fate::Moment::batch_end ? 1 : 3;
    bool ended = false;
    for (Index count = 0; !ended; count += stride) {
      const Folder folder;
      ended = true;
      try {
        train(folder, run, fate(moment, count, false));
      } catch (const std::runtime_error&) {
        ended = false;
      }
      if (ended) continue;
      ASSERT_TRUE(fs::exists(folder / "backup"));
      EXPECT_EQ(train(folder, run, fate(moment, 1'000'000, false)) == want, true)
          << "moment " << static_cast<int>(moment) << ", number " << count;
      EXPECT_FALSE(fs::exists(folder / "backup"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BackupAndRestore, GoesOn, testing::Range(0, 4));

/// Runs train in another process; whether it came to its end.
bool train_in_child(const Folder& folder, const Plan& run, const std::shared_ptr<Callback>& end,
                    std::chrono::microseconds patience = std::chrono::minutes(10)) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      const Outcome outcome = train(folder, run, end);
      io::write_file(folder / "outcome", outcome.weights + outcome.history + outcome.csv);
      ::_exit(0);
    } catch (...) {
      ::_exit(1);
    }
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  EXPECT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
  return WIFEXITED(status);
}

std::string joined(const Outcome& outcome) {
  return outcome.weights + outcome.history + outcome.csv;
}

TEST(BackupAndRestore, OutlivesAKilledProcess) {
  const Plan run;
  const Outcome want = undisturbed(run);
  for (const auto& [moment, count] :
       {std::pair(Fate::Moment::batch_end, Index{0}), std::pair(Fate::Moment::batch_end, Index{7}),
        std::pair(Fate::Moment::batch_begin, Index{13}),
        std::pair(Fate::Moment::epoch_end, Index{1}), std::pair(Fate::Moment::settled, Index{12}),
        std::pair(Fate::Moment::test_end, Index{2})}) {
    const Folder folder;
    EXPECT_FALSE(train_in_child(folder, run, fate(moment, count, true)));
    EXPECT_TRUE(train_in_child(folder, run, fate(moment, 1'000'000, true)));
    EXPECT_EQ(content(folder / "outcome") == joined(want), true) << "after " << count;
  }
}

TEST(BackupAndRestore, OutlivesBeingKilledAgainAndAgain) {
  // Wherever the clock strikes: in a step, while the file is written, while it is renamed.
  const Plan run;
  const Outcome want = undisturbed(run);
  const Folder folder;
  int killed = 0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    const auto patience = std::chrono::microseconds(2000 + 1700 * attempt);
    if (train_in_child(folder, run, fate(Fate::Moment::settled, 1'000'000, true), patience)) break;
    ++killed;
  }
  if (!fs::exists(folder / "outcome")) {
    ASSERT_TRUE(train_in_child(folder, run, fate(Fate::Moment::settled, 1'000'000, true)));
  }
  EXPECT_GT(killed, 0);
  EXPECT_EQ(content(folder / "outcome") == joined(want), true) << killed << " times";
}

TEST(BackupAndRestore, KeepsTheFileOfAnInterruptedFit) {
  const Plan run{.save_freq = "epoch"};
  const auto never = fate(Fate::Moment::settled, 1'000'000, false);
  const Outcome want = undisturbed(run);
  const Folder folder;
  Index steps = 0;
  FitOptions options;
  options.interrupted = [&] { return ++steps == 8; };  // in the middle of the second epoch
  train(folder, run, never, options);
  ASSERT_TRUE(fs::exists(folder / "backup"));
  const Record record = io::parse_record(content(folder / "backup"), "backup");
  EXPECT_EQ(record.count("position/epoch"), 1);
  EXPECT_EQ(record.count("position/step"), 3);
  // Progress goes on from there.
  std::vector<Index> shown;
  FitOptions watched;
  watched.progress = Progress([&](const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::step) shown.push_back(100 * event.epoch + event.step);
  });
  EXPECT_EQ(train(folder, run, never, watched) == want, true);
  EXPECT_EQ(shown.front(), 104);
  EXPECT_EQ(shown.size(), 7U);
}

TEST(BackupAndRestore, OfAFitThatIsDoneHasNothingLeftToDo) {
  const Plan run{.save_freq = "epoch", .keep = true};
  const auto never = fate(Fate::Moment::settled, 1'000'000, false);
  const Folder folder;
  const Outcome first = train(folder, run, never);
  FitOptions watched;
  watched.progress = Progress([](const ProgressEvent&) { FAIL() << "nothing is left to do"; });
  EXPECT_EQ(train(folder, run, never, watched) == first, true);
}

TEST(BackupAndRestore, GoesOnOnAnotherNumberOfThreads) {
  const Folder folder;
  const Outcome want = undisturbed({});
  EXPECT_THROW(train(folder, {}, fate(Fate::Moment::batch_end, 8, false)), std::runtime_error);
  EXPECT_EQ(train(folder, {.threads = 3}, fate(Fate::Moment::settled, 1'000'000, false)) == want,
            true);
}

// --- what is refused ---

/// A backup of a small fit in the middle, and what another fit says of it.
class OtherFit : public testing::Test {
 protected:
  OtherFit() {
    Sequential model = scale(0, 0.01);
    const auto stop = lambda_callback({.on_train_batch_end = [](Model&, Index step, const Logs&) {
      if (step == 1) throw std::runtime_error("the end");
    }});
    FitOptions options = usual();
    options.callbacks.push_back(stop);
    EXPECT_THROW(model.fit(data_.x, data_.y, options), std::runtime_error);
  }

  FitOptions usual() const {
    return {
        .batch_size = 2, .epochs = 3, .callbacks = {backup_and_restore(path_, {.save_freq = 1})}};
  }
  std::string said(Model model, const Data& x, const Data& y, FitOptions options) {
    options.callbacks.push_back(lambda_callback({}));
    return refusal([&] { model.fit(x, y, options); });
  }
  std::string said(const FitOptions& options) {
    return said(scale(0, 0.01), data_.x, data_.y, options);
  }
  std::string want(const std::string& what, const std::string& got, const std::string& wanted) {
    return "value: " + path_ + ": the backup is of another fit: " + what + " differs\n  got    " +
           got + "\n  want   " + wanted +
           ", as in the backup\n"
           "hint: the same model, data and arguments go on with it; another file begins anew";
  }

  Folder folder_;
  std::string path_ = folder_ / "backup";
  Windows data_ = rows_of(6, [](Index i) { return i; });
};

TEST_F(OtherFit, IsRefused) {
  FitOptions options = usual();
  options.batch_size = 3;
  EXPECT_EQ(said(options), want("batch_size", "3", "2"));
  options = usual();
  options.shuffle = false;
  EXPECT_EQ(said(options), want("shuffle", "no", "yes"));
  options = usual();
  options.steps_per_epoch = 2;
  EXPECT_EQ(said(options), want("steps_per_epoch", "2", "none"));
  options = usual();
  options.class_weight = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 0.5}};
  EXPECT_EQ(said(options), want("class_weight", "0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 0.5", "none"));

  Sequential other = scale(0, 0.01);
  other.compile(
      {.optimizer = SGD{.learning_rate = 0.01}, .loss = "mse", .metrics = {"mae"}, .seed = 3});
  EXPECT_EQ(said(other, data_.x, data_.y, usual()), want("seed", "3", "0"));
  other.compile({.optimizer = SGD{.learning_rate = 0.01}, .loss = "mae", .metrics = {"mae"}});
  EXPECT_EQ(said(other, data_.x, data_.y, usual()),
            want("the loss", "MeanAbsoluteError(reduction sum_over_batch_size)",
                 "MeanSquaredError(reduction sum_over_batch_size)"));
  const std::string rate = said(scale(0, 0.02), data_.x, data_.y, usual());
  EXPECT_TRUE(rate.starts_with("value: " + path_ +
                               ": the backup is of another fit: the optimizer differs\n"
                               "  got    SGD(learning_rate 0.02, "))
      << rate;
  const Windows more = rows_of(8, [](Index i) { return i; });
  const std::string rows = said(scale(0, 0.01), more.x, more.y, usual());
  EXPECT_TRUE(rows.starts_with("value: " + path_ +
                               ": the backup is of another fit: x 0 differs\n"
                               "  got    float32 (8, 1), numbers "))
      << rows;
  const Windows others = rows_of(6, [](Index i) { return i + 1; });
  EXPECT_TRUE(said(scale(0, 0.01), data_.x, others.y, usual())
                  .starts_with("value: " + path_ +
                               ": the backup is of another fit: y 0 differs\n"
                               "  got    float32 (6, 1), numbers "));
  Sequential deeper{InputLayer({.shape = {1}}), Dense(2, {.use_bias = false}), Dense(1)};
  deeper.compile({.optimizer = SGD{.learning_rate = 0.01}, .loss = "mse", .metrics = {"mae"}});
  const std::string layers = said(deeper, data_.x, data_.y, usual());
  EXPECT_TRUE(layers.starts_with("value: " + path_ +
                                 ": the backup is of another fit: layer \"dense\" at 1 differs\n"
                                 "  got    Dense(units 2, "))
      << layers;
  EXPECT_EQ(refusal([&] { scale(0, 0.01).fit(data_.x, data_.y, usual()); }),
            want("callbacks", "unroll::BackupAndRestore",
                 "unroll::BackupAndRestore, unroll::LambdaCallback"));
  // And the right one is not.
  options = usual();
  options.epochs = 5;
  options.callbacks.push_back(lambda_callback({}));
  Sequential right = scale(0, 0.01);
  EXPECT_EQ(right.fit(data_.x, data_.y, options).epochs(), 5U);
}

TEST_F(OtherFit, IsRefusedWhereTheFileIsNoBackup) {
  io::write_file(path_, "these are not the numbers you are looking for");
  EXPECT_TRUE(said(usual()).starts_with("format: " + path_ + ": ")) << said(usual());
  save_bundle({.model = scale(0, 0.01)}, path_);
  EXPECT_EQ(said(usual()), "format: " + path_ + ": a safetensors file, but not a record of unroll");
}

}  // namespace
}  // namespace unroll
