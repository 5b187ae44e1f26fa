// Tokenizers and text encoders as text. A Tokenizer's is Keras's own JSON.
//
//   std::string text = to_json(tokenizer);        // tokenizer_from_json(text) of Keras reads it
//   Tokenizer again = tokenizer_from_json(text);
//
// A bundle that holds an encoder among its properties takes raw text:
//   save_bundle({.model = model, .properties = {{"encoder", to_json(encoder)}}}, "model.unroll");
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/text.h"
#include "unroll/text_encoder.h"

namespace unroll {

/// The tokenizer as Keras writes it, to the byte but for the order inside word_docs and index_docs,
/// which Keras leaves to chance. An analyzer and invalid_utf8 have no place in it.
std::string to_json(const Tokenizer& tokenizer);

/// What the JSON does not hold.
struct TokenizerJsonOptions {
  std::function<std::vector<std::string>(std::string_view)> analyzer = {};
  InvalidUtf8 invalid_utf8 = InvalidUtf8::refuse;
};

/// The tokenizer of such a text.
/// Throws: Error (format) for text that is no JSON and for what is not understood or out of range,
///   with its place as a JSON pointer.
Tokenizer tokenizer_from_json(std::string_view text, const TokenizerJsonOptions& options = {});

/// The encoder, whole: pieces and special ids, or the SentencePiece model as base64.
std::string to_json(const TextEncoder& encoder);
/// Throws: Error (format) as above, and for a damaged SentencePiece model; Error (unsupported) for
///   subwords where unroll was built without SentencePiece.
TextEncoder text_encoder_from_json(std::string_view text);

}  // namespace unroll
