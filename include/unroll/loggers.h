// Loggers: the callbacks that write what a fit reports to files.
//
//   .callbacks = {csv_logger("training.csv"), tensor_board({.log_dir = "logs"})}
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "unroll/checkpoints.h"

namespace unroll {

struct CSVLoggerOptions {
  std::string separator = ",";
  bool append = false;  ///< goes on with the file that is there
};
/// One line an epoch: the epoch, from 0, and the logs by name; NA for a value that an epoch does
/// not have. Numbers read back to the same bits.
/// Throws: Error (value) for an empty separator; in fit: Error (file) where it cannot be written.
class CSVLogger : public Callback {
 public:
  explicit CSVLogger(std::string path, const CSVLoggerOptions& options = {});
  void on_train_begin(Model& model) override;
  void on_epoch_end(Model& model, Index epoch, const Logs& logs) override;
  void on_train_end(Model& model) override;
  void save(Record& record) const override;
  void load(const Record& record) override;

 private:
  void write(const std::string& line);

  std::string path_;
  CSVLoggerOptions options_;
  std::vector<std::string> columns_;
  bool begun_ = false;
  Index size_ = 0;  // bytes of the file when the last line was written
};

struct TensorBoardOptions {
  std::string log_dir = "logs";
  Index histogram_freq = 0;         ///< histograms of the weights every so many epochs; 0: none
  Frequency update_freq = "epoch";  ///< also after batches: "batch_loss"
};
/// Event files that TensorBoard reads: log_dir/train and log_dir/validation with "epoch_loss" and
/// the other logs, "epoch_learning_rate", "evaluation_loss_vs_iterations", and histograms of the
/// weights. A fit that goes on after a break begins a new file, as TensorBoard wants it.
/// Throws: Error (value) for an option outside its range; in fit: Error (file) where it cannot be
///   written.
class TensorBoard : public Callback {
 public:
  explicit TensorBoard(const TensorBoardOptions& options = {});
  ~TensorBoard() override;
  void on_train_begin(Model& model) override;
  void on_train_batch_end(Model& model, Index step, const Logs& logs) override;
  void on_test_end(Model& model, const Logs& logs) override;
  void on_epoch_end(Model& model, Index epoch, const Logs& logs) override;
  void on_train_end(Model& model) override;

 private:
  struct Files;
  void write_histograms(Model& model, Index epoch);

  TensorBoardOptions options_;
  std::unique_ptr<Files> files_;
};

// --- the same, short ---

inline std::shared_ptr<CSVLogger> csv_logger(std::string path,
                                             const CSVLoggerOptions& options = {}) {
  return std::make_shared<CSVLogger>(std::move(path), options);
}
inline std::shared_ptr<TensorBoard> tensor_board(const TensorBoardOptions& options = {}) {
  return std::make_shared<TensorBoard>(options);
}

}  // namespace unroll
