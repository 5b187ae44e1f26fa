// Sentiment: reviews in, probabilities out, and why.
//
// The model reads raw text: what makes ids of words is kept beside the network. It must tell all of
// the reviews below apart that it has not learnt from, give the same answers back from its file,
// and name the words that decide.
//
//   unroll sentiment train --data aclImdb_v1.tar.gz        is the same on real reviews
#include <cmath>
#include <iostream>

#include "unroll/unroll.h"

using namespace unroll;

/// Made-up reviews: what a word says is turned round by the "not" before it.
Reviews reviews(Index count, unsigned state) {
  const auto next = [&state](unsigned below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 16) % below;
  };
  const char* const things[] = {"film", "story", "cast", "music"};
  const char* const words[] = {"dull", "tired", "clever", "funny"};
  Reviews result;
  for (Index i = 0; i < count; ++i) {
    const unsigned word = next(4);
    const bool turned = next(2) == 1;
    result.texts.push_back(std::string("The ") + things[next(4)] + " is " +
                           (turned ? "not " : "so ") + words[word] + ".<br />It has a " +
                           things[next(4)] + ".");
    result.labels.push_back((word >= 2) != turned ? 1 : 0);
  }
  return result;
}

int main() {
  const ReviewParts parts{.train = reviews(600, 1), .test = reviews(200, 2), .name = "made up"};
  Sentiment trained = train_sentiment(parts, {.words = 100,
                                              .length = 20,
                                              .embedding = 8,
                                              .units = 8,
                                              .epochs = 10,
                                              .learning_rate = 0.01});
  SentimentModel& model = trained.model;
  for (const SentimentScore& score : trained.report.scores) {
    std::cout << score.label << ": accuracy " << score.accuracy << "\n";
  }
  const bool learnt = trained.report.scores[0].accuracy == 1;

  // A bundle keeps the network and what makes ids of words: raw text is all that is needed then.
  const std::string text = "The music is not funny.";
  save_bundle({.model = model.model(),
               .properties = {{"encoder", to_json(model.encoder())}},
               .sample = model.inputs({text})},
              "08_sentiment.unroll");
  const Bundle bundle = load_bundle("08_sentiment.unroll");
  SentimentModel again(bundle.model, text_encoder_from_json(bundle.property("encoder")),
                       model.config());
  const bool same = again.predict({text}) == model.predict({text});

  const Explanation why = explain(model, text);
  double decides = 0;
  for (const SentimentPart& part : why.parts) {
    std::cout << part.text
              << (part.contribution < 0   ? " (-) "
                  : part.contribution > 0 ? " (+) "
                                          : "");
    if (part.text == "not" || part.text == "funny") decides += std::abs(part.contribution);
    if (part.text == "music") decides -= std::abs(part.contribution);
  }
  std::cout << "\nprobability to be positive: " << why.probability << "\n";
  return learnt && same && why.probability < 0.5 && decides > 0 ? 0 : 1;
}
