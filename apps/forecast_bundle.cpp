#include "apps/forecast_bundle.h"

#include <algorithm>
#include <charconv>

#include "unroll/error.h"

namespace unroll::apps {

namespace {

/// Windows that are run again when the bundle is loaded.
constexpr Index sampled = 4;

Index whole(const Bundle& bundle, const std::string& path, const char* name) {
  const std::string& text = bundle.property(name);
  const char* const end = text.data() + text.size();
  Index value = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && value >= 1 && value <= 1'000'000'000) return value;
  throw Error(ErrorKind::format, path + ": the bundle's " + name + " is no count",
              {.got = "\"" + text + "\"", .want = "a whole number, 1 or more"});
}

}  // namespace

void save_forecaster(const SavedForecaster& saved, const Series& series, const std::string& path) {
  const Forecaster& forecaster = saved.forecaster;
  const Index window = forecaster.window();
  const Tensor inputs = forecaster.scaled(series.values);
  const Index count = std::min(sampled, inputs.shape()[0] - window + 1);
  const Rows last(inputs, inputs.shape()[0] - window - count + 1, 1, count, {window, 1});
  save_bundle({.model = forecaster.model(),
               .scalers = {{"input", forecaster.input()}, {"output", forecaster.output()}},
               .properties = {{"task", "forecast"},
                              {"model", saved.model},
                              {"column", saved.column},
                              {"target", forecaster.target()},
                              {"window", std::to_string(window)},
                              {"horizon", std::to_string(saved.horizon)}},
               .sample = last.tensor(),
               .weights = saved.weights},
              path);
}

SavedForecaster load_forecaster(const std::string& path) {
  const Bundle bundle = load_bundle(path);
  const auto task =
      std::ranges::find(bundle.properties, "task", &std::pair<std::string, std::string>::first);
  if (task == bundle.properties.end() || task->second != "forecast") {
    throw Error(ErrorKind::format, path + ": the model in it was not made by unroll forecast",
                {.got = task == bundle.properties.end() ? "no task" : "task " + task->second});
  }
  return {.forecaster = Forecaster(bundle.model, bundle.scaler("input"), bundle.scaler("output"),
                                   bundle.property("target"), whole(bundle, path, "window")),
          .model = bundle.property("model"),
          .column = bundle.property("column"),
          .horizon = whole(bundle, path, "horizon"),
          .weights = bundle.weights};
}

}  // namespace unroll::apps
