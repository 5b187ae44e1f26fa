#include "unroll/sentiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "src/tasks/nb_logistic.h"
#include "src/tasks/review_words.h"
#include "tests/refused.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Reviews whose word "good" or "bad", after "not" the other way round, says what they are.
Reviews made_up(int count, unsigned state) {
  Reviews reviews;
  const char* const filler[] = {"film", "actor", "scene", "plot", "music"};
  const auto next = [&state] { return (state = state * 1664525U + 1013904223U) >> 16; };
  for (int i = 0; i < count; ++i) {
    std::string text;
    const bool good = next() % 2 == 0, negated = next() % 2 == 0;
    for (int k = 0; k < 6; ++k) {
      text += std::string(filler[next() % 5]) + " ";
      if (k == 3) text += std::string(negated ? "not " : "really ") + (good ? "good " : "bad ");
    }
    reviews.texts.push_back(text + "<br />The end.");
    reviews.labels.push_back(good != negated ? 1 : 0);
  }
  return reviews;
}

ReviewParts made_up() {
  return {.train = made_up(400, 1), .test = made_up(100, 2), .name = "made up"};
}

SentimentOptions small() {
  return {.words = 100,
          .length = 20,
          .embedding = 8,
          .units = 8,
          .epochs = 20,
          .patience = 20,
          .learning_rate = 1e-2,
          .threads = 2};
}

TEST(ReviewWords, MarkupIsALineEnd) {
  EXPECT_EQ(tasks::without_markup("a<br /><br />b<br>"), "a\n\nb<br>");
  EXPECT_EQ(tasks::without_markup(""), "");
}

TEST(ReviewWords, NGramsAreWordsAndPairs) {
  const tasks::NGrams ngrams({"Not good", "not good!", "good"}, 2);
  std::vector<std::string> list;
  for (Index i = 0; i < ngrams.size(); ++i) list.emplace_back(ngrams[i]);
  EXPECT_THAT(list, ElementsAre("not", "good", "not good"));
  EXPECT_THAT(ngrams.numbers("GOOD, not good, good"), ElementsAre(1, 2, 3));
  EXPECT_THAT(ngrams.numbers("?"), ElementsAre());
  EXPECT_THAT(tasks::NGrams(list).numbers("not good"), ElementsAre(1, 2, 3));
}

TEST(NbLogistic, LearnsWhatPairsSay) {
  const Reviews train = made_up(400, 1), test = made_up(100, 2);
  const tasks::NGrams ngrams(train.texts, 2);
  const auto numbers = [&](const Reviews& reviews) {
    Sequences result;
    for (const auto& text : reviews.texts) result.push_back(ngrams.numbers(text));
    return result;
  };
  const auto model = tasks::train_nb_logistic(numbers(train), train.labels, ngrams.size(), 7);
  const auto answers = tasks::logits(model, numbers(test));
  Index right = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    right += (answers[i] > 0) == (test.labels[i] == 1) ? 1 : 0;
  }
  EXPECT_GE(right, 95);
  EXPECT_EQ(model.weights[0], 0);
  const auto again = tasks::train_nb_logistic(numbers(train), train.labels, ngrams.size(), 7);
  EXPECT_EQ(again.weights, model.weights);
}

TEST(NbLogistic, UnseenTextsAreAnsweredByWhoHasNotLearntThem) {
  // Each text has a word of its own, which only a model that has learnt it can know.
  Sequences texts;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 50; ++i) {
    texts.push_back({i + 1});
    labels.push_back(i % 2);
  }
  const auto unseen = tasks::unseen_logits(texts, labels, 50, 7);
  const auto seen = tasks::logits(tasks::train_nb_logistic(texts, labels, 50, 7), texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(seen[i] > 0, labels[i] == 1);
    // All of a run are alike to a model that knows none of their words.
    EXPECT_EQ(unseen[i], unseen[i - i % 10]) << i;
  }
}

TEST(Sentiment, LearnsAndAnswersRawText) {
  SentimentReport plan;
  SentimentOptions options = small();
  options.planned = [&plan](const SentimentReport& report) { plan = report; };
  Sentiment result = train_sentiment(made_up(), options);
  EXPECT_EQ(plan.train, 360);
  EXPECT_EQ(plan.validation, 40);
  EXPECT_EQ(plan.test, 100);
  const SentimentReport& report = result.report;
  ASSERT_EQ(report.scores.size(), 2u);
  EXPECT_EQ(report.scores[0].name, "model");
  EXPECT_EQ(report.scores[1].name, "nb_logistic");
  for (const SentimentScore& score : report.scores) EXPECT_GE(score.accuracy, 0.95) << score.name;
  EXPECT_LT(report.scores[0].loss, 0.3);
  EXPECT_GE(report.best_epoch, 0);

  // The one model gives what was measured of its two halves.
  const Reviews test = made_up(100, 2);
  const std::vector<double> answers = result.model.predict(test.texts);
  double right = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    right += (answers[i] > 0.5) == (test.labels[i] == 1) ? 1 : 0;
  }
  EXPECT_DOUBLE_EQ(right / 100, report.scores[0].accuracy);
  EXPECT_GT(result.model.predict({"plot really good"})[0], 0.5);
  EXPECT_LT(result.model.predict({"plot not good"})[0], 0.5);
}

TEST(Sentiment, TheSameBytesOnAnyNumberOfThreads) {
  SentimentOptions options = small();
  options.epochs = 2;
  const auto weights = [&](int threads) {
    options.threads = threads;
    std::vector<float> all;
    for (const Tensor& tensor : train_sentiment(made_up(), options).model.model().get_weights()) {
      const auto values = tensor.values<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  };
  EXPECT_EQ(weights(1), weights(3));
}

TEST(Sentiment, InterruptedItSaysSo) {
  SentimentOptions options = small();
  options.interrupted = [] { return true; };
  const Sentiment result = train_sentiment(made_up(), options);
  EXPECT_TRUE(result.report.interrupted);
  EXPECT_TRUE(result.report.scores.empty());
}

TEST(Sentiment, OptionsOutOfRangeAreRefused) {
  const auto with = [](auto change) {
    SentimentOptions options = small();
    change(options);
    return refused_with_kind([&] { return train_sentiment(made_up(), options); });
  };
  EXPECT_THAT(with([](auto& o) { o.words = 99; }),
              HasSubstr("train_sentiment: words is out of range\n  got    99"));
  EXPECT_THAT(with([](auto& o) { o.cell = "rnn"; }), HasSubstr("train_sentiment: no such cell"));
  EXPECT_THAT(with([](auto& o) { o.dropout = 1; }),
              HasSubstr("train_sentiment: dropout is out of range\n  got    1"));
  EXPECT_EQ(refused_with_kind([] {
              return train_sentiment({.train = made_up(2, 5), .test = made_up(2, 6)}, small());
            }),
            "value: train_sentiment: too few reviews to be split\n  got    2\n"
            "  want   positive and negative ones in both parts");
}

TEST(Sentiment, TheLessonsModelHasTheLessonsSize) {
  const Sentiment result = train_sentiment_as_in_lesson(made_up());
  EXPECT_TRUE(result.report.lesson);
  EXPECT_EQ(result.report.parameters, 160'801);
  EXPECT_EQ(result.report.train, 320);
  EXPECT_EQ(result.report.validation, 80);
  EXPECT_EQ(result.report.history.steps_per_epoch, 5);
  EXPECT_EQ(result.model.inputs({"film"})[0].shape(), Shape({1, 100}));
  EXPECT_EQ(result.model.inputs({"film"})[0].values<std::int32_t>()[98], 1);
  EXPECT_EQ(result.model.recurrent_layer(), "rnn_layer");
  EXPECT_THAT(result.model.words("film?"), ElementsAre("<s>", "film"));
}

TEST(Sentiment, TextsThatAreNoReviewsAreRefused) {
  Sentiment result = train_sentiment_as_in_lesson(made_up());
  const auto of = [&](const std::string& text) {
    return refused_with_kind([&] { return result.model.predict({"film", text}); });
  };
  EXPECT_EQ(of(" \n"), "value: text 1: an empty review");
  EXPECT_EQ(of(std::string(10'000'000, 'a')),
            "value: text 1: too long a review\n  got    10000000 bytes\n  want   at most 1000000");
  EXPECT_EQ(of("caf\xE9"),
            "format: text 1 is not UTF-8\n  got    0xE9 at byte 3, counted from 0\n"
            "  want   UTF-8\nhint: iconv -f LATIN1 -t UTF-8 converts files");
  // Words that were never seen, and texts without a word, are answered.
  EXPECT_GT(result.model.predict({"xyzzy"})[0], 0);
  EXPECT_GT(result.model.predict({"!!!"})[0], 0);
}

TEST(Sentiment, AModelThatDoesNotFitItsConfigIsRefused) {
  const Sentiment result = train_sentiment_as_in_lesson(made_up());
  EXPECT_EQ(refused_with_kind([&] {
              return SentimentModel(result.model.model(), result.model.encoder(),
                                    {.length = 100, .ngrams = {"a"}, .ngram_length = 3});
            }),
            "shape: SentimentModel: the model does not take such texts\n"
            "  want   (batch, 100) and (batch, 3) to (batch, 1)");
}

TEST(Explain, SaysWhatEachWordDoes) {
  Sentiment result = train_sentiment(made_up(), small());
  const std::string text = "film plot, really good  scene";
  const Explanation why = explain(result.model, text);
  std::string again;
  std::size_t strongest = 0;
  for (std::size_t i = 0; i < why.parts.size(); ++i) {
    again += why.parts[i].text;
    if (std::abs(why.parts[i].contribution) > std::abs(why.parts[strongest].contribution)) {
      strongest = i;
    }
    EXPECT_TRUE(why.parts[i].text != " " || why.parts[i].contribution == 0);
  }
  EXPECT_EQ(again, text);
  // Only together do the two say anything.
  EXPECT_THAT(why.parts[strongest].text, testing::AnyOf("really", "good"));
  EXPECT_GT(why.parts[strongest].contribution, 0);
  EXPECT_EQ(why.probability, result.model.predict({text})[0]);
  EXPECT_EQ(explain(result.model, "good").parts.size(), 1u);
}

TEST(Explain, APageEscapesWhatTheReviewSays) {
  const std::string page = to_html(
      {.probability = 0.25, .parts = {{.text = "<b>", .contribution = -0.5}, {.text = " & \"x\""}}},
      {{"<units>", "<?xml version=\"1.0\"?><svg>drawing</svg>"}});
  EXPECT_THAT(page, HasSubstr("<h1>negative, probability 0.75</h1>"));
  EXPECT_THAT(page, HasSubstr("<span title=\"-0.50\" style=\"background:rgba(178,24,43,0.80)\">"
                              "&lt;b&gt;</span> &amp; &quot;x&quot;"));
  EXPECT_THAT(page, HasSubstr("<h2>&lt;units&gt;</h2>\n<svg>drawing</svg>"));
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_EQ(page.find("<?xml"), std::string::npos);
}

}  // namespace
}  // namespace unroll
