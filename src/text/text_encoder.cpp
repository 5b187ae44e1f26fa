#include "unroll/text_encoder.h"

#include "src/text/pieces.h"
#include "src/text/sentence_piece.h"
#include "src/text/utf8.h"

namespace unroll {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::int32_t checked(const detail::Pieces& pieces, Index id) {
  if (id >= 0 && id < pieces.size()) return static_cast<std::int32_t>(id);
  throw Error(ErrorKind::value, "TextEncoder: a number that is no id",
              {.got = std::to_string(id), .want = "0 to " + std::to_string(pieces.size() - 1)});
}

std::optional<std::int32_t> there(std::int32_t id) {
  return id < 0 ? std::nullopt : std::optional(id);
}

/// Takes the characters that bytes make, and leaves a beginning of one: it may go on.
std::string take_characters(std::string& bytes, bool all) {
  std::string text;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const text::Decoded character = text::decode(bytes, at);
    // An ill-formed part that reaches the end is one whose other bytes may still come.
    const bool begun = !character.valid && at + character.length == bytes.size() &&
                       (bytes[at] & 0xC0) == 0xC0 && bytes.size() - at < 4;
    if (begun && !all) break;
    if (character.valid) {
      text.append(bytes, at, character.length);
    } else {
      text += replacement;
    }
    at += character.length;
  }
  bytes.erase(0, at);
  return text;
}

}  // namespace

std::string_view to_string(TextEncoderKind kind) noexcept {
  switch (kind) {
    case TextEncoderKind::characters:
      return "characters";
    case TextEncoderKind::words:
      return "words";
    case TextEncoderKind::subwords:
      break;
  }
  return "subwords";
}

TextEncoder::TextEncoder(std::shared_ptr<const detail::Pieces> pieces)
    : pieces_(std::move(pieces)) {}

TextEncoder TextEncoder::from_config(const TextEncoderConfig& config) {
  return TextEncoder(detail::listed_pieces(config));
}

TextEncoder TextEncoder::from_sentence_piece(std::string_view bytes, std::string_view name) {
  return TextEncoder(detail::sentence_pieces(std::string(bytes), std::string(name)));
}

TextEncoderConfig TextEncoder::get_config() const { return pieces_->config(); }

const std::string& TextEncoder::sentence_piece() const {
  if (const std::string* model = pieces_->sentence_piece()) return *model;
  throw Error(ErrorKind::value, "TextEncoder: only subwords have a SentencePiece model",
              {.got = std::string(to_string(kind()))});
}

std::vector<std::int32_t> TextEncoder::encode(std::string_view text) const {
  if (const auto wrong = text::first_invalid(text)) {
    throw text::not_utf8(text, *wrong, "TextEncoder: the text");
  }
  return pieces_->encode(text);
}

std::string TextEncoder::decode(std::span<const std::int32_t> ids) const {
  TextDecoder decoder(*this);
  std::string text;
  for (const std::int32_t id : ids) text += decoder.add(id);
  return text + decoder.finish();
}

TextEncoderKind TextEncoder::kind() const noexcept { return pieces_->kind(); }
Index TextEncoder::size() const noexcept { return pieces_->size(); }
std::string_view TextEncoder::piece(Index id) const {
  return pieces_->piece(checked(*pieces_, id));
}
std::optional<std::int32_t> TextEncoder::id(std::string_view piece) const {
  return pieces_->find(piece);
}
std::optional<std::int32_t> TextEncoder::padding() const noexcept {
  return there(pieces_->special.padding);
}
std::optional<std::int32_t> TextEncoder::unknown() const noexcept {
  return there(pieces_->special.unknown);
}
std::optional<std::int32_t> TextEncoder::begin() const noexcept {
  return there(pieces_->special.begin);
}
std::optional<std::int32_t> TextEncoder::end() const noexcept {
  return there(pieces_->special.end);
}

TextDecoder::TextDecoder(TextEncoder encoder) : encoder_(std::move(encoder)) {}

std::string TextDecoder::add(std::int32_t id) {
  const detail::Pieces& pieces = *encoder_.pieces_;
  checked(pieces, id);
  const bool silent = pieces.special.has(id) && id != pieces.special.unknown;
  if (silent) return {};
  if (const auto byte = pieces.byte(id)) {
    bytes_ += *byte;
    last_ = id;
    return take_characters(bytes_, false);
  }
  const std::string text = take_characters(bytes_, true) + pieces.text(last_, id);
  last_ = id;
  return text;
}

std::string TextDecoder::finish() {
  last_ = -1;
  return take_characters(bytes_, true);
}

}  // namespace unroll
