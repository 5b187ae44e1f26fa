#include "unroll/complete.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/refused.h"
#include "unroll/error.h"

namespace unroll {
namespace {

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

LanguageModel untrained(const TextEncoder& encoder) {
  LanguageModel model({.vocabulary = encoder.size(), .units = 8, .layers = 1, .embedding = 4});
  model.model().compile({.seed = 3});
  return model;
}

Completer counting(const LanguageText& text, double weight = 0) {
  return Completer(untrained(text.encoder), text.encoder,
                   Ngram(text.ids, text.encoder.size(), {.order = 3}), weight);
}

std::vector<std::string> words_of(const std::vector<Suggestion>& suggestions) {
  std::vector<std::string> words;
  for (const Suggestion& one : suggestions) words.push_back(one.word);
  return words;
}

const std::string verse =
    "to be, or not to be\nto bear, to best\nthat is the question\nto be, or not to know't\n";

class Complete : public testing::TestWithParam<const char*> {
 protected:
  static LanguageText text() {
    return read_language(repeated(verse, 30), {.tokens = GetParam(), .size = 290, .min_count = 1});
  }
};

TEST_P(Complete, WhatCameMostOften) {
  Completer completer = counting(text());
  const std::vector<Suggestion> found = completer.suggest("or not to ", 3);
  ASSERT_EQ(found.size(), 3U);
  // After "not to" came these two, as often.
  std::vector<std::string> first = words_of(found);
  first.resize(2);
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, (std::vector<std::string>{"be", "know't"}));
  // One blank says that the word before it has ended; more say no more.
  EXPECT_EQ(words_of(completer.suggest("or not to  ", 3)), words_of(found));
  EXPECT_EQ(words_of(completer.suggest("or not t", 1)), (std::vector<std::string>{"to"}));
}

TEST_P(Complete, WhatIsBegunGoesOn) {
  Completer completer = counting(text());
  for (const Suggestion& one : completer.suggest("that is the ques", 9)) {
    EXPECT_TRUE(one.word.starts_with("ques")) << one.word;
  }
  EXPECT_EQ(words_of(completer.suggest("that is the ques", 1)),
            (std::vector<std::string>{"question"}));
  EXPECT_EQ(words_of(completer.suggest("to be, or not to kn", 1)),
            (std::vector<std::string>{"know't"}));
}

TEST_P(Complete, LineEndsAndPunctuationAreNoWords) {
  Completer completer = counting(text());
  for (const char* begun : {"", "\n", "to be", "to be,", "question", "to be, or not to be\n"}) {
    for (const Suggestion& one : completer.suggest(begun, 50)) {
      EXPECT_EQ(one.word.find_first_of(",\n <"), std::string::npos) << one.word;
    }
  }
}

TEST_P(Complete, ReadingOnIsReadingAnew) {
  const LanguageText learnt = text();
  Completer one = counting(learnt, 1);
  one.suggest("to be,", 5);
  one.suggest("to be, or ", 5);
  const std::vector<Suggestion> went_on = one.suggest("to be, or not ", 5);
  const std::vector<Suggestion> anew = counting(learnt, 1).suggest("to be, or not ", 5);
  ASSERT_EQ(words_of(went_on), words_of(anew));
  for (std::size_t i = 0; i < anew.size(); ++i) {
    EXPECT_NEAR(went_on[i].probability, anew[i].probability, 1e-6);
  }
  // And after something else.
  one.suggest("that is", 5);
  EXPECT_EQ(words_of(one.suggest("to be, or not ", 5)), words_of(anew));
}

INSTANTIATE_TEST_SUITE_P(Tokens, Complete, testing::Values("words", "subwords"),
                         [](const auto& info) { return std::string(info.param); });

TEST(CompleteWords, ProbabilitiesAreOfAllWords) {
  Completer completer =
      counting(read_language(repeated(verse, 30), {.tokens = "words", .min_count = 1}), 0.5);
  double sum = 0;
  for (const Suggestion& one : completer.suggest("to ", 1000)) sum += one.probability;
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(CompleteWords, EvaluatesThreeModelsOnTheSameTokens) {
  const LanguageText text =
      read_language(repeated(verse, 30) + "to be, or what\n", {.tokens = "words", .min_count = 1});
  const LanguageModel model = untrained(text.encoder);
  const Ngram ngram(std::span(text.ids.data(), static_cast<std::size_t>(text.learnt)),
                    text.encoder.size());
  const CompletionReport report = evaluate(model, text.encoder, ngram, 0.25, text.ids, text.learnt);
  const std::vector<double> p = model.log_probabilities(text.ids, text.learnt);
  const std::vector<double> q = ngram.log_probabilities(text.ids, text.learnt);
  EXPECT_NEAR(report.network.score.nats, score_of(p).nats, 1e-7);
  EXPECT_NEAR(report.ngram.score.nats, score_of(q).nats, 1e-9);
  EXPECT_NEAR(report.together.score.nats, score_of(interpolated(p, q, 0.25)).nats, 1e-7);
  EXPECT_EQ(report.network.score.tokens, static_cast<Index>(text.ids.size()) - text.learnt);

  // By hand: how often is the n-gram's most probable id the one that came?
  Index right = 0;
  for (auto i = static_cast<std::size_t>(text.learnt); i < text.ids.size(); ++i) {
    std::vector<double> all = ngram.distribution(std::span(text.ids.data(), i));
    all[static_cast<std::size_t>(*text.encoder.unknown())] = 0;
    const auto best = std::max_element(all.begin(), all.end()) - all.begin();
    right += best == text.ids[i] && best != *text.encoder.unknown();
  }
  EXPECT_NEAR(report.ngram.accuracy[0],
              static_cast<double>(right) / static_cast<double>(report.ngram.score.tokens), 1e-12);
  EXPECT_LE(report.ngram.accuracy[0], report.ngram.accuracy[1]);
  EXPECT_LE(report.ngram.accuracy[1], report.ngram.accuracy[2]);
  // "what" is unknown, which is a token as any other but never a suggestion.
  EXPECT_EQ(text.unknown, 1);
  EXPECT_LT(report.ngram.accuracy[2], 1);
}

TEST(CompleteWords, Refusals) {
  const LanguageText text = read_language(repeated(verse, 3), {.tokens = "words"});
  const LanguageModel model = untrained(text.encoder);
  const Ngram ngram(text.ids, text.encoder.size());
  EXPECT_EQ(refused([&] { Completer(model, text.encoder, ngram, 1.5); }),
            "Completer: weight is out of range\n  got    1.5\n  want   from 0 to 1");
  EXPECT_EQ(refused([&] { Completer(model, text.encoder, Ngram(text.ids, 99), 0.5); }),
            "Completer: the vocabularies are not of one size\n  got    " +
                std::to_string(text.encoder.size()) + " of the network, " +
                std::to_string(text.encoder.size()) + " of the encoder, 99 of the n-gram");
  const LanguageText letters = read_language(verse);
  EXPECT_EQ(refused([&] {
              Completer(untrained(letters.encoder), letters.encoder,
                        Ngram(letters.ids, letters.encoder.size()), 0.5);
            }),
            "Completer: an encoder of characters\n  want   one of words or subwords");
  Completer completer(model, text.encoder, ngram, 0.5);
  EXPECT_EQ(refused([&] { completer.suggest("a\xff"); }),
            "the text is not UTF-8\n  got    0xFF at byte 1, counted from 0\n  want   UTF-8\n"
            "hint: .invalid_utf8 = InvalidUtf8::replace takes U+FFFD for such bytes; iconv -f "
            "LATIN1 -t UTF-8 converts files");
}

}  // namespace
}  // namespace unroll
