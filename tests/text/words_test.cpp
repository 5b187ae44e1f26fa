#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/text/lower.h"
#include "src/text/utf8.h"
#include "tests/refused.h"
#include "unroll/text.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string lower(std::string_view text) {
  std::string result;
  text::lower_case(text, result);
  return result;
}

TEST(TextToWordSequence, CutsAtFiltersAndSeparators) {
  EXPECT_THAT(text_to_word_sequence("Don't stop: NOW!"), ElementsAre("don't", "stop", "now"));
  EXPECT_THAT(text_to_word_sequence("A,b;C", {.filters = ";", .lower = false, .split = ","}),
              ElementsAre("A", "b", "C"));
  EXPECT_THAT(text_to_word_sequence(" .,\n"), IsEmpty());
}

TEST(TextToWordSequence, FiltersBecomeTheSeparatorBeforeTheTextIsCut) {
  // As in Python: "xaaaaay" is cut from the left.
  EXPECT_THAT(text_to_word_sequence("x-a-y", {.filters = "-", .split = "aa"}),
              ElementsAre("x", "ay"));
}

TEST(TextToWordSequence, CharactersBeyondAsciiFilterAndSeparate) {
  EXPECT_THAT(text_to_word_sequence("你好，世界！", {.filters = "，！"}),
              ElementsAre("你好", "世界"));
  EXPECT_THAT(text_to_word_sequence("a→b→→c", {.filters = "", .split = "→"}),
              ElementsAre("a", "b", "c"));
}

TEST(TextToWordSequence, RefusesWhatItCannotCut) {
  EXPECT_THAT(refused_with_kind([] { return text_to_word_sequence("a", {.split = ""}); }),
              testing::StartsWith("value: split is empty\n"));
  EXPECT_THAT(refused_with_kind([] { return text_to_word_sequence("ab\xC3"); }),
              testing::StartsWith("format: text_to_word_sequence: the text is not UTF-8\n"
                                  "  got    0xC3 at byte 2, counted from 0\n"));
  EXPECT_THAT(text_to_word_sequence("ab\xC3", {.invalid_utf8 = InvalidUtf8::replace}),
              ElementsAre("ab\uFFFD"));
}

TEST(LowerCase, FollowsUnicode) {
  EXPECT_EQ(lower("ÉLODIE Ⅳ Ⓐ Я Ω 𐐀"), "élodie ⅳ ⓐ я ω 𐐨");
  EXPECT_EQ(lower("ẞ ß K"), "ß ß k");  // the Kelvin sign is a capital k
  EXPECT_EQ(lower("İ"), "i\u0307");
}

TEST(LowerCase, ASigmaIsFinalAfterALetterAndBeforeNone) {
  EXPECT_EQ(lower("ΟΔΟΣ ΣΑΣ Σ"), "οδος σας σ");
  // Apostrophes and accents are looked past.
  EXPECT_EQ(lower("ΑΣ'Β ΑΣ' Α\u0301Σ. ΑΣ.Β"), "ασ'β ας' α\u0301ς. ασ.β");
  EXPECT_EQ(lower("1Σ ⅣΣ"), "1σ ⅳς");
}

TEST(LowerCase, LongRunsOfIgnorableCharactersCostLittle) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "Σ''";
  EXPECT_EQ(lower(text).substr(0, 4), "σ''");
}

TEST(Utf8, WhatIsIllFormedIsFound) {
  for (const char* wrong :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    EXPECT_EQ(text::first_invalid(std::string("12345678") + wrong), 8u);
  }
  for (const char* right : {"", "a", "\u07FF", "\uD7FF", "\uFFFF", "\U0010FFFF", "1234567é9"}) {
    EXPECT_EQ(text::first_invalid(right), std::nullopt);
  }
}

TEST(Utf8, ReplacementsStandForMaximalParts) {
  EXPECT_EQ(text::with_replacements("a\xF1\x80\x80\xE1\x80\xC2"
                                    "b\x80"
                                    "c\x80\xBF"
                                    "d"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
}

}  // namespace
}  // namespace unroll
