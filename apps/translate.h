// The parts of unroll translate.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"
#include "unroll/bundle.h"
#include "unroll/translation.h"

namespace unroll::apps {

/// `words` is the command as it was typed.
Command translate_train_command(const std::vector<std::string>& words);
Command translate_predict_command(const std::vector<std::string>& words);

/// A translator with its encoders; some texts are run again when it is loaded.
Bundle translator_bundle(const Translator& translator, const std::string& task,
                         const ParallelTexts& sample);
/// Throws: Error (format) for a bundle of another task; what load_bundle throws.
Translator load_translator(const std::string& path, const std::string& task);

/// What was looked at while a text was written, with the words on the axes.
void draw_attention(const Translation& translation, const std::string& path,
                    const std::string& command);

}  // namespace unroll::apps
