// Chat: answers learnt from dialogues, in the light of what was said before.
//
//   Translated done = train_translator(chat_data(read_dialogues("chatterbot-english"), 7),
//   options); Conversation talk(done.translator); std::cout << talk.answer("How are you?") << "\n";
//   std::cout << talk.answer("And your sister?") << "\n";      // knows what was said
#pragma once

#include <string>
#include <vector>

#include "unroll/dialogues.h"
#include "unroll/translation.h"

namespace unroll {

/// A question as a model reads it: the exchange before it, a line each, and the question last.
/// `before` has the lines so far; at most its last two are taken.
std::string in_context(const Dialogue& before, const std::string& question);

/// Each line as an answer to the one before it, with the exchange before that and, where there is
/// one, also without. Dialogues are drawn by the seed: a tenth of them validates, a tenth tests.
/// Throws: Error (value) for fewer than three dialogues.
TranslationData chat_data(const std::vector<Dialogue>& dialogues, std::uint64_t seed);

/// One conversation: knows its last exchange. Threads: one at a time; several conversations with
/// one translator, one after the other.
class Conversation {
 public:
  explicit Conversation(const Translator& translator, const DecodeOptions& options = {});
  /// What is said to a line. Throws: Error (format) for what is not UTF-8; Error (value) for a line
  ///   without a word.
  std::string answer(const std::string& line);
  /// Forgets what was said.
  void reset() { lines_.clear(); }
  /// All that was said, in turn.
  const Dialogue& lines() const noexcept { return lines_; }

 private:
  Translator translator_;
  DecodeOptions options_;
  Dialogue lines_;
};

}  // namespace unroll
