#include "unroll/generate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "src/tasks/outlet.h"
#include "tests/refused.h"
#include "unroll/error.h"

namespace unroll {
namespace {

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

// --- Outlet ---

struct Outcome {
  std::string text, ended;
  std::vector<std::string> pieces;
};

Outcome outcome(Index length, const std::vector<std::string>& stops,
                const std::vector<std::string>& added) {
  Outcome result;
  tasks::Outlet outlet(length, stops, [&](std::string_view piece) {
    result.pieces.emplace_back(piece);
    return true;
  });
  for (const std::string& text : added) {
    if (!outlet.add(text)) break;
  }
  outlet.finish();
  result.text = outlet.text();
  result.ended = outlet.ended();
  EXPECT_EQ(outlet.characters(), tasks::characters_in(result.text));
  return result;
}

TEST(Outlet, LetsThroughAtOnceUpToTheLength) {
  const Outcome done = outcome(3, {}, {"ä", "bc", "d"});
  EXPECT_EQ(done.text, "äbc");
  EXPECT_EQ(done.ended, "length");
  EXPECT_EQ(done.pieces, (std::vector<std::string>{"ä", "bc"}));
}

TEST(Outlet, CutsBetweenCharactersNotBytes) { EXPECT_EQ(outcome(2, {}, {"äöü"}).text, "äö"); }

TEST(Outlet, StopsAcrossPiecesAndIsNotPartOfTheText) {
  const Outcome done = outcome(99, {"END"}, {"a", "E", "N", "D", "b"});
  EXPECT_EQ(done.text, "a");
  EXPECT_EQ(done.ended, "stop");
}

TEST(Outlet, WhatWasNoStopComesOut) {
  const Outcome done = outcome(99, {"END"}, {"E", "N", "E", "N", "x", "EN"});
  EXPECT_EQ(done.text, "ENENxEN");
  EXPECT_EQ(done.ended, "");
  // "EN" is held back, "EN" of "ENEN" is not any more.
  EXPECT_EQ(done.pieces, (std::vector<std::string>{"EN", "ENx", "EN"}));
}

TEST(Outlet, TheFirstOfSeveralStops) {
  EXPECT_EQ(outcome(99, {"cd", "b"}, {"abcd"}).text, "a");
  EXPECT_EQ(outcome(99, {"abc", "b"}, {"xa", "bc"}).text, "x");
}

TEST(Outlet, TheCallerEndsIt) {
  tasks::Outlet outlet(99, {}, [](std::string_view) { return false; });
  EXPECT_FALSE(outlet.add("a"));
  EXPECT_EQ(outlet.ended(), "caller");
  EXPECT_EQ(outlet.text(), "a");
}

// --- read_language ---

TEST(ReadLanguage, SplitsByPosition) {
  const LanguageText text = read_language("aaaaaaaaaäbb", {.validation = 0.25});
  EXPECT_EQ(text.learnt, 9);
  EXPECT_EQ(text.learnt_characters, 9);
  EXPECT_EQ(text.watched_characters, 3);
  // The encoder has never seen the last part.
  EXPECT_FALSE(text.encoder.id("b"));
  EXPECT_EQ(text.unknown, 3);
  EXPECT_DOUBLE_EQ(text.per_character(2.5), 2.5);
}

TEST(ReadLanguage, WordsAreSplitAtTheNextLine) {
  // Half of it lies within "too".
  const LanguageText text = read_language("one two\ntoo one\none two\n",
                                          {.tokens = "words", .min_count = 1, .validation = 0.5});
  EXPECT_EQ(text.encoder.decode(std::span<const std::int32_t>(text.ids).first(
                static_cast<std::size_t>(text.learnt))),
            "one two\ntoo one\n");
  EXPECT_EQ(text.watched_characters, 8);
  EXPECT_EQ(static_cast<Index>(text.ids.size()) - text.learnt, 3);  // one, two, the line's end
  EXPECT_DOUBLE_EQ(text.per_character(2), 2.0 * 3 / 8);
}

TEST(ReadLanguage, RareWordsAreOneToken) {
  const LanguageText text = read_language("a a b c a\na b", {.tokens = "words", .validation = 0.2});
  const auto unknown = text.encoder.unknown();
  ASSERT_TRUE(unknown);
  EXPECT_EQ(std::ranges::count(text.ids, *unknown), 4);  // b, c, the line's end, b
  EXPECT_EQ(text.unknown, 1);
}

TEST(ReadLanguage, Refusals) {
  EXPECT_EQ(refused([] { read_language(""); }), "the text: the text is empty");
  EXPECT_EQ(refused([] { read_language("a", {.name = "a.txt"}); }),
            "a.txt: the text is too short to be split\n  got    1 character");
  EXPECT_EQ(refused([] { read_language("abc", {.validation = 1}); }),
            "read_language: validation is out of range\n  got    1\n"
            "  want   a share above 0 and below 1");
  EXPECT_EQ(refused([] { read_language("abc", {.tokens = "letters"}); }),
            "read_language: no such tokens\n  got    \"letters\"\n"
            "  want   characters, words or subwords");
  EXPECT_EQ(refused([] {
              read_language(
                  "ab\xff"
                  "c",
                  {.name = "a.txt"});
            }),
            "a.txt is not UTF-8\n  got    0xFF at byte 2, counted from 0\n  want   UTF-8\n"
            "hint: iconv -f LATIN1 -t UTF-8 converts files");
}

// --- generate ---

struct Trained {
  LanguageText text;
  LanguageModel model;
};

/// Has learnt "ab cd ..." by heart.
Trained parrot(const std::string& line, const std::string& tokens = "characters") {
  LanguageText text = read_language(repeated(line, 150), {.tokens = tokens, .min_count = 1});
  LanguageModel model(
      {.vocabulary = text.encoder.size(), .units = 24, .layers = 1, .embedding = 8, .dropout = 0});
  train(model, text.ids,
        {.batch_size = 4, .steps = 16, .epochs = 25, .learning_rate = 0.02, .learnt = text.learnt});
  return {std::move(text), model};
}

TEST(Generate, SaysWhatItHasLearnt) {
  const Trained it = parrot("Grüße, Welt!\n");
  const Generated made =
      generate(it.model, it.text.encoder, {.length = 26, .sampling = {.temperature = 0}});
  EXPECT_EQ(made.text, "Grüße, Welt!\nGrüße, Welt!\n");
  EXPECT_EQ(made.ended, "length");
  EXPECT_EQ(made.characters, 26);
  EXPECT_EQ(made.tokens, 26);
  EXPECT_EQ(generate(it.model, it.text.encoder,
                     {.length = 7, .prime = "Grü", .sampling = {.temperature = 0}})
                .text,
            "ße, Wel");
}

TEST(Generate, PiecesAreTheTextAndEndAtAStop) {
  const Trained it = parrot("abc def ghi\n");
  std::string heard;
  const Generated made = generate(it.model, it.text.encoder,
                                  {.length = 500,
                                   .stop = {" ghi"},
                                   .sampling = {.temperature = 0},
                                   .piece = [&](std::string_view piece) {
                                     heard += piece;
                                     return true;
                                   }});
  EXPECT_EQ(made.text, "abc def");
  EXPECT_EQ(made.ended, "stop");
  EXPECT_EQ(heard, made.text);
}

TEST(Generate, WordsWithTheBlanksBetweenThem) {
  const Trained it = parrot("You are, sir, a \"knave\".\n", "words");
  const Generated made = generate(it.model, it.text.encoder,
                                  {.length = 24, .prime = "\nYou", .sampling = {.temperature = 0}});
  EXPECT_EQ(made.text, " are, sir, a \"knave\".\nYo");
}

TEST(Generate, TheSeedNamesTheText) {
  const Trained it = parrot("abcdefgh\n");
  const auto text = [&](std::uint64_t seed) {
    return generate(it.model, it.text.encoder,
                    {.length = 100, .sampling = {.temperature = 3, .seed = seed}})
        .text;
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

TEST(Generate, UnknownIsNeverWritten) {
  const LanguageText text = read_language(repeated("a b c\n", 40), {.tokens = "words"});
  const LanguageModel model({.vocabulary = text.encoder.size(), .units = 4});
  const Generated made =
      generate(model, text.encoder, {.length = 2000, .sampling = {.temperature = 50}});
  EXPECT_EQ(made.text.find("\ufffd"), std::string::npos);
}

TEST(Generate, Refusals) {
  const LanguageText text = read_language("abcabcabcabc");
  const LanguageModel model({.vocabulary = text.encoder.size(), .units = 4});
  EXPECT_EQ(refused([&] { generate(model, text.encoder, {.prime = ""}); }),
            "generate: the prime has no token");
  EXPECT_EQ(refused([&] {
              generate(model, text.encoder, {.stop = {"x", ""}});
            }),
            "generate: a stop is empty");
  EXPECT_EQ(refused([&] { generate(model, text.encoder, {.length = 0}); }),
            "generate: length is out of range\n  got    0\n"
            "  want   a whole number from 1 to 1,000,000,000");
  const LanguageModel other({.vocabulary = 9, .units = 4});
  EXPECT_EQ(refused([&] { generate(other, text.encoder); }),
            "generate: the encoder is not the model's\n  got    5 ids\n  want   9");
}

}  // namespace
}  // namespace unroll
