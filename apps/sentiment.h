// The parts of unroll sentiment.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"
#include "unroll/bundle.h"
#include "unroll/sentiment.h"

namespace unroll::apps {

/// `words` is the command as it was typed.
Command sentiment_train_command(const std::vector<std::string>& words);
Command sentiment_predict_command();
Command sentiment_explain_command(const std::vector<std::string>& words);

/// A model with all that it needs to read text; some texts are run again when it is loaded.
Bundle sentiment_bundle(const SentimentModel& model, const std::vector<std::string>& sample);
/// Throws: Error (format) for a bundle of another task; what load_bundle throws.
SentimentModel load_sentiment(const std::string& path);

/// "positive" or "negative".
std::string sentiment_word(double probability);

}  // namespace unroll::apps
