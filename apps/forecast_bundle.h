// A trained forecaster as a bundle.
#pragma once

#include <string>

#include "unroll/bundle.h"
#include "unroll/forecast.h"

namespace unroll::apps {

/// What a bundle of a forecaster holds besides the network.
struct SavedForecaster {
  Forecaster forecaster;
  std::string model;   ///< "gru"
  std::string column;  ///< it was trained on
  Index horizon = 1;
  WeightType weights = WeightType::float32;  ///< how the file keeps kernels
};

void save_forecaster(const SavedForecaster& saved, const Series& series, const std::string& path);
/// Throws: as load_bundle; Error (format) for a bundle of another task.
SavedForecaster load_forecaster(const std::string& path);

}  // namespace unroll::apps
