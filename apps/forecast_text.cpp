#include "apps/forecast_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/history_json.h"
#include "apps/output.h"

namespace unroll::apps {

namespace {

using io::Json;

constexpr std::size_t text_column = 12;

/// "  split     train to ...", wrapped under its text.
std::string entry(const std::string& name, const std::string& text) {
  std::string head = "  " + name;
  head.append(text_column - head.size(), ' ');
  return wrapped(head + text, text_column) + "\n";
}

std::string day(const Series& series, Index row) {
  if (series.dates.empty()) return "row " + grouped(row + 1);
  return to_iso(series.dates[static_cast<std::size_t>(row)]);
}

std::string split_text(const Series& series, const ForecastReport& plan) {
  if (plan.lesson) {
    return fmt::format("all {} rows to learn from, to {}; no test part", grouped(plan.rows),
                       day(series, plan.rows - 1));
  }
  const Index train = plan.split.train, validate = plan.split.validate;
  return fmt::format("train to {} ({}), validate to {} ({}), test from {} ({})",
                     day(series, train - 1), grouped(train), day(series, validate - 1),
                     grouped(validate - train), day(series, validate),
                     grouped(plan.rows - validate));
}

/// Decimals that show four digits of the errors.
int decimals_of(const ForecastReport& report) {
  const double size = report.accuracies[1].mae;
  if (!(size > 0)) return 3;
  return std::clamp(3 - static_cast<int>(std::floor(std::log10(size))), 0, 12);
}

std::string against(const ForecastReport& report, const ForecastErrors& errors, bool model) {
  if (errors.name == "persistence") return "-";
  const std::string text = skill_text(errors.skill);
  return model ? text + "   " + p_value_text(report.p_value) : text;
}

std::string table(const ForecastReport& report) {
  const int decimals = decimals_of(report);
  const std::string steps =
      report.horizon == 1 ? "one step ahead" : fmt::format("{} steps ahead", report.horizon);
  std::string text =
      fmt::format("  {:<22}{:>10}{:>10}{:>8}    {}\n", steps + (report.lesson ? "" : ", test"),
                  "MAE", "RMSE", "MASE", "against persistence");
  for (std::size_t i = 0; i < report.accuracies.size(); ++i) {
    const ForecastErrors& errors = report.accuracies[i];
    text +=
        fmt::format("  {:<22}{:>10.{}f}{:>10.{}f}{:>8.3f}    {}\n", errors.label, errors.mae,
                    decimals, errors.rmse, decimals, errors.mase, against(report, errors, i == 0));
  }
  if (report.period == 0)
    text += fmt::format("  {:<22}{}\n", "seasonal naive", "(no period found)");
  return text;
}

std::string next_values(const ForecastReport& report) {
  const int decimals = std::max(0, decimals_of(report) - 1);
  std::string text = "next:";
  for (std::size_t i = 0; i < report.next.size(); ++i) {
    const NextValue& next = report.next[i];
    // Held together by a character that is no break; blanks again after wrapping.
    const std::string when = next.date == no_date ? fmt::format("+{}", i + 1) : to_iso(next.date);
    std::string one = fmt::format("{}~~{:.{}f}", when, next.value, decimals);
    std::ranges::replace(one, ' ', '~');
    text += (i == 0 ? " " : "  ") + one;
  }
  text = wrapped("  " + text, 8);
  std::ranges::replace(text, '~', ' ');
  return text + "\n";
}

/// What --diagnose saw.
std::string gradients(const ForecastReport& report) {
  std::string text;
  for (const GradientReach& reach : report.reach) {
    const std::string less = reach.far < reach.steps
                                 ? fmt::format("; less than 1 % after {}", reach.far + 1)
                                 : std::string();
    text += entry("gradient",
                  fmt::format("{} \"{}\": {:.1e} of it is left {} steps back{}", reach.class_name,
                              reach.layer, reach.left, reach.steps, less));
  }
  for (const GradientFinding& found : report.findings) text += entry("warning", found.to_string());
  return text.empty() ? text : text + "\n";
}

Tensor line_of(const std::vector<double>& values) {
  return Tensor::of<double>({static_cast<Index>(values.size())}, values);
}

}  // namespace

std::string heading(const Series& series, const ForecastReport& plan) {
  const std::string target =
      plan.target == "change" ? "the change from the last value" : "the value";
  return entry("split", split_text(series, plan)) +
         entry("model", fmt::format("{}, {} parameters, window {}, predicts {}", plan.layers,
                                    grouped(plan.parameters), plan.window, target));
}

std::string ending(const ForecastReport& report) {
  const std::size_t epochs = report.history.epochs();
  std::string text =
      report.interrupted ? fmt::format("interrupted in epoch {}", epochs)
      : report.stopped   ? fmt::format("stopped after epoch {}", epochs)
                         : fmt::format("all {} done",
                                     epochs == 1 ? "of 1 epoch" : fmt::format("{} epochs", epochs));
  if (report.stopped) {
    text += fmt::format(" (no better for {})", static_cast<Index>(epochs) - 1 - report.best_epoch);
  }
  if (report.best_epoch >= 0) {
    text += fmt::format("; weights of epoch {} restored", report.best_epoch + 1);
  }
  return text + fmt::format("; {:.1f} s", report.history.seconds);
}

std::string result_text(const ForecastReport& report) {
  std::string text = table(report) + "\n" + wrapped("  " + verdict(report), 2) + "\n";
  const std::vector<std::string> wrong = caveats(report);
  if (!wrong.empty()) text += "\n  What is wrong with the lesson's protocol:\n";
  for (const std::string& sentence : wrong) text += wrapped("  - " + sentence, 4) + "\n";
  return text + "\n" + gradients(report) + next_values(report);
}

Json to_json(const ForecastReport& report) {
  Json metrics = Json::object();
  for (const ForecastErrors& errors : report.accuracies) {
    metrics[errors.name] = {{"mae", number_json(errors.mae)},
                            {"rmse", number_json(errors.rmse)},
                            {"mase", number_json(errors.mase)}};
  }
  Json next = Json::array();
  for (const NextValue& value : report.next) {
    const bool dated = value.date != no_date;
    next.push_back(
        {{"date", dated ? Json(to_iso(value.date)) : Json()}, {"value", number_json(value.value)}});
  }
  Json object = {{"model", report.model},
                 {"parameters", report.parameters},
                 {"epochs", report.history.epochs()},
                 {"steps_per_epoch", report.history.steps_per_epoch},
                 {"fit_seconds", report.history.seconds},
                 {"final_loss", number_json(report.history["loss"].back())},
                 {"history", history_json(report.history)},
                 {"metrics", metrics},
                 {"skill", number_json(report.skill)},
                 {"p_value", number_json(report.p_value)},
                 {"forecast", next}};
  if (report.lesson) {
    object["lesson"] = {{"mse", number_json(report.mse)},
                        {"persistence_mse", number_json(report.persistence_mse)},
                        {"caveats", caveats(report)}};
  }
  if (report.reach.empty()) return object;
  object["gradients"] = Json::array();
  for (const GradientReach& reach : report.reach) {
    object["gradients"].push_back({{"layer", reach.layer},
                                   {"class_name", reach.class_name},
                                   {"steps", reach.steps},
                                   {"left", number_json(reach.left)},
                                   {"far", reach.far}});
  }
  object["warnings"] = Json::array();
  for (const GradientFinding& found : report.findings) {
    object["warnings"].push_back(found.to_string());
  }
  return object;
}

Plot picture(const Series& series, const ForecastReport& report, const std::string& command) {
  const std::string label = report.accuracies[0].label;
  // The lesson draws all it has; otherwise the picture shows what was tested.
  const Index from = report.lesson ? 0 : report.first;
  const auto all = series.values.values<double>();
  const std::vector<double> truth(all.begin() + from, all.begin() + report.rows);
  const std::string column = series.name.substr(series.name.rfind(' ') + 1);
  PlotOptions options;
  options.title =
      fmt::format("{}: {} {} ahead", column, label,
                  report.horizon == 1 ? "one step" : fmt::format("{} steps", report.horizon));
  options.lines = {{"True Prices", line_of(truth), 0},
                   {"Predicted Prices", line_of(report.predicted), report.first - from}};
  options.x_label = series.dates.empty() ? "row" : "date";
  options.y_label = column;
  if (series.dates.empty()) {
    for (Index row = from; row < report.rows; ++row) {
      options.x.push_back(static_cast<double>(row + 1));
    }
  } else {
    options.dates.assign(series.dates.begin() + from, series.dates.begin() + report.rows);
  }
  options.command = command;
  return Plot(std::move(options));
}

}  // namespace unroll::apps
