#include "unroll/translation.h"

#include <gtest/gtest.h>

#include "tests/refused.h"
#include "unroll/error.h"

namespace unroll {
namespace {

TranslationOptions small() {
  TranslationOptions options;
  options.tokens = "words";
  options.vocabulary = 0;
  options.min_count = 1;
  options.model = {.units = 16, .embedding = 16, .dropout = 0};
  options.training.batch_size = 3;
  options.training.epochs = 40;
  options.training.learning_rate = 0.02;
  options.training.label_smoothing = 0;
  return options;
}

TEST(Translator, LearnsTextsTooShortForBleu) {
  const Translated done =
      train_translator({.train = {.source = {"ein Hund", "eine Katze", "ein Haus"},
                                  .target = {"a dog", "a cat", "a house"}},
                        .validation = {.source = {"ein Hund"}, .target = {"a dog"}}},
                       small());
  EXPECT_EQ(done.translator.best({"eine Katze", "ein Haus"}),
            (std::vector<std::string>{"a cat", "a house"}));
  EXPECT_GT(done.report.fit.best_epoch, 0);
  EXPECT_EQ(done.report.fit.history["val_exact"].size(), 40U);
}

TEST(Translator, SaysWhatWasReadAndWritten) {
  const Translated done = train_translator(
      {.train = {.source = {"ein Hund", "eine Katze"}, .target = {"a dog", "a cat"}},
       .validation = {.source = {"ein Hund"}, .target = {"a dog"}}},
      small());
  const auto found = done.translator.translate({"ein Hund"}, {.attention = true});
  EXPECT_EQ(found[0][0].read, (std::vector<std::string>{"ein", "Hund", "</s>"}));
  EXPECT_EQ(found[0][0].written, (std::vector<std::string>{"a", "dog", "</s>"}));
  EXPECT_EQ(found[0][0].attention.shape(), (Shape{3, 3}));
  EXPECT_EQ(refused([&] {
              done.translator.translate({"ein", "\xFF"});
            }),
            "text 1 is not UTF-8\n"
            "  got    0xFF at byte 0, counted from 0\n"
            "  want   UTF-8\n"
            "hint: iconv -f LATIN1 -t UTF-8 converts files");
}

TEST(NearestTargets, AreThoseOfTheMostSimilarSource) {
  const ParallelTexts train{{"the old dog", "the red ball", "a cat"}, {"1", "2", "3"}};
  EXPECT_EQ(nearest_targets(train, {"an old dog", "red", "a cat sleeps", "unheard of"}),
            (std::vector<std::string>{"1", "2", "3", "1"}));
}

TEST(ScoreTexts, CountsWhatIsExact) {
  const TranslationScore score = score_texts({"a b c d", "x"}, {"a b c d", "y"});
  EXPECT_EQ(score.exact, 0.5);
  EXPECT_GT(score.bleu.score, 70);
}

TEST(TrainTranslator, Refuses) {
  TranslationOptions options = small();
  options.monitor = "val_rouge";
  const TranslationData data{.train = {{"a"}, {"b"}}, .validation = {{"a"}, {"b"}}};
  EXPECT_EQ(refused([&] { train_translator(data, options); }),
            "train_translator: no such monitor\n"
            "  got    \"val_rouge\"\n"
            "  want   val_bleu, val_exact or val_loss");
  EXPECT_EQ(refused([&] { train_translator({}, small()); }),
            "train_translator: nothing to learn from or to validate on");
}

}  // namespace
}  // namespace unroll
