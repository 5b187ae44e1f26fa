#include "unroll/model_json.h"

#include <limits>

#include "src/io/model_reader.h"
#include "src/io/model_writer.h"

namespace unroll {

namespace {

using nlohmann::json;

/// Throws: Error (format) for what is no JSON.
json parsed(std::string_view text) {
  std::size_t byte = 0;
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    byte = error.byte;
  } catch (const json::exception&) {
    // A number that no double holds; where it is nobody says.
  }
  throw Error(ErrorKind::format, "a model's description that is no JSON",
              {.got = byte > 0 ? "a mistake at byte " + std::to_string(byte)
                               : std::string("a number out of range")});
}

}  // namespace

std::string to_json(const Model& model) { return io::model_to_json(model).dump(); }

Model model_from_json(std::string_view text, const ModelJsonOptions& options) {
  const json root = parsed(text);
  return io::read_model(io::JsonAt(root), options.most_weights);
}

Model clone_model(const Model& model) {
  return model_from_json(to_json(model), {.most_weights = std::numeric_limits<Index>::max()});
}

}  // namespace unroll
