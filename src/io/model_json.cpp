#include "unroll/model_json.h"

#include <limits>

#include "src/io/model_reader.h"
#include "src/io/model_writer.h"

namespace unroll {

using io::Json;

namespace {

/// Throws: Error (format) for what is no JSON.
Json parsed(std::string_view text) {
  std::size_t mistake = 0;
  std::optional<Json> value = Json::parse(text, &mistake);
  if (value) return *std::move(value);
  throw Error(ErrorKind::format, "a model's description that is no JSON",
              {.got = mistake > 0 ? "a mistake at byte " + std::to_string(mistake)
                                  : std::string("nested more than 100 deep")});
}

}  // namespace

std::string to_json(const Model& model) { return io::model_to_json(model).dump(); }

Model model_from_json(std::string_view text, const ModelJsonOptions& options) {
  const Json root = parsed(text);
  return io::read_model(io::JsonAt(root), options.most_weights);
}

Model clone_model(const Model& model) {
  return model_from_json(to_json(model), {.most_weights = std::numeric_limits<Index>::max()});
}

}  // namespace unroll
