#include "unroll/loggers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "src/io/event_file.h"
#include "unroll/error.h"

namespace unroll {

// --- CSVLogger ---

CSVLogger::CSVLogger(std::string path, const CSVLoggerOptions& options)
    : path_(std::move(path)), options_(options) {
  if (path_.empty()) throw Error(ErrorKind::value, "CSVLogger: the path is empty");
  if (options_.separator.empty()) {
    throw Error(ErrorKind::value, "CSVLogger: the separator is empty", {.want = "such as \",\""});
  }
}

void CSVLogger::on_train_begin(Model&) {
  columns_.clear();
  begun_ = false;
  size_ = 0;
  // Nothing is cut off yet: this fit may be going on from a backup, and with this very file.
  if (!std::ofstream(path_, std::ios::app)) {
    throw Error(ErrorKind::file, path_ + ": cannot be written",
                {.got = std::generic_category().message(errno)});
  }
}

void CSVLogger::write(const std::string& line) {
  std::ofstream out(path_, std::ios::app | std::ios::binary);
  if (!(out << line << std::flush)) {
    throw Error(ErrorKind::file, path_ + ": cannot be written",
                {.got = std::generic_category().message(errno)});
  }
  size_ += static_cast<Index>(line.size());
}

void CSVLogger::on_epoch_end(Model& model, Index epoch, const Logs& logs) {
  if (!begun_) {
    begun_ = true;
    if (!options_.append) std::filesystem::resize_file(path_, 0);
    size_ = static_cast<Index>(std::filesystem::file_size(path_));
    for (const auto& [name, value] : logs) columns_.push_back(name);
    // The first epoch may not have been validated.
    for (const std::string& name : model.fit_names()) {
      if (std::ranges::find(columns_, name) == columns_.end()) columns_.push_back(name);
    }
    std::ranges::sort(columns_);
    if (size_ == 0) {
      std::string head = "epoch";
      for (const std::string& column : columns_) head += options_.separator + column;
      write(head + "\n");
    }
  }
  std::string line = std::to_string(epoch);
  for (const std::string& column : columns_) {
    const bool known =
        std::ranges::any_of(logs, [&](const auto& log) { return log.first == column; });
    line += options_.separator + (known ? fmt::format("{}", value_of(logs, column)) : "NA");
  }
  write(line + "\n");
}

void CSVLogger::on_train_end(Model&) {
  // A fit without an epoch leaves an empty log, not that of another fit.
  if (!begun_ && !options_.append) std::filesystem::resize_file(path_, 0);
}

void CSVLogger::save(Record& record) const {
  record.set("begun", begun_ ? 1.0 : 0.0);
  record.set("size", static_cast<double>(size_));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    record.set("column/" + std::to_string(i), columns_[i]);
  }
}

void CSVLogger::load(const Record& record) {
  const auto size = static_cast<std::uintmax_t>(record.count("size"));
  // Where the file is gone its log begins anew.
  if (record.count("begun") == 0 || std::filesystem::file_size(path_) < size) return;
  begun_ = true;
  size_ = record.count("size");
  columns_.clear();
  while (record.has("column/" + std::to_string(columns_.size()))) {
    columns_.push_back(record.text("column/" + std::to_string(columns_.size())));
  }
  // Lines of epochs that will be done again.
  std::filesystem::resize_file(path_, size);
}

// --- TensorBoard ---

struct TensorBoard::Files {
  explicit Files(const std::string& folder) : folder_(folder) {}

  io::EventFile& train() { return file(train_, "/train"); }
  io::EventFile& validation() { return file(validation_, "/validation"); }
  void flush() {
    if (train_) train_->flush();
    if (validation_) validation_->flush();
  }

 private:
  io::EventFile& file(std::optional<io::EventFile>& one, const char* name) {
    if (!one) one.emplace(folder_ + name);
    return *one;
  }

  std::string folder_;
  std::optional<io::EventFile> train_, validation_;
};

TensorBoard::TensorBoard(const TensorBoardOptions& options) : options_(options) {
  options.update_freq.check("TensorBoard", "update_freq");
  if (options.log_dir.empty()) throw Error(ErrorKind::value, "TensorBoard: log_dir is empty");
  if (options.histogram_freq < 0) {
    throw Error(ErrorKind::value, "TensorBoard: histogram_freq is out of range",
                {.got = std::to_string(options.histogram_freq), .want = "0 or more epochs"});
  }
}

TensorBoard::~TensorBoard() = default;

void TensorBoard::on_train_begin(Model&) {
  files_ = std::make_unique<Files>(options_.log_dir);
  files_->train();
}

void TensorBoard::on_train_batch_end(Model& model, Index step, const Logs& logs) {
  const Index every = options_.update_freq.batches();
  if (options_.update_freq.epoch() || step % every != 0) return;
  for (const auto& [name, value] : logs) {
    files_->train().scalar("batch_" + name, model.iterations() - 1, value);
  }
}

void TensorBoard::on_test_end(Model& model, const Logs& logs) {
  if (!files_) files_ = std::make_unique<Files>(options_.log_dir);  // evaluate() outside fit
  for (const auto& [name, value] : logs) {
    files_->validation().scalar("evaluation_" + name + "_vs_iterations", model.iterations(), value);
  }
  files_->flush();
}

void TensorBoard::on_epoch_end(Model& model, Index epoch, const Logs& logs) {
  bool rate_known = false;
  for (const auto& [name, value] : logs) {
    rate_known = rate_known || name == "learning_rate";
    if (name.starts_with("val_")) {
      files_->validation().scalar("epoch_" + name.substr(4), epoch, value);
    } else {
      files_->train().scalar("epoch_" + name, epoch, value);
    }
  }
  if (!rate_known) files_->train().scalar("epoch_learning_rate", epoch, model.learning_rate());
  if (options_.histogram_freq > 0 && epoch % options_.histogram_freq == 0) {
    write_histograms(model, epoch);
  }
  files_->flush();
}

void TensorBoard::write_histograms(Model& model, Index epoch) {
  for (const Layer& layer : model.layers()) {
    for (const Parameter* parameter : layer.impl().parameters()) {
      const Tensor numbers = parameter->value().to(DType::float64);
      files_->train().histogram(layer.name() + "/" + parameter->name() + "/histogram", epoch,
                                io::histogram_of(numbers.values<double>()));
    }
  }
}

void TensorBoard::on_train_end(Model&) {
  files_->flush();
  files_.reset();
}

}  // namespace unroll
