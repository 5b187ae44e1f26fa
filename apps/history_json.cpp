#include "apps/history_json.h"

#include <cmath>

namespace unroll::apps {

using io::Json;

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json history_json(const History& history) {
  Json object = Json::object();
  for (const std::string& name : history.names()) {
    Json values = Json::array();
    for (const double value : history[name]) values.push_back(number_json(value));
    object[name] = values;
  }
  return object;
}

}  // namespace unroll::apps
