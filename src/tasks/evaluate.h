// What a trained forecaster is worth: errors, tests, next values.
#pragma once

#include "unroll/forecast.h"

namespace unroll::tasks {

/// Fills the report from `accuracies` on: forecasts of rows [report.first, report.rows), `horizon`
/// ahead. `known` rows are the ones that scales and periods are taken from.
void evaluate(Forecaster& forecaster, const Series& series, Index known, Index steps,
              const std::string& label, ForecastReport& report);

}  // namespace unroll::tasks
