// Checkpoints: the callbacks that write models and whole trainings to files.
//
//   model.fit(x, y, {.epochs = 50,
//                    .callbacks = {model_checkpoint("best.unroll", {.save_best_only = true}),
//                                  backup_and_restore("training.backup")},
//                    .validation_split = 0.2});
//
// A file is replaced when the new one is complete and on the disk, or not at all.
//
// Why they are here and not among the other callbacks: a model does not know files. Callbacks see
// it from outside, so those that write stand above it, beside the formats, and no interface between
// the two is needed.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "unroll/callbacks.h"

namespace unroll {

/// How often something is written: "epoch", "batch", or after so many batches.
class Frequency {
 public:
  consteval Frequency(const char* name) : batches_(find(name)) {}
  constexpr Frequency(std::integral auto batches)
      : batches_(static_cast<Index>(batches)), given_(true) {}

  /// 0: after each epoch.
  constexpr Index batches() const noexcept { return batches_; }
  constexpr bool epoch() const noexcept { return batches_ == 0 && !given_; }
  /// Throws: Error (value) for a number that is not positive.
  void check(const char* who, const char* option) const;

 private:
  static consteval Index find(std::string_view name) {
    if (name == "epoch") return 0;
    if (name == "batch") return 1;
    throw "a frequency is \"epoch\", \"batch\" or a number of batches";
  }

  Index batches_ = 0;
  bool given_ = false;
};

// --- weights alone ---

/// Writes the weights of a model as safetensors, "layer/kernel". Throws: Error (file) where it
/// cannot be written; Error (value) for a model that is not built.
void save_weights(const Model& model, const std::string& path);
/// Throws: Error (file) where it cannot be read; Error (format) for bytes that are no weights, or
/// not of this model.
void load_weights(Model& model, const std::string& path);

// --- the callbacks ---

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";  ///< for save_best_only
  bool save_best_only = false;
  bool save_weights_only = false;  ///< save_weights instead of save_bundle
  MonitorMode mode = "auto";
  Frequency save_freq = "epoch";
  std::optional<double> initial_value_threshold = {};  ///< what has to be beaten from the first on
};
/// Saves the model as a bundle, after every epoch or only after better ones. The path may hold
/// names of the logs, and epoch and batch, which count from 1: "{epoch:02d}-{val_loss:.2f}.unroll".
/// Throws: Error (value) for a path with other names; in fit, as save_bundle and, for
///   save_best_only, as EarlyStopping.
class ModelCheckpoint : public Callback {
 public:
  explicit ModelCheckpoint(std::string path, const ModelCheckpointOptions& options = {});
  void on_train_begin(Model& model) override;
  void on_epoch_begin(Model& model, Index epoch) override;
  void on_train_batch_end(Model& model, Index step, const Logs& logs) override;
  void on_epoch_end(Model& model, Index epoch, const Logs& logs) override;
  void save(Record& record) const override;
  void load(const Record& record) override;

  /// The last file written, and the value it was written for; empty before.
  const std::string& last_path() const noexcept { return last_path_; }
  double best() const noexcept { return best_; }

 private:
  std::string path_for(const Model& model, Index step, const Logs& logs) const;
  void write(Model& model, Index step, const Logs& logs);

  std::string path_;
  ModelCheckpointOptions options_;
  Monitor monitor_;
  double best_ = 0;
  Index epoch_ = 0, batches_ = 0;
  std::string last_path_;
};

struct BackupAndRestoreOptions {
  Frequency save_freq = "epoch";
  bool delete_checkpoint = true;  ///< when fit has come to its end
};
/// Keeps the whole fit in a file: weights, optimiser, position, random numbers, means of the
/// running epoch, history, and what the other callbacks remember. A fit that was killed and is
/// called again with the same arguments goes on from there to the same bits as one that never
/// stopped. Where fit ends because it was interrupted (FitOptions::interrupted), the file is
/// written at that step and stays.
/// Throws in fit: Error (file) where the file cannot be read or written; Error (format) for bytes
///   that are no backup; Error (value) for a backup of another model, other data or arguments.
class BackupAndRestore : public Callback {
 public:
  explicit BackupAndRestore(std::string path, const BackupAndRestoreOptions& options = {});
  void on_train_begin(Model& model) override;
  void on_settled(Model& model, const FitPosition& next) override;
  void on_train_end(Model& model) override;

  /// Whether this fit went on from a backup.
  bool restored() const noexcept { return restored_; }

 private:
  std::string path_;
  BackupAndRestoreOptions options_;
  bool restored_ = false, begun_ = false, interrupted_ = false;
  Index steps_ = 0;
};

// --- the same, short ---

inline std::shared_ptr<ModelCheckpoint> model_checkpoint(
    std::string path, const ModelCheckpointOptions& options = {}) {
  return std::make_shared<ModelCheckpoint>(std::move(path), options);
}
inline std::shared_ptr<BackupAndRestore> backup_and_restore(
    std::string path, const BackupAndRestoreOptions& options = {}) {
  return std::make_shared<BackupAndRestore>(std::move(path), options);
}

}  // namespace unroll
