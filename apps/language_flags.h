// What the commands that train language models share.
#pragma once

#include <string>
#include <vector>

#include "apps/flags.h"
#include "apps/resume.h"
#include "src/io/json.h"
#include "unroll/generate.h"

namespace unroll::apps {

struct LanguageFlags {
  CommonFlags common;
  std::string file;
  LanguageTextOptions text;
  LanguageModelOptions model;
  LanguageTraining training;
  std::string save;
  CheckpointFlags checkpoint;
  std::string plot;
  std::vector<std::string> words;  ///< the command as it was typed
};

/// FILE and how it becomes tokens; `kinds` of them, the default first.
void add_text(Command& command, LanguageFlags& flags, const std::vector<std::string>& kinds);
void add_network(Command& command, LanguageFlags& flags);
void add_training(Command& command, LanguageFlags& flags);
void add_output(Command& command, LanguageFlags& flags);

/// Whether only --resume is given: the command is then read again with the words that the
/// checkpoint kept. Throws: Error (value) where there is neither a FILE nor a checkpoint.
bool goes_on_alone(const LanguageFlags& flags);
/// Reads it again; `add` makes the command of its words.
int go_on(const LanguageFlags& flags, Command (*add)(const std::vector<std::string>& words));

/// What can be refused before any work is done. Throws: Error.
void check_output(const LanguageFlags& flags);
/// All of FILE. Throws: as read_csv for what cannot be read.
std::string read_text_file(const std::string& file);

/// A model for an encoder's ids. Throws: Error (value).
LanguageModel language_model(const LanguageFlags& flags, const TextEncoder& encoder);
/// A training with its checkpoint, Ctrl-C and progress.
LanguageReport train_language(const LanguageFlags& flags, const LanguageModel& model,
                              std::span<const std::int32_t> ids);

/// What heads the output: the text, the model, the training. `parts` says what is learnt and what
/// is not.
std::string language_heading(const LanguageFlags& flags, const LanguageText& text,
                             const std::string& parts, const LanguageModel& model,
                             const LanguageReport& plan);
/// FILE as refusals and headings name it.
std::string file_name(const LanguageFlags& flags);
/// ", of which 12 are unknown", or nothing.
std::string unknown_text(const LanguageText& text);
/// How training ended.
std::string ending(const LanguageReport& report);
/// Where an interrupted training is kept, and how to go on.
std::string how_to_go_on(const LanguageFlags& flags, const std::string& checkpoint);
/// parameters, steps_per_epoch, fit_seconds, history, ...
io::Json training_json(const LanguageText& text, const LanguageModel& model,
                       const LanguageReport& report);
/// The losses, epoch by epoch.
void draw_losses(const LanguageFlags& flags, const LanguageReport& report);

}  // namespace unroll::apps
