// What the commands that train translators share: flags, a training with its checkpoint, results.
#pragma once

#include <string>
#include <vector>

#include "apps/flags.h"
#include "apps/resume.h"
#include "unroll/translation.h"

namespace unroll::apps {

struct TranslatorFlags {
  CommonFlags common;
  TranslationOptions options;
  bool separate = false;  ///< a vocabulary for each side
  CheckpointFlags checkpoint;
  std::string save, plot;
  std::vector<std::string> words;  ///< the command as it was typed
  std::string task;                ///< "translate", "chat": the command, and what the bundle is for
};

void add_translator_text(Command& command, TranslatorFlags& flags);
void add_translator_model(Command& command, TranslatorFlags& flags);
void add_translator_training(Command& command, TranslatorFlags& flags);
void add_translator_output(Command& command, TranslatorFlags& flags);

/// Whether only --resume is given: the command is then read again with the words that the
/// checkpoint kept.
bool goes_on_alone(const TranslatorFlags& flags);
/// Reads it again; `add` makes the command of its words.
int go_on(const TranslatorFlags& flags, Command (*add)(const std::vector<std::string>& words));

/// The last pairs, which are no longer learnt.
ParallelTexts last_pairs(ParallelTexts& texts, std::size_t count);

/// What can be refused before any work is done. Throws: Error.
void check_output(const TranslatorFlags& flags);
/// Trains, saves and says how it went; `title` says of what. Returns the exit status.
int train_translator_now(TranslatorFlags& flags, const TranslationData& data,
                         const std::string& title);

}  // namespace unroll::apps
