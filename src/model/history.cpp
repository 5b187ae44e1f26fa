// What fit reports: logs, history, lines of progress.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include "unroll/error.h"
#include "unroll/model.h"
#include "unroll/record.h"

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
    const bool known = std::ranges::any_of(
        columns_, [&](const auto& column) { return column.first == log.first; });
    if (!known) columns_.emplace_back(log.first, std::vector<double>(epochs_, std::nan("")));
  }
  for (auto& [name, values] : columns_) values.push_back(value_of(logs, name));
  ++epochs_;
}

void History::save(Record& record) const {
  record.set("epochs", static_cast<double>(epochs_));
  record.set("seconds", seconds);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string place = std::to_string(i);
    record.set("name/" + place, columns_[i].first);
    record.set("values/" + place,
               Tensor::of<double>({static_cast<Index>(epochs_)}, columns_[i].second));
  }
}

void History::load(const Record& record) {
  epochs_ = static_cast<std::size_t>(record.count("epochs"));
  seconds = record.number("seconds");
  columns_.clear();
  for (std::size_t i = 0; record.has("name/" + std::to_string(i)); ++i) {
    const std::string place = std::to_string(i);
    const auto values = record.tensor("values/" + place).values<double>();
    columns_.emplace_back(record.text("name/" + place),
                          std::vector<double>(values.begin(), values.end()));
  }
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

}  // namespace unroll
