// The course of a training as JSON.
#pragma once

#include "src/io/json.h"
#include "unroll/model.h"

namespace unroll::apps {

/// null for what is not a number: JSON has no other word for it.
io::Json number_json(double value);
/// A list a name, one value an epoch.
io::Json history_json(const History& history);

}  // namespace unroll::apps
