// Calls of layers as Keras's JSON has them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/io/json_at.h"

namespace unroll::io {

/// An output of a call of a layer: [layer, call, output].
struct TensorAt {
  JsonAt place;
  std::string layer;
  std::size_t node = 0;
  std::size_t output = 0;
};

/// Whether the value is such a thing, {"class_name": "__keras_tensor__", ...} or [name, 0, 0, ...].
bool is_tensor(const JsonAt& place);
TensorAt tensor_at(const JsonAt& place);

/// One call: what goes in, in the order in which our layers take it.
struct CallAt {
  JsonAt place;
  std::vector<TensorAt> inputs = {};
  std::vector<std::optional<TensorAt>> masks = {};  ///< explicit ones, input by input
  std::optional<JsonAt> kwargs = {};
  std::optional<JsonAt> second =
      {};                     ///< the second argument of an operation: GetItem's, NotEqual's
  bool nested_lists = false;  ///< written by Keras 2
};

/// Reads a call of a layer of this class. Throws: Error (format) for arguments that the layers here
/// do not take.
CallAt call_at(const JsonAt& place, const std::string& class_name);

}  // namespace unroll::io
