// The report of a forecast as text, as JSON and as a picture.
#pragma once

#include <string>

#include "src/io/json.h"
#include "unroll/forecast.h"
#include "unroll/plot.h"

namespace unroll::apps {

/// Before training: where the series comes from, how it is split, what is trained.
std::string heading(const Series& series, const ForecastReport& plan);
/// After it: how training ended.
std::string ending(const ForecastReport& report);
/// The table, the verdict, what is wrong with it, the next values.
std::string result_text(const ForecastReport& report);

/// Described in docs/json/forecast.md.
io::Json to_json(const ForecastReport& report);

/// True Prices and Predicted Prices.
Plot picture(const Series& series, const ForecastReport& report, const std::string& command);

}  // namespace unroll::apps
