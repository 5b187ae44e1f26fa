#include <charconv>
#include <limits>

#include "src/io/json_at.h"
#include "unroll/text_json.h"

namespace unroll {

namespace {

using io::Json;
using io::JsonAt;

// --- writing: with Python's blanks, which Json leaves out ---

std::string written(const std::string& text) { return Json(text).dump(-1, true); }
std::string written(bool value) { return value ? "true" : "false"; }
std::string written(Index value) { return std::to_string(value); }

std::string key_of(const std::string& word) { return written(word); }
std::string key_of(Index number) { return "\"" + std::to_string(number) + "\""; }

/// A dictionary as the text of a JSON object, which in turn is written as a text.
template <class Pairs>
std::string dictionary(const Pairs& pairs) {
  std::string object = "{";
  for (const auto& [key, value] : pairs) {
    if (object.size() > 1) object += ", ";
    object += key_of(key) + ": " + written(value);
  }
  return written(object + "}");
}

// --- reading ---

/// A JSON text. Throws: Error (format) that names `place`, if there is one.
Json parsed(std::string_view text, const std::string& place) {
  std::size_t mistake = 0;
  std::optional<Json> value = Json::parse(text, &mistake);
  if (value) return *std::move(value);
  const std::string where = place.empty() ? "" : ", at " + place;
  throw Error(ErrorKind::format, "a tokenizer that is no JSON" + where,
              {.got = mistake > 0 ? "a mistake at byte " + std::to_string(mistake)
                                  : std::string("nested more than 100 deep")});
}

Index count_of(const JsonAt& at) {
  const Json& value = at.value();
  const bool unsigned_fits =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
  if (unsigned_fits || (value.is_number_integer() && !value.is_number_unsigned())) {
    return value.get<Index>();
  }
  throw at.refusal("not a whole number");
}

void read(const JsonAt& at, Index& value) { value = count_of(at); }
void read(const JsonAt& at, std::string& value) { value = at.text(); }

void read_key(const JsonAt&, const std::string& key, std::string& value) { value = key; }
void read_key(const JsonAt& at, const std::string& key, Index& value) {
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), value);
  if (error == std::errc() && end == key.data() + key.size()) return;
  throw at.refusal("a key that is not a whole number", {.got = "\"" + key + "\""});
}

/// The entries of the object that a text holds.
template <class K, class V>
void read_dictionary(const JsonAt& config, const char* name, std::vector<std::pair<K, V>>& pairs) {
  const JsonAt at = config.at(name);
  const Json object = parsed(at.text(), at.pointer());
  // Its entries have no place in the outer text: refusals show where the inner one stands.
  const JsonAt inner(object, at.pointer());
  inner.object();
  pairs.reserve(object.size());
  for (const auto& [key, value] : object.items()) {
    pairs.emplace_back();
    read_key(inner, key, pairs.back().first);
    read(JsonAt(value, at.pointer()), pairs.back().second);
  }
}

TokenizerOptions read_options(const JsonAt& config, const TokenizerJsonOptions& given) {
  TokenizerOptions options{.analyzer = given.analyzer, .invalid_utf8 = given.invalid_utf8};
  const JsonAt num_words = config.at("num_words");
  if (!num_words.is_null()) options.num_words = count_of(num_words);
  options.filters = config.at("filters").text();
  options.lower = config.at("lower").flag();
  options.split = config.at("split").text();
  options.char_level = config.at("char_level").flag();
  const JsonAt oov_token = config.at("oov_token");
  if (!oov_token.is_null()) options.oov_token = oov_token.text();
  return options;
}

}  // namespace

std::string to_json(const Tokenizer& tokenizer) {
  const TokenizerConfig config = tokenizer.get_config();
  const TokenizerOptions& options = config.options;
  const std::string null = "null";
  return "{\"class_name\": \"Tokenizer\", \"config\": {\"num_words\": " +
         (options.num_words > 0 ? written(options.num_words) : null) +
         ", \"filters\": " + written(options.filters) + ", \"lower\": " + written(options.lower) +
         ", \"split\": " + written(options.split) +
         ", \"char_level\": " + written(options.char_level) +
         ", \"oov_token\": " + (options.oov_token ? written(*options.oov_token) : null) +
         ", \"document_count\": " + written(config.document_count) +
         ", \"word_counts\": " + dictionary(config.word_counts) +
         ", \"word_docs\": " + dictionary(config.word_docs) +
         ", \"index_docs\": " + dictionary(config.index_docs) +
         ", \"index_word\": " + dictionary(config.index_word) +
         ", \"word_index\": " + dictionary(config.word_index) + "}}";
}

Tokenizer tokenizer_from_json(std::string_view text, const TokenizerJsonOptions& options) {
  const Json root = parsed(text, {});
  const JsonAt config = JsonAt(root).at("config");
  return io::refusing_at(config, [&] {
    TokenizerConfig read{.options = read_options(config, options)};
    read.document_count = count_of(config.at("document_count"));
    read_dictionary(config, "word_counts", read.word_counts);
    read_dictionary(config, "word_docs", read.word_docs);
    read_dictionary(config, "index_docs", read.index_docs);
    read_dictionary(config, "index_word", read.index_word);
    read_dictionary(config, "word_index", read.word_index);
    return Tokenizer::from_config(read);
  });
}

}  // namespace unroll
