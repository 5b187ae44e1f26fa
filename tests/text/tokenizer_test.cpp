#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "tests/refused.h"
#include "unroll/text.h"

namespace unroll {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<std::pair<std::string, Index>> pairs(const WordNumbers& words) {
  std::vector<std::pair<std::string, Index>> result;
  for (const auto& [word, number] : words) result.emplace_back(word, number);
  return result;
}

Tokenizer fitted(const Texts& texts, const TokenizerOptions& options = {}) {
  Tokenizer tokenizer(options);
  tokenizer.fit_on_texts(texts);
  return tokenizer;
}

TEST(Tokenizer, NumbersByFrequencyThenByFirstAppearance) {
  const Tokenizer tokenizer = fitted({"The cat sat.", "the dog SAT!", "a cat"});
  EXPECT_THAT(
      pairs(tokenizer.word_index()),
      ElementsAre(Pair("the", 1), Pair("cat", 2), Pair("sat", 3), Pair("dog", 4), Pair("a", 5)));
  EXPECT_THAT(
      pairs(tokenizer.word_counts()),
      ElementsAre(Pair("the", 2), Pair("cat", 2), Pair("sat", 2), Pair("dog", 1), Pair("a", 1)));
  EXPECT_EQ(tokenizer.word_index()["sat"], 3);
  EXPECT_EQ(tokenizer.index_word(4), "dog");
  EXPECT_EQ(tokenizer.index_word(0), std::nullopt);
  EXPECT_EQ(tokenizer.index_word(6), std::nullopt);
  EXPECT_FALSE(tokenizer.word_index().contains("Cat"));
  EXPECT_EQ(refused_with_kind([&] { return tokenizer.word_index()["bird"]; }),
            "value: the tokenizer does not know this word\n  got    \"bird\"");
}

TEST(Tokenizer, UnknownWordsVanishOrBecomeTheToken) {
  EXPECT_THAT(fitted({"a b"}).texts_to_sequences({"a x b", "x"}),
              ElementsAre(ElementsAre(1, 2), IsEmpty()));
  EXPECT_THAT(fitted({"a b"}, {.oov_token = "?"}).texts_to_sequences({"a x b", "x"}),
              ElementsAre(ElementsAre(2, 1, 3), ElementsAre(1)));
}

TEST(Tokenizer, ATokenWithoutANumberIsRefused) {
  EXPECT_EQ(
      refused_with_kind([] { return Tokenizer({.oov_token = "?"}).texts_to_sequences({"a"}); }),
      "value: Tokenizer: nothing was fitted, so that the oov_token has no number\n"
      "hint: tokenizer.fit_on_texts(texts) first");
  EXPECT_THAT(Tokenizer().texts_to_sequences({"a"}), ElementsAre(IsEmpty()));
}

TEST(Tokenizer, EmptyTextAndTextOfFiltersOnly) {
  const Tokenizer tokenizer = fitted({"", "  ", "?!\t\n.,"});
  EXPECT_EQ(tokenizer.document_count(), 3);
  EXPECT_TRUE(tokenizer.word_index().empty());
  EXPECT_THAT(tokenizer.texts_to_sequences({"", "...", "a"}),
              ElementsAre(IsEmpty(), IsEmpty(), IsEmpty()));
  EXPECT_THAT(tokenizer.texts_to_sequences(std::vector<std::string>()), IsEmpty());
  EXPECT_EQ(refused_with_kind([&] { return tokenizer.texts_to_matrix({""}); }),
            "value: Tokenizer: how many columns the matrix has is not known\n"
            "hint: give num_words, or fit_on_texts first");
}

TEST(Tokenizer, WhatIsNotUtf8IsRefusedWithItsPlaceAndNothingIsCounted) {
  Tokenizer tokenizer = fitted({"a"});
  const std::string wrong =
      "format: Tokenizer: text 1 is not UTF-8\n"
      "  got    0xE9 at byte 3, counted from 0\n"
      "  want   UTF-8\n"
      "hint: .invalid_utf8 = InvalidUtf8::replace takes U+FFFD for such bytes; iconv -f LATIN1 -t "
      "UTF-8 converts files";
  EXPECT_EQ(refused_with_kind([&] { tokenizer.fit_on_texts({"fine", "caf\xE9 au lait"}); }), wrong);
  EXPECT_EQ(refused_with_kind([&] {
              return tokenizer.texts_to_sequences({"fine", "caf\xE9"});
            }),
            wrong);
  EXPECT_EQ(tokenizer.document_count(), 1);
  EXPECT_THAT(pairs(tokenizer.word_counts()), ElementsAre(Pair("a", 1)));
  const std::vector<std::vector<std::string>> lists = {{"a", "\xF0\x9F"}};
  EXPECT_THAT(refused_with_kind([&] { tokenizer.fit_on_texts(lists); }),
              testing::StartsWith("format: Tokenizer: word 1 of text 0 is not UTF-8\n"
                                  "  got    0xF0 at byte 0, counted from 0\n"));
  EXPECT_THAT(refused_with_kind([] { return Tokenizer({.filters = "\xFF"}); }),
              testing::StartsWith("format: Tokenizer: filters is not UTF-8\n"));
}

TEST(Tokenizer, WhatIsNotUtf8IsReplacedOnDemand) {
  const Tokenizer tokenizer = fitted({"caf\xE9 caf\xC3\xA9 \xF0\x9F\x98 \xED\xA0\x80"},
                                     {.invalid_utf8 = InvalidUtf8::replace});
  EXPECT_THAT(pairs(tokenizer.word_index()),
              ElementsAre(Pair("caf\uFFFD", 1), Pair("café", 2), Pair("\uFFFD", 3),
                          Pair("\uFFFD\uFFFD\uFFFD", 4)));
}

TEST(Tokenizer, ALineOfTenMegabytes) {
  std::string words, one_word(10'000'000, 'x');
  while (words.size() < 10'000'000) words += "so many words, ";
  const Tokenizer tokenizer = fitted({words, one_word});
  EXPECT_EQ(tokenizer.word_counts()["many"], 666'667);
  EXPECT_EQ(tokenizer.word_counts()[one_word], 1);
  const Sequences sequences = tokenizer.texts_to_sequences({words, one_word});
  EXPECT_EQ(sequences[0].size(), 2'000'001u);
  EXPECT_THAT(sequences[1], ElementsAre(4));
  EXPECT_EQ(fitted({one_word}, {.char_level = true}).word_counts()["x"], 10'000'000);
}

TEST(Tokenizer, ManyWordsOfAllLengthsKeepTheirNumbers) {
  std::string text;
  std::vector<std::string> words;
  for (int i = 0; i < 20'000; ++i) {
    std::string word =
        std::to_string(i * 7919) + std::string(static_cast<std::size_t>(i % 19), 'q');
    text += word + " ";
    words.push_back(word);
  }
  const Tokenizer tokenizer = fitted({text});
  const auto numbers = tokenizer.texts_to_sequences({text})[0];
  ASSERT_EQ(numbers.size(), words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    ASSERT_EQ(numbers[i], static_cast<std::int32_t>(i + 1));
    ASSERT_EQ(tokenizer.index_word(numbers[i]), words[i]);
  }
  EXPECT_FALSE(tokenizer.word_index().contains("7919qq"));
}

TEST(Tokenizer, WordsWithNullsAndWithoutLettersAreWords) {
  using namespace std::string_literals;
  const std::vector<std::vector<std::string>> lists = {{"", "\0"s, "\0\0"s, "", "a\0b"s}};
  const Tokenizer tokenizer = fitted(lists);
  EXPECT_THAT(pairs(tokenizer.word_counts()),
              ElementsAre(Pair("", 2), Pair("\0"s, 1), Pair("\0\0"s, 1), Pair("a\0b"s, 1)));
}

TEST(Tokenizer, AnAnalyzerMakesTheWords) {
  const TokenizerOptions options{.analyzer = [](std::string_view text) {
    return std::vector<std::string>{std::string(text.substr(0, 1)), std::string(text)};
  }};
  const Tokenizer tokenizer = fitted({"One two", "Only"}, options);
  EXPECT_THAT(pairs(tokenizer.word_counts()),
              ElementsAre(Pair("O", 2), Pair("One two", 1), Pair("Only", 1)));
  EXPECT_THAT(
      refused_with_kind([&] { return tokenizer.texts_to_sequences({"a\xFF"}); }),
      testing::StartsWith("format: Tokenizer: word 1 of text 0, as the analyzer gives it, is "
                          "not UTF-8\n  got    0xFF at byte 1"));
}

TEST(Tokenizer, OptionsOutOfRangeAreRefused) {
  EXPECT_EQ(refused_with_kind([] { return Tokenizer({.num_words = -1}); }),
            "value: Tokenizer: num_words must not be negative\n"
            "  got    -1\n"
            "  want   0 for all words, or more");
  EXPECT_EQ(refused_with_kind([] { return Tokenizer({.split = ""}); }),
            "value: split is empty\n"
            "  want   what stands between words, such as \" \"\n"
            "hint: for single characters: Tokenizer with .char_level = true");
  EXPECT_THAT(fitted({"ab"}, {.split = "", .char_level = true}).texts_to_sequences({"ba"}),
              ElementsAre(ElementsAre(2, 1)));
}

TEST(Tokenizer, MatricesRefuseWhatHasNoColumn) {
  const Tokenizer tokenizer = fitted({"a b"});
  EXPECT_EQ(refused_with_kind([&] {
              return tokenizer.sequences_to_matrix({{1}, {2, -3}});
            }),
            "value: Tokenizer: a matrix has no column for a negative number\n"
            "  got    -3 in sequence 1");
  EXPECT_EQ(
      refused_with_kind([] { return Tokenizer({.num_words = 3}).texts_to_matrix({"a"}, "tfidf"); }),
      "value: Tokenizer: \"tfidf\" needs documents, and none was fitted\n"
      "hint: fit_on_texts or fit_on_sequences first");
  const Tensor counts = tokenizer.sequences_to_matrix({{1, 1, 99}}, "count");
  EXPECT_EQ(counts.describe(), "float32 (1, 3)");
  EXPECT_EQ(counts.at({0, 1}), 2);
}

TEST(Tokenizer, SequencesCountAsDocuments) {
  Tokenizer tokenizer({.num_words = 4});
  tokenizer.fit_on_sequences({{1, 1, 3}, {3}, {}});
  EXPECT_EQ(tokenizer.document_count(), 3);
  EXPECT_THAT(tokenizer.index_docs(), ElementsAre(Pair(1, 1), Pair(3, 2)));
  const Tensor matrix = tokenizer.sequences_to_matrix({{3, 3}}, "tfidf", DType::float64);
  EXPECT_DOUBLE_EQ(matrix.at({0, 3}), (1 + std::log(2.0)) * std::log(1 + 3.0 / 3.0));
}

TEST(Tokenizer, CopiesAreDeep) {
  Tokenizer tokenizer = fitted({"a"});
  const Tokenizer copy = tokenizer;
  tokenizer.fit_on_texts({"b b"});
  EXPECT_THAT(pairs(copy.word_index()), ElementsAre(Pair("a", 1)));
  EXPECT_THAT(pairs(tokenizer.word_index()), ElementsAre(Pair("b", 1), Pair("a", 2)));
}

TEST(Tokenizer, ConfigsMakeTheSameTokenizer) {
  const Tokenizer tokenizer = fitted({"b a b", "c"}, {.oov_token = "?"});
  const Tokenizer again = Tokenizer::from_config(tokenizer.get_config());
  EXPECT_EQ(pairs(again.word_index()), pairs(tokenizer.word_index()));
  EXPECT_EQ(pairs(again.word_docs()), pairs(tokenizer.word_docs()));
  EXPECT_EQ(again.index_docs(), tokenizer.index_docs());
  EXPECT_EQ(again.texts_to_sequences({"a x b"}), tokenizer.texts_to_sequences({"a x b"}));
  EXPECT_EQ(refused_with_kind([] {
              return Tokenizer::from_config({.word_counts = {{"a", 1}, {"a", 2}}});
            }),
            "value: Tokenizer: word_counts has a word twice\n  got    \"a\"");
  EXPECT_EQ(refused_with_kind([] {
              return Tokenizer::from_config({.word_docs = {{"a", 1}}});
            }),
            "value: Tokenizer: word_docs has a word that word_counts lacks\n  got    \"a\"");
}

TEST(Tokenizer, ReadsFromManyThreads) {
  const Tokenizer tokenizer = fitted({"a b c d"});
  std::vector<Sequences> results(4);
  std::vector<std::thread> threads;
  for (Sequences& result : results) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) result = tokenizer.texts_to_sequences({"D c É a", "b"});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(results, testing::Each(ElementsAre(ElementsAre(4, 3, 1), ElementsAre(2))));
}

}  // namespace
}  // namespace unroll
