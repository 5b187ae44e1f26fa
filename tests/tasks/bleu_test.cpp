#include "unroll/bleu.h"

#include <gtest/gtest.h>

#include <cmath>

#include "unroll/error.h"

namespace unroll {
namespace {

using Words = std::vector<std::string>;

TEST(Tokenize13a, SetsPunctuationApart) {
  EXPECT_EQ(tokenize_13a("Hello, world!"), (Words{"Hello", ",", "world", "!"}));
  EXPECT_EQ(tokenize_13a("(a/b) [c] \"d\""),
            (Words{"(", "a", "/", "b", ")", "[", "c", "]", "\"", "d", "\""}));
  EXPECT_EQ(tokenize_13a("U.S. troops..."), (Words{"U", ".", "S", ".", "troops", ".", ".", "."}));
}

TEST(Tokenize13a, LeavesNumbersWordsAndApostrophesWhole) {
  EXPECT_EQ(tokenize_13a("It costs 3,000.50 dollars."),
            (Words{"It", "costs", "3,000.50", "dollars", "."}));
  EXPECT_EQ(tokenize_13a("a well-known man's dog"), (Words{"a", "well-known", "man's", "dog"}));
  EXPECT_EQ(tokenize_13a("2010-11"), (Words{"2010", "-", "11"}));
}

TEST(Tokenize13a, ReadsEntitiesBlanksAndOtherAlphabets) {
  EXPECT_EQ(tokenize_13a("&quot;x&quot; &lt;y&gt; R&amp;D"),
            (Words{"\"", "x", "\"", "<", "y", ">", "R", "&", "D"}));
  EXPECT_EQ(tokenize_13a(" Übergröße\u00a0für  \tÄpfel,öde.\n"),
            (Words{"Übergröße", "für", "Äpfel", ",", "öde", "."}));
  EXPECT_TRUE(tokenize_13a(" \t ").empty());
}

TEST(Bleu, IsWhatOneWorksOutByHand) {
  // 2 of 7 words; of the 6, 5 and 4 longer runs none: 1/2, 1/4 and 1/8 of a match each.
  const Bleu found = bleu({"the the the the the the the"}, {"the cat is on the mat"});
  EXPECT_NEAR(found.precisions[0], 100 * 2.0 / 7, 1e-9);
  EXPECT_NEAR(found.precisions[1], 100 / (2 * 6.0), 1e-9);
  EXPECT_NEAR(found.precisions[2], 100 / (4 * 5.0), 1e-9);
  EXPECT_NEAR(found.precisions[3], 100 / (8 * 4.0), 1e-9);
  EXPECT_EQ(found.brevity_penalty, 1);
  EXPECT_NEAR(found.score, 7.8099, 1e-4);
}

TEST(Bleu, PunishesWhatIsTooShort) {
  const Bleu found = bleu({"a b c d"}, {"a b c d e"});
  EXPECT_NEAR(found.brevity_penalty, std::exp(-0.25), 1e-12);
  EXPECT_NEAR(found.score, 77.8801, 1e-4);
  EXPECT_EQ(found.length, 4);
  EXPECT_EQ(found.reference_length, 5);
}

TEST(Bleu, CountsOverTheWholeCorpus) {
  // Words 6 of 8, pairs 3 of 6, threes 1 of 4, fours 0 of 2.
  const Bleu found = bleu({"a b c x", "d e y f"}, {"a b c d", "d e g f"});
  EXPECT_NEAR(found.precisions[0], 75, 1e-9);
  EXPECT_NEAR(found.precisions[1], 50, 1e-9);
  EXPECT_NEAR(found.precisions[2], 25, 1e-9);
  EXPECT_NEAR(found.precisions[3], 25, 1e-9);
  EXPECT_NEAR(found.score, 100 * std::pow(0.75 * 0.5 * 0.25 * 0.25, 0.25), 1e-9);
}

TEST(Bleu, KnowsCase) {
  EXPECT_NEAR(bleu({"A b c d"}, {"A b c d"}).score, 100, 1e-9);
  EXPECT_LT(bleu({"a b c d"}, {"A b c d"}).score, 80);
}

TEST(Bleu, IsZeroWithoutAnyMatch) {
  EXPECT_EQ(bleu({"x y z w"}, {"a b c d"}).score, 0);
  EXPECT_EQ(bleu({""}, {"a b c d"}).score, 0);
  EXPECT_EQ(bleu({"a b c"}, {"a b c"}).score, 0) << "no four words in a row anywhere";
  EXPECT_EQ(bleu({}, {}).score, 0);
}

TEST(Bleu, RefusesListsOfDifferentLengths) {
  try {
    bleu({"a"}, {"a", "b"});
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "bleu: lists of different lengths\n"
                 "  got    1 texts, 2 references");
  }
}

}  // namespace
}  // namespace unroll
