// The report in words. Every decision is made on the numbers as they are printed.
#include <fmt/format.h>

#include <cmath>

#include "unroll/forecast.h"

namespace unroll {

namespace {

constexpr double significance = 0.05;

/// As it is printed: one decimal.
double printed_skill(double skill) { return std::round(10 * skill) / 10; }

/// As it is printed: two significant digits.
double printed_p(double p) {
  if (!(p > 0)) return 0;
  const double unit = std::pow(10, std::floor(std::log10(p)) - 1);
  return std::round(p / unit) * unit;
}

bool significant(double p) { return printed_p(p) < significance; }

std::string today(const ForecastReport& report) {
  return report.horizon == 1 ? "\"tomorrow = today\"" : "\"it stays as it is\"";
}

/// "in 3 of 100 cases".
std::string by_chance(double p) {
  if (p < 0.01) return "in fewer than 1 of 100 cases";
  return fmt::format("in {:.0f} of 100 cases", 100 * p);
}

std::string comparison(const ForecastReport& report) {
  const double skill = printed_skill(report.skill);
  const std::string p = p_value_text(report.p_value);
  if (skill > 0 && significant(report.p_value)) {
    return fmt::format(
        "The model beats {} by {:.1f} %; by chance alone, a difference this large arises {}.",
        today(report), skill, by_chance(report.p_value));
  }
  if (skill > 0) {
    return fmt::format("The model does not clearly beat {}: it is {} ({}), which may be chance.",
                       today(report), skill_text(skill), p);
  }
  if (skill < 0 && significant(report.p_value)) {
    return fmt::format("The model is worse than {}: {} ({}).", today(report), skill_text(skill), p);
  }
  return fmt::format("The model does not beat {} ({}, {}).", today(report), skill_text(skill), p);
}

/// "5.15e-4".
std::string scientific(double value) {
  const int exponent = value > 0 ? static_cast<int>(std::floor(std::log10(value))) : 0;
  return fmt::format("{:.2f}e{}", value / std::pow(10, exponent), exponent);
}

std::string of_lag(const ForecastReport& report) {
  return fmt::format(
      "Its forecasts follow the last value rather than the truth: correlation {:.3f} with the one, "
      "{:.3f} with the other. See: unroll help persistence",
      report.lag.with_last, report.lag.with_truth);
}

}  // namespace

std::string skill_text(double skill) {
  const double printed = printed_skill(skill);
  if (printed == 0) return "no different";
  return fmt::format("{:.1f} % {}", std::abs(printed), printed > 0 ? "better" : "worse");
}

std::string p_value_text(double p_value) {
  const double p = printed_p(p_value);
  if (p < 0.001) return "p < 0.001";
  if (p < 0.01) return fmt::format("p = {:.4f}", p);
  if (p < 0.1) return fmt::format("p = {:.3f}", p);
  return fmt::format("p = {:.2f}", p);
}

bool repeats_last_value(const ForecastReport& report) {
  // Good forecasts of a slow series lie near the last value too. What tells them from repetition is
  // that they are better than it.
  const bool better = printed_skill(report.skill) > 0 && significant(report.p_value);
  return !better && report.lag.with_last > report.lag.with_truth;
}

std::string verdict(const ForecastReport& report) {
  std::string text = comparison(report);
  if (repeats_last_value(report)) text += " " + of_lag(report);
  return text;
}

std::vector<std::string> caveats(const ForecastReport& report) {
  if (!report.lesson) return {};
  return {
      "The scaler saw all rows, the ones that are forecast among them: a leak.",
      "There is no test part: these errors are of the windows that the model was trained on.",
      fmt::format(
          "\"Tomorrow = today\" has MSE {} on the same windows, the model {}: it has learnt {}.",
          scientific(report.persistence_mse), scientific(report.mse),
          report.mse < 0.95 * report.persistence_mse ? "a little more than that"
                                                     : "next to nothing"),
  };
}

}  // namespace unroll
