// Reads the few words of Python that describe models: Sequential([Input((10, 3)), GRU(8)]).
#pragma once

#include "tests/golden/json.h"

namespace unroll::golden {

/// The expression at the beginning of a text. A call becomes {"call": NAME, "args": [...],
/// "kwargs": {...}}, lists and tuples become lists, numbers, strings and None what they are.
/// `end` is set to what follows it. Throws: std::runtime_error for anything else.
Json read_python(const std::string& text, std::size_t& end);

/// A call such as Dense(10, activation="relu") as {class_name, kwargs}: arguments without a name
/// get Keras's. Throws: Skip for a class whose arguments are not known here.
Json layer_of_call(const Json& call);

}  // namespace unroll::golden
