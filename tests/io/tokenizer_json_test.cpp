#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unroll/error.h"
#include "unroll/text_json.h"

namespace unroll {
namespace {

std::string refused(const std::string& text) {
  try {
    static_cast<void>(tokenizer_from_json(text));
  } catch (const Error& error) {
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
  return "not refused";
}

/// A tokenizer's text with one piece of it replaced.
std::string changed(const std::string& piece, const std::string& by) {
  Tokenizer tokenizer({.num_words = 9, .oov_token = "?"});
  tokenizer.fit_on_texts({"b a b"});
  std::string text = to_json(tokenizer);
  const auto at = text.find(piece);
  return at == std::string::npos ? "no such piece" : text.replace(at, piece.size(), by);
}

TEST(TokenizerJson, IsKerassText) {
  Tokenizer tokenizer({.num_words = 9, .oov_token = "?"});
  tokenizer.fit_on_texts({"b é b"});
  EXPECT_EQ(to_json(tokenizer),
            R"({"class_name": "Tokenizer", "config": {"num_words": 9, )"
            R"("filters": "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n", "lower": true, "split": " ", )"
            R"("char_level": false, "oov_token": "?", "document_count": 1, )"
            R"("word_counts": "{\"b\": 2, \"\\u00e9\": 1}", )"
            R"("word_docs": "{\"b\": 1, \"\\u00e9\": 1}", )"
            R"("index_docs": "{\"2\": 1, \"3\": 1}", )"
            R"("index_word": "{\"1\": \"?\", \"2\": \"b\", \"3\": \"\\u00e9\"}", )"
            R"("word_index": "{\"?\": 1, \"b\": 2, \"\\u00e9\": 3}"}})");
}

TEST(TokenizerJson, ATokenizerThatWasReadGoesOnCounting) {
  Tokenizer tokenizer({.oov_token = "?"});
  tokenizer.fit_on_texts({"b a b", "c"});
  Tokenizer read = tokenizer_from_json(to_json(tokenizer));
  EXPECT_EQ(to_json(read), to_json(tokenizer));
  for (Tokenizer* each : {&tokenizer, &read}) each->fit_on_texts({"c c d", "c"});
  EXPECT_EQ(to_json(read), to_json(tokenizer));
}

TEST(TokenizerJson, APaddingWordWithNumber0IsKept) {
  const Tokenizer tokenizer =
      tokenizer_from_json(changed(R"(\"?\": 1, )", R"(\"<pad>\": 0, \"?\": 1, )"));
  EXPECT_EQ(tokenizer.word_index()["<pad>"], 0);
}

TEST(TokenizerJson, RefusalsNameThePlace) {
  EXPECT_EQ(refused("{"), "format: a tokenizer that is no JSON\n  got    a mistake at byte 2");
  EXPECT_EQ(refused(R"({"config": {}})"),
            "format: \"num_words\" is missing, at /config\n  got    an object");
  EXPECT_EQ(refused(changed("\"num_words\": 9", "\"num_words\": 9.5")),
            "format: not a whole number, at /config/num_words\n  got    9.5");
  EXPECT_EQ(refused(changed("\"word_index\": \"{", "\"word_index\": \"[")),
            "format: a tokenizer that is no JSON, at /config/word_index\n"
            "  got    a mistake at byte 5");
  EXPECT_EQ(refused(changed(R"({\"1\": \"?\")", R"({\"one\": \"?\")")),
            "format: a key that is not a whole number, at /config/index_word\n  got    \"one\"");
  EXPECT_EQ(refused(changed(R"(\"b\": 2, \"a\": 1}", "word_docs)",
                            R"(\"b\": 2, \"b\": 1}", "word_docs)")),
            "format: Tokenizer: word_counts has a word twice, at /config\n  got    \"b\"");
  EXPECT_EQ(refused(changed(R"(\"?\": 1, )", R"(\"?\": -1, )")),
            "format: Tokenizer: a word's number is not between 0 and 2147483647, at /config\n"
            "  got    -1");
}

TEST(TokenizerJson, WhatTheTextCannotHoldIsGivenAnew) {
  const Tokenizer tokenizer =
      tokenizer_from_json(changed("?", "?"), {.invalid_utf8 = InvalidUtf8::replace});
  EXPECT_EQ(tokenizer.texts_to_sequences({"b \xFF"}), (Sequences{{2, 1}}));
}

}  // namespace
}  // namespace unroll
