// A trained language model as a bundle.
#pragma once

#include <span>
#include <string>

#include "unroll/bundle.h"
#include "unroll/language.h"
#include "unroll/text_encoder.h"

namespace unroll::apps {

/// What a bundle of a language model holds.
struct SavedLanguage {
  LanguageModel model;
  TextEncoder encoder;
};

/// `ids` are some that the model can be tried on.
Bundle language_bundle(const SavedLanguage& saved, std::span<const std::int32_t> ids,
                       const std::string& task);
/// "" where the bundle names none.
std::string task_of(const Bundle& bundle);
/// Throws: Error (format) for a bundle of another task; refusals call it `path`.
SavedLanguage saved_language(const Bundle& bundle, const std::string& path);

}  // namespace unroll::apps
