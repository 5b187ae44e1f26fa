#include "unroll/checkpoints.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "src/io/file.h"
#include "src/io/record_file.h"
#include "src/io/safetensors.h"
#include "src/io/weight_names.h"
#include "unroll/bundle.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr Index most_bytes = Index{64} << 30;

/// The path with its names filled in. Throws: Error (value).
std::string filled(const std::string& path, Index epoch, Index batch, const Logs& logs) {
  fmt::dynamic_format_arg_store<fmt::format_context> values;
  values.push_back(fmt::arg("epoch", epoch));
  values.push_back(fmt::arg("batch", batch));
  std::string names = "epoch, batch";
  for (const auto& [name, value] : logs) {
    values.push_back(fmt::arg(name.c_str(), value));
    names += ", " + name;
  }
  try {
    return fmt::vformat(path, values);
  } catch (const fmt::format_error& error) {
    throw Error(ErrorKind::value, "ModelCheckpoint: the path cannot be filled in",
                {.got = "\"" + path + "\": " + error.what(),
                 .want = "names among " + names,
                 .hint = "\"{epoch:02d}-{loss:.2f}.unroll\"; {{ stands for a brace"});
  }
}

}  // namespace

void Frequency::check(const char* who, const char* option) const {
  if (!given_ || batches_ >= 1) return;
  throw Error(ErrorKind::value, std::string(who) + ": " + option + " is out of range",
              {.got = std::to_string(batches_), .want = "\"epoch\", or 1 or more batches"});
}

// --- weights alone ---

void save_weights(const Model& model, const std::string& path) {
  static_cast<void>(model.get_weights());  // those of a model that has never run begin now
  io::TensorFile file;
  for (const auto& layer : io::layers_of(model)) {
    const std::vector<std::string> names = io::weight_names(*layer);
    const auto parameters = layer->parameters();
    for (std::size_t i = 0; i < names.size(); ++i) {
      file.tensors.emplace_back(names[i], parameters[i]->value());
    }
  }
  io::write_file(path, io::write_safetensors(file));
}

void load_weights(Model& model, const std::string& path) {
  const io::TensorFile file = io::parse_safetensors(io::read_file(path, most_bytes), path);
  std::map<std::string, Tensor> found(file.tensors.begin(), file.tensors.end());
  std::vector<std::pair<Parameter*, Tensor>> all;
  for (const auto& layer : io::layers_of(model)) {
    const std::vector<std::string> names = io::weight_names(*layer);
    const auto parameters = layer->parameters();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto entry = found.find(names[i]);
      const bool fits = entry != found.end() && entry->second.shape() == parameters[i]->shape();
      if (!fits) {
        throw Error(
            ErrorKind::format, path + ": weights of another model",
            {.got = entry == found.end() ? "no \"" + names[i] + "\""
                                         : entry->second.describe() + " for \"" + names[i] + "\"",
             .want = "\"" + names[i] + "\" " + parameters[i]->shape().to_string()});
      }
      all.emplace_back(parameters[i], entry->second);
      found.erase(entry);
    }
  }
  if (!found.empty()) {
    throw Error(ErrorKind::format, path + ": weights of another model",
                {.got = "\"" + found.begin()->first + "\", which this model has no use for"});
  }
  for (auto& [parameter, numbers] : all) parameter->assign(numbers);
}

// --- ModelCheckpoint ---

ModelCheckpoint::ModelCheckpoint(std::string path, const ModelCheckpointOptions& options)
    : path_(std::move(path)),
      options_(options),
      monitor_("ModelCheckpoint", options.monitor, options.mode) {
  options.save_freq.check("ModelCheckpoint", "save_freq");
  if (path_.empty()) throw Error(ErrorKind::value, "ModelCheckpoint: the path is empty");
}

void ModelCheckpoint::on_train_begin(Model& model) {
  if (options_.save_best_only) {
    monitor_.begin(model);
    best_ = options_.initial_value_threshold.value_or(monitor_.worst());
  }
  epoch_ = batches_ = 0;
  last_path_.clear();
  // A path that cannot be filled in is refused before an epoch is lost.
  static_cast<void>(path_for(model, 0, {}));
}

std::string ModelCheckpoint::path_for(const Model& model, Index step, const Logs& logs) const {
  // An epoch that was not validated has no val_loss; its name then holds "nan".
  Logs all = logs;
  for (const std::string& name : model.fit_names()) {
    const bool known =
        std::ranges::any_of(logs, [&](const auto& log) { return log.first == name; });
    if (!known) all.emplace_back(name, std::nan(""));
  }
  return filled(path_, epoch_ + 1, step + 1, all);
}

void ModelCheckpoint::on_epoch_begin(Model&, Index epoch) { epoch_ = epoch; }

void ModelCheckpoint::on_train_batch_end(Model& model, Index step, const Logs& logs) {
  if (options_.save_freq.epoch() || ++batches_ % options_.save_freq.batches() != 0) return;
  write(model, step, logs);
}

void ModelCheckpoint::on_epoch_end(Model& model, Index epoch, const Logs& logs) {
  epoch_ = epoch;
  if (options_.save_freq.epoch()) write(model, -1, logs);
}

void ModelCheckpoint::write(Model& model, Index step, const Logs& logs) {
  if (options_.save_best_only) {
    const std::optional<double> value = monitor_.read(model, logs);
    if (!value || !monitor_.better(*value, best_)) return;
    best_ = *value;
  }
  const std::string path = path_for(model, step, logs);
  if (options_.save_weights_only) {
    save_weights(model, path);
  } else {
    save_bundle({.model = model}, path);
  }
  last_path_ = path;
}

void ModelCheckpoint::save(Record& record) const {
  record.set("best", best_);
  record.set("epoch", static_cast<double>(epoch_));
  record.set("batches", static_cast<double>(batches_));
  record.set("last_path", last_path_);
}

void ModelCheckpoint::load(const Record& record) {
  best_ = record.number("best");
  epoch_ = record.count("epoch");
  batches_ = record.count("batches");
  last_path_ = record.text("last_path");
}

// --- BackupAndRestore ---

BackupAndRestore::BackupAndRestore(std::string path, const BackupAndRestoreOptions& options)
    : path_(std::move(path)), options_(options) {
  options.save_freq.check("BackupAndRestore", "save_freq");
  if (path_.empty()) throw Error(ErrorKind::value, "BackupAndRestore: the path is empty");
}

void BackupAndRestore::on_train_begin(Model& model) {
  restored_ = begun_ = interrupted_ = false;
  steps_ = 0;
  if (!std::filesystem::exists(path_)) return;
  const Record record = io::parse_record(io::read_file(path_, most_bytes), path_);
  try {
    model.resume_fit(record);
  } catch (const Error& error) {
    throw Error(error.kind(), path_ + ": " + error.summary(), error.details());
  }
  restored_ = true;
}

void BackupAndRestore::on_settled(Model& model, const FitPosition& next) {
  // The first backup is of the fit's beginning: it also shows whether the file can be written.
  const bool epoch = next.step == 0;
  const bool due =
      options_.save_freq.epoch() ? epoch : !epoch && ++steps_ % options_.save_freq.batches() == 0;
  interrupted_ = next.interrupted;
  if (begun_ && !due && !interrupted_) return;
  begun_ = true;
  io::write_file(path_, io::write_record(model.fit_state()));
}

void BackupAndRestore::on_train_end(Model&) {
  if (!options_.delete_checkpoint || interrupted_) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace unroll
