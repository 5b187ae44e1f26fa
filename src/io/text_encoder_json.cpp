// Text encoders as JSON.
#include "src/io/base64.h"
#include "src/io/file.h"
#include "src/io/json_at.h"
#include "unroll/text_files.h"
#include "unroll/text_json.h"

namespace unroll {

namespace {

using io::Json;
using io::JsonAt;

constexpr Index most_model_bytes = Index{256} << 20;

Json special(std::int32_t id) { return id < 0 ? Json() : Json(id); }

std::int32_t special(const JsonAt& encoder, const char* name) {
  const JsonAt at = encoder.at(name);
  return at.is_null() ? -1 : static_cast<std::int32_t>(at.whole());
}

TextEncoder subwords(const JsonAt& encoder) {
  const JsonAt at = encoder.at("model");
  const auto bytes = io::from_base64(at.text());
  if (!bytes) throw at.refusal("not base64");
  return TextEncoder::from_sentence_piece(*bytes, "the text encoder");
}

TextEncoder listed(const JsonAt& encoder, TextEncoderKind kind) {
  TextEncoderConfig config{.kind = kind, .lower = encoder.at("lower").flag()};
  if (kind == TextEncoderKind::words && !encoder.at("filters").is_null()) {
    config.filters = encoder.at("filters").text();
  }
  const JsonAt pieces = encoder.at("pieces").list();
  config.pieces.reserve(pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) config.pieces.push_back(pieces.at(i).text());
  config.padding = special(encoder, "padding");
  config.unknown = special(encoder, "unknown");
  config.begin = special(encoder, "begin");
  config.end = special(encoder, "end");
  return TextEncoder::from_config(config);
}

TextEncoderKind kind_of(const JsonAt& at) {
  for (const auto kind :
       {TextEncoderKind::characters, TextEncoderKind::words, TextEncoderKind::subwords}) {
    if (at.text() == to_string(kind)) return kind;
  }
  throw at.refusal("no known kind of text encoder");
}

}  // namespace

std::string to_json(const TextEncoder& encoder) {
  Json config = Json::object();
  config["kind"] = encoder.kind() == TextEncoderKind::subwords ? "subwords"
                   : encoder.kind() == TextEncoderKind::words  ? "words"
                                                               : "characters";
  if (encoder.kind() == TextEncoderKind::subwords) {
    config["model"] = io::to_base64(encoder.sentence_piece());
  } else {
    const TextEncoderConfig from = encoder.get_config();
    config["lower"] = from.lower;
    if (from.kind == TextEncoderKind::words) {
      config["filters"] = from.filters ? Json(*from.filters) : Json();
    }
    config["padding"] = special(from.padding);
    config["unknown"] = special(from.unknown);
    config["begin"] = special(from.begin);
    config["end"] = special(from.end);
    config["pieces"] = from.pieces;
  }
  Json root = Json::object();
  root["class_name"] = "TextEncoder";
  root["config"] = std::move(config);
  return root.dump();
}

TextEncoder text_encoder_from_json(std::string_view text) {
  std::size_t mistake = 0;
  const std::optional<Json> root = Json::parse(text, &mistake);
  if (!root) {
    throw Error(ErrorKind::format, "a text encoder that is no JSON",
                {.got = mistake > 0 ? "a mistake at byte " + std::to_string(mistake)
                                    : std::string("nested more than 100 deep")});
  }
  const JsonAt config = JsonAt(*root).at("config");
  const TextEncoderKind kind = kind_of(config.at("kind"));
  if (kind == TextEncoderKind::subwords) return subwords(config);
  return io::refusing_at(config, [&] { return listed(config, kind); });
}

TextEncoder load_sentence_piece(const std::string& path) {
  return TextEncoder::from_sentence_piece(io::read_file(path, most_model_bytes), path);
}

void save_sentence_piece(const TextEncoder& encoder, const std::string& path) {
  io::write_file(path, encoder.sentence_piece());
}

}  // namespace unroll
