// What fit reports: logs, history, lines of progress; and the callback that ends it early.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include "unroll/error.h"
#include "unroll/model.h"

namespace unroll {

double value_of(const Logs& logs, std::string_view name) {
  for (const auto& [known, value] : logs) {
    if (known == name) return value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

const std::vector<double>& History::operator[](std::string_view name) const {
  std::string known;
  for (const auto& [column, values] : columns_) {
    if (column == name) return values;
    known += (known.empty() ? "" : ", ") + column;
  }
  throw Error(ErrorKind::value, "the history has no such name",
              {.got = "\"" + std::string(name) + "\"", .want = "one of " + known});
}

bool History::has(std::string_view name) const {
  return std::ranges::any_of(columns_, [&](const auto& column) { return column.first == name; });
}

std::vector<std::string> History::names() const {
  std::vector<std::string> names;
  for (const auto& [name, values] : columns_) names.push_back(name);
  return names;
}

void History::add(const Logs& logs) {
  for (const auto& log : logs) {
    const auto found = std::ranges::find_if(
        columns_, [&](const auto& column) { return column.first == log.first; });
    if (found != columns_.end()) {
      found->second.push_back(log.second);
    } else {
      columns_.emplace_back(log.first, std::vector<double>(epochs_, std::nan("")));
      columns_.back().second.push_back(log.second);
    }
  }
  ++epochs_;
}

namespace {

std::string duration(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f}s", seconds);
  if (seconds < 100) return fmt::format("{:.0f}s", seconds);
  return fmt::format("{}m{:02}s", static_cast<int>(seconds) / 60, static_cast<int>(seconds) % 60);
}

std::string per_step(double seconds, Index steps) {
  const double each = seconds / static_cast<double>(std::max<Index>(steps, 1));
  if (each >= 1) return fmt::format("{:.1f}s/step", each);
  if (each >= 1e-3) return fmt::format("{:.1f}ms/step", each * 1e3);
  return fmt::format("{:.0f}us/step", each * 1e6);
}

std::string log_value(double value) {
  const bool small = value != 0 && std::abs(value) < 1e-3;
  return small ? fmt::format("{:.4e}", value) : fmt::format("{:.4f}", value);
}

std::string line_of(const ProgressEvent& event, bool bar) {
  std::string line = fmt::format("{}/{} ", event.step, event.steps);
  if (bar) {
    constexpr Index width = 20;
    const Index filled = event.steps == 0 ? width : width * event.step / event.steps;
    for (Index i = 0; i < width; ++i) line += i < filled ? "━" : "─";
    line += ' ';
  }
  line += duration(event.epoch_seconds) + " " + per_step(event.epoch_seconds, event.step);
  for (const auto& [name, value] : event.logs)
    line += fmt::format(" - {}: {}", name, log_value(value));
  return line;
}

/// Seconds until an epoch is done at the rate so far.
std::string left(const ProgressEvent& event) {
  if (event.step == 0 || event.step >= event.steps) return "";
  const double rate = event.epoch_seconds / static_cast<double>(event.step);
  return "  " + duration(rate * static_cast<double>(event.steps - event.step)) + " left";
}

}  // namespace

Progress::Progress(std::ostream& out) : Progress(progress_line(out, false)) {}

Progress progress_line(std::ostream& out, bool terminal) {
  // The last moving line was written so many seconds into the epoch: ten a second are enough.
  auto written = std::make_shared<double>(-1.0);
  return Progress([&out, terminal, written](const ProgressEvent& event) {
    const bool numbered = event.epochs > 1;
    const std::string head =
        numbered ? fmt::format("epoch {}/{}  ", event.epoch + 1, event.epochs) : "";
    if (event.kind == ProgressEvent::Kind::step) {
      if (!terminal) return;
      if (event.step <= 1) *written = -1;
      if (event.epoch_seconds - *written < 0.1) return;
      *written = event.epoch_seconds;
      out << "\r\x1b[K" << head << line_of(event, true) << left(event) << std::flush;
    } else if (event.kind == ProgressEvent::Kind::epoch) {
      if (terminal) out << "\r\x1b[K";
      out << head << line_of(event, terminal) << '\n' << std::flush;
    }
  });
}

void EarlyStopping::on_train_begin(Model&) {
  best_ = std::numeric_limits<double>::infinity();
  best_epoch_ = -1;
  waited_ = 0;
  stopped_ = false;
  weights_.clear();
}

void EarlyStopping::on_epoch_end(Model& model, Index epoch, const Logs& logs) {
  if (epoch < options_.start_from_epoch) return;
  const double value = value_of(logs, options_.monitor);
  const bool known =
      std::ranges::any_of(logs, [&](const auto& log) { return log.first == options_.monitor; });
  if (!known) {
    std::string names;
    for (const auto& [name, ignored] : logs) names += (names.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::value, "EarlyStopping watches a value that is not there",
                {.got = "\"" + options_.monitor + "\"",
                 .want = "one of " + names,
                 .hint = "val_... needs validation_split or validation_data"});
  }
  ++waited_;
  if (value < best_ - options_.min_delta) {
    best_ = value;
    best_epoch_ = epoch;
    waited_ = 0;
    if (options_.restore_best_weights) weights_ = model.get_weights();
  }
  if (waited_ >= options_.patience && epoch > 0) {
    stopped_ = true;
    model.stop_training();
  }
}

void EarlyStopping::on_train_end(Model& model) {
  if (options_.restore_best_weights && !weights_.empty()) model.set_weights(weights_);
}

}  // namespace unroll
