// Any bytes as texts to learn from, as JSON of a text encoder and as a SentencePiece model: an
// encoder whose texts come back, or a refusal, never anything else.
//
// Build with clang and -fsanitize=fuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "unroll/error.h"
#include "unroll/text_json.h"

namespace {

using unroll::TextEncoder;

template <class F>
void tried(F call) {
  try {
    call();
  } catch (const unroll::Error&) {
  }
}

void check(bool holds) {
  if (!holds) std::abort();
}

void use(const TextEncoder& encoder, std::string_view text) {
  const auto ids = encoder.encode(text);
  for (const std::int32_t id : ids) check(id >= 0 && id < encoder.size());
  static_cast<void>(encoder.decode(ids));
}

void round_trip(const TextEncoder& encoder, std::string_view text) {
  check(encoder.decode(encoder.encode(text)) == text);
  check(to_json(unroll::text_encoder_from_json(to_json(encoder))) == to_json(encoder));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view text = "the cat\n sat";
  tried([&] { round_trip(TextEncoder::characters({bytes}), bytes); });
  tried([&] { round_trip(TextEncoder::words({bytes}), bytes); });
  tried([&] { use(TextEncoder::words({bytes}, {.filters = "a,"}), bytes); });
  tried([&] { use(unroll::text_encoder_from_json(bytes), text); });
  tried([&] { use(TextEncoder::from_sentence_piece(bytes), text); });
  return 0;
}
