// Files of text encoders: SentencePiece's .model.
#pragma once

#include <string>

#include "unroll/text_encoder.h"

namespace unroll {

/// Reads a SentencePiece .model, anybody's.
/// Throws: Error (file) where it cannot be read; otherwise as TextEncoder::from_sentence_piece.
TextEncoder load_sentence_piece(const std::string& path);
/// Writes one. Throws: Error (file) where it cannot be written; Error (value) for characters and
/// words, which have no such file.
void save_sentence_piece(const TextEncoder& encoder, const std::string& path);

}  // namespace unroll
