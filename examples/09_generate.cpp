// A language model that learns to write; and how to see that it has learnt what there is to learn.
#include <cmath>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

int main() {
  // A language of 48 sentences, all of the same probability: "the cat sees the dog."
  const std::vector<std::string> nouns{"cat", "dog", "bird", "fish"};
  const std::vector<std::string> verbs{"sees", "likes", "fears"};
  std::string text;
  std::uint32_t random = 1;
  const auto pick = [&](const std::vector<std::string>& words) {
    random = random * 1664525 + 1013904223;
    return words[(random >> 16) % words.size()];
  };
  constexpr int sentences = 2000;
  for (int i = 0; i < sentences; ++i) {
    text += "the " + pick(nouns) + " " + pick(verbs);
    text += " the " + pick(nouns) + ".\n";
  }
  // Nobody can foretell which of the 48 comes: that many nats a character remain.
  const double limit = std::log(48) * sentences / static_cast<double>(text.size());

  LanguageText data = read_language(text);  // the first 90 % to learn from, the last 10 %
  LanguageModel model({.vocabulary = data.encoder.size(), .units = 48, .layers = 1, .dropout = 0});
  LanguageReport report = train(model, data.ids,
                                {.batch_size = 8,
                                 .steps = 32,
                                 .epochs = 12,
                                 .learning_rate = 0.01,
                                 .warmup = 20,
                                 .seed = 1,
                                 .learnt = data.learnt});
  const double nats = report.validation.nats;
  std::cout << nats << " nats a character; " << limit << " is the least there can be\n";

  Generated made = generate(model, data.encoder, {.length = 110});
  std::cout << made.text << "\n";

  // The same text as words, foretold by counting.
  LanguageText words = read_language(text, {.tokens = "words"});
  Ngram ngram(
      std::span<const std::int32_t>(words.ids).first(static_cast<std::size_t>(words.learnt)),
      words.encoder.size());
  Completer completer(LanguageModel({.vocabulary = words.encoder.size()}), words.encoder, ngram,
                      0.0);  // all of the n-gram, nothing of the network, which has learnt nothing
  for (const Suggestion& next : completer.suggest("the bird likes the ", 4)) {
    std::cout << next.word << " " << next.probability << "\n";
  }
  // Below the limit it would have seen what it was to foretell.
  return nats > 0.97 * limit && nats < 1.1 * limit ? 0 : 1;
}
