// Texts for language models, and texts from them.
#include "unroll/generate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "src/tasks/options.h"
#include "src/tasks/outlet.h"
#include "src/tasks/words.h"
#include "src/text/utf8.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr Index most = 1'000'000'000;

// --- from a text ---

TextEncoder encoder_of(std::string_view text, const LanguageTextOptions& o) {
  if (o.tokens == "characters") return TextEncoder::characters({text}, {.lower = o.lower});
  if (o.tokens == "subwords") {
    return TextEncoder::subwords({text}, {.size = o.size > 0 ? o.size : 2000});
  }
  return TextEncoder::words({text}, {.size = o.size, .min_count = o.min_count, .lower = o.lower});
}

void check_utf8(std::string_view text, const std::string& name) {
  const auto wrong = text::first_invalid(text);
  if (!wrong) return;
  const Error error = text::not_utf8(text, *wrong, name);
  throw Error(error.kind(), error.summary(),
              {.got = error.details().got,
               .want = error.details().want,
               .hint = "iconv -f LATIN1 -t UTF-8 converts files"});
}

/// Where the part that is watched begins. A word is not cut in two, nor the blank before it taken
/// away: the next line's beginning does neither.
std::size_t split_place(std::string_view text, const LanguageTextOptions& o) {
  const Index characters = tasks::characters_in(text);
  const auto learnt =
      static_cast<Index>(std::floor(static_cast<double>(characters) * (1 - o.validation) + 0.5));
  const std::size_t place = tasks::place_of_character(text, learnt);
  if (o.tokens == "characters" || place == 0) return place;
  const std::size_t line_end = text.find('\n', place - 1);
  return line_end + 1 < text.size() && line_end != std::string_view::npos ? line_end + 1 : place;
}

// --- to a text ---

std::vector<std::int32_t> never_chosen(const TextEncoder& encoder) {
  std::vector<std::int32_t> ids;
  for (const auto& id : {encoder.padding(), encoder.unknown(), encoder.begin(), encoder.end()}) {
    if (id) ids.push_back(*id);
  }
  return ids;
}

void check(const LanguageModel& model, const TextEncoder& encoder, const GenerateOptions& o) {
  tasks::check_count("generate", "length", o.length, 1, most);
  if (std::ranges::any_of(o.stop, &std::string::empty)) {
    throw Error(ErrorKind::value, "generate: a stop is empty");
  }
  if (encoder.size() == model.vocabulary()) return;
  throw Error(
      ErrorKind::value, "generate: the encoder is not the model's",
      {.got = std::to_string(encoder.size()) + " ids", .want = std::to_string(model.vocabulary())});
}

}  // namespace

double LanguageText::per_character(double nats) const noexcept {
  const auto tokens = static_cast<double>(static_cast<Index>(ids.size()) - learnt);
  return nats * tokens / static_cast<double>(watched_characters);
}

LanguageText read_language(std::string_view text, const LanguageTextOptions& options) {
  tasks::check_choice("read_language", "tokens", options.tokens,
                      {"characters", "words", "subwords"});
  tasks::check_number("read_language", "validation", options.validation,
                      options.validation > 0 && options.validation < 1,
                      "a share above 0 and below 1");
  tasks::check_count("read_language", "size", options.size, 0, most);
  tasks::check_count("read_language", "min_count", options.min_count, 1, most);
  if (text.empty()) throw Error(ErrorKind::value, options.name + ": the text is empty");
  check_utf8(text, options.name);
  const std::size_t place = split_place(text, options);
  const std::string_view first = text.substr(0, place), rest = text.substr(place);
  if (first.empty() || rest.empty()) {
    throw Error(ErrorKind::value, options.name + ": the text is too short to be split",
                {.got = tasks::counted(tasks::characters_in(text), "character")});
  }
  LanguageText result{.encoder = encoder_of(first, options), .ids = {}};
  result.ids = result.encoder.encode(first);
  result.learnt = static_cast<Index>(result.ids.size());
  const std::vector<std::int32_t> watched = result.encoder.encode(rest);
  result.ids.insert(result.ids.end(), watched.begin(), watched.end());
  result.learnt_characters = tasks::characters_in(first);
  result.watched_characters = tasks::characters_in(rest);
  if (const auto unknown = result.encoder.unknown()) {
    result.unknown = std::ranges::count(watched, *unknown);
  }
  return result;
}

Generated generate(const LanguageModel& model, const TextEncoder& encoder,
                   const GenerateOptions& options) {
  check(model, encoder, options);
  const std::vector<std::int32_t> prime = encoder.encode(options.prime);
  if (prime.empty()) throw Error(ErrorKind::value, "generate: the prime has no token");
  SamplingOptions sampling = options.sampling;
  for (const std::int32_t id : never_chosen(encoder)) sampling.never.push_back(id);
  Sampler sampler(sampling);
  LanguageReader reader(model);
  TextDecoder decoder(encoder);
  std::span<const float> logits;
  for (const std::int32_t id : prime) {
    logits = reader.read(id);
    sampler.saw(id);
    static_cast<void>(decoder.add(id));
  }

  tasks::Outlet outlet(options.length, options.stop, options.piece);
  Generated result;
  const auto begin = std::chrono::steady_clock::now();
  // Pieces may be no text; a model that gives nothing else ends all the same.
  const Index most_tokens = 16 * options.length + 1000;
  while (result.tokens < most_tokens) {
    const std::int32_t id = sampler.choose(logits);
    ++result.tokens;
    if (!outlet.add(decoder.add(id))) break;
    logits = reader.read(id);
  }
  outlet.finish();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result.text = outlet.text();
  result.characters = outlet.characters();
  result.ended = outlet.ended().empty() ? "length" : outlet.ended();
  return result;
}

}  // namespace unroll
