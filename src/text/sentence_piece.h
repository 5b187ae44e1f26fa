// Subwords, through SentencePiece.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/text/pieces.h"

namespace unroll::detail {

/// What SentencePiece learns from: at most 2,000 bytes each, cut after blanks and line ends where
/// there are any; longer ones it would pass over, and those with tabs.
void append_parts(std::string_view text, std::vector<std::string>& parts);

/// The bytes of a .model. Throws: as TextEncoder::subwords.
std::string train_sentence_piece(const std::vector<std::string>& parts,
                                 const SubwordsOptions& options);

/// The pieces of a .model. Throws: as TextEncoder::from_sentence_piece.
std::shared_ptr<const Pieces> sentence_pieces(std::string bytes, const std::string& name);

/// What of a .model decides how its pieces are read.
struct SentencePieceFacts {
  bool strips_first_blank = true;
};
/// Whether SentencePiece can be trusted with these bytes. It reads its tables without looking at
/// their bounds, so that bytes made for it can lead it anywhere in memory; what this lets through
/// keeps within them.
/// Throws: as TextEncoder::from_sentence_piece.
SentencePieceFacts check_sentence_piece(std::string_view bytes, const std::string& name);

}  // namespace unroll::detail
