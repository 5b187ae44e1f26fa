#include "unroll/text_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/refused.h"

namespace unroll {
namespace {

using testing::ElementsAre;

using testing::IsEmpty;

std::vector<std::string> pieces(const TextEncoder& encoder) {
  std::vector<std::string> result;
  for (Index i = 0; i < encoder.size(); ++i) result.emplace_back(encoder.piece(i));
  return result;
}

std::vector<std::string> cut(const TextEncoder& encoder, std::string_view text) {
  std::vector<std::string> result;
  for (const std::int32_t id : encoder.encode(text)) result.emplace_back(encoder.piece(id));
  return result;
}

const std::vector<std::string>& prose() {
  static const std::vector<std::string> texts{
      "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n",
      "\"Don't\" -- he said (twice): 3.14 + 1,000 = 50% of well-known rock'n'roll…  two  blanks ",
      "  begins with blanks,ends\twith a tab\t",
      "ein Stra\u00DFenf\u00E4hrer \u2019s \u4F60\u597D",
      "'tis o'er; th' end",
      ""};
  return texts;
}

TEST(TextEncoder, CharactersInTheOrderOfUnicode) {
  const TextEncoder encoder = TextEncoder::characters({"ba\u00E9", "a\nb"});
  EXPECT_THAT(pieces(encoder), ElementsAre("<pad>", "<unk>", "\n", "a", "b", "\u00E9"));
  EXPECT_THAT(encoder.encode("ab\u00E9z"), ElementsAre(3, 4, 5, 1));
  EXPECT_EQ(encoder.decode(encoder.encode("ab\u00E9z")), "ab\u00E9\uFFFD");
  EXPECT_EQ(encoder.padding(), 0);
  EXPECT_EQ(encoder.unknown(), 1);
  EXPECT_EQ(encoder.begin(), std::nullopt);
  EXPECT_EQ(encoder.end(), std::nullopt);
  EXPECT_EQ(encoder.id("b"), 4);
  EXPECT_EQ(encoder.id("q"), std::nullopt);
  EXPECT_EQ(to_string(encoder.kind()), "characters");
}

TEST(TextEncoder, LowerCaseAndTheEndsOfATextOnRequest) {
  const TextEncoder encoder =
      TextEncoder::characters({"A"}, {.lower = true, .begin_and_end = true});
  EXPECT_THAT(pieces(encoder), ElementsAre("<pad>", "<unk>", "<s>", "</s>", "a"));
  EXPECT_THAT(encoder.encode("Aa"), ElementsAre(4, 4));
  EXPECT_EQ(encoder.decode(std::vector<std::int32_t>{2, 4, 3, 0}), "a");
  EXPECT_EQ(encoder.begin(), 2);
  EXPECT_EQ(encoder.end(), 3);
}

TEST(TextEncoder, WordsByFrequency) {
  const TextEncoder encoder = TextEncoder::words({"a b, b", "c b a"});
  EXPECT_THAT(pieces(encoder), ElementsAre("<pad>", "<unk>", " ", "<join>", "b", "a", ",", "c"));
  EXPECT_THAT(cut(encoder, "a, b c"), ElementsAre("a", ",", "b", "c"));
  EXPECT_THAT(cut(encoder, "a ,b"), ElementsAre("a", " ", ",", "<join>", "b"));
  const TextEncoder small = TextEncoder::words({"a b, b", "c b a"}, {.size = 6});
  EXPECT_THAT(pieces(small), ElementsAre("<pad>", "<unk>", " ", "<join>", "b", "a"));
  EXPECT_EQ(small.decode(small.encode("a b c b")), "a b \uFFFD b");
  const TextEncoder frequent = TextEncoder::words({"a b, b", "c b a"}, {.min_count = 3});
  EXPECT_EQ(frequent.size(), 5);
}

TEST(TextEncoder, ProseIsCutIntoWordsAndSingleCharacters) {
  const TextEncoder encoder = TextEncoder::words(prose());
  EXPECT_THAT(
      cut(encoder, "\"Don't\" -- he said (twice)."),
      ElementsAre("\"", "Don't", "\"", " ", "-", "-", " ", "he", "said", "(", "twice", ")", "."));
  EXPECT_THAT(cut(encoder, "rock'n'roll\n'tis th' end"),
              ElementsAre("rock'n'roll", "\n", "'", "tis", "th", "'", " ", "end"));
  EXPECT_THAT(cut(encoder, "3.14"), ElementsAre("3", ".", "<join>", "14"));
}

TEST(TextEncoder, WordsThatAreCutByFilters) {
  const TextEncoder encoder = TextEncoder::words(
      {"It's good.<br />Good!"}, {.lower = true, .filters = std::string(default_filters)});
  EXPECT_THAT(pieces(encoder), ElementsAre("<pad>", "<unk>", "good", "it's", "br"));
  EXPECT_EQ(encoder.decode(encoder.encode("GOOD <br/> x it's")), "good br \uFFFD it's");
}

TEST(TextEncoder, TextsThatLookLikeSpecialPiecesAreUnknown) {
  const TextEncoder encoder =
      TextEncoder::words({"<s> a"}, {.begin_and_end = true, .filters = std::string(",")});
  EXPECT_THAT(encoder.encode("<s> a"), ElementsAre(1, 4));
}

TEST(TextEncoder, WhatIsEncodedIsDecodedToTheSameBytes) {
  const std::vector<TextEncoder> encoders{
      TextEncoder::characters(prose()),
      TextEncoder::words(prose()),
#ifdef UNROLL_HAVE_SENTENCEPIECE
      TextEncoder::subwords(prose(), {.size = 500}),
      TextEncoder::subwords(prose(), {.size = 500, .kind = SubwordsKind::unigram}),
#endif
  };
  for (const TextEncoder& encoder : encoders) {
    for (const std::string& text : prose()) {
      const auto ids = encoder.encode(text);
      EXPECT_EQ(encoder.decode(ids), text) << to_string(encoder.kind());
      TextDecoder decoder(encoder);
      std::string streamed;
      for (const std::int32_t id : ids) streamed += decoder.add(id);
      EXPECT_EQ(streamed + decoder.finish(), text) << to_string(encoder.kind());
    }
  }
}

TEST(TextEncoder, AConfigMakesTheSameEncoder) {
  const TextEncoder encoder = TextEncoder::words(prose(), {.begin_and_end = true});
  const TextEncoder again = TextEncoder::from_config(encoder.get_config());
  EXPECT_EQ(pieces(again), pieces(encoder));
  EXPECT_EQ(again.encode(prose()[1]), encoder.encode(prose()[1]));
  EXPECT_EQ(again.end(), 3);
}

TEST(TextEncoder, WhatCannotBeEncodedIsRefused) {
  EXPECT_EQ(refused_with_kind([] {
              return TextEncoder::characters({"ok", "a\xFF"});
            }),
            "format: TextEncoder: text 1 is not UTF-8\n"
            "  got    0xFF at byte 1, counted from 0\n"
            "  want   UTF-8\n"
            "hint: iconv -f LATIN1 -t UTF-8 converts files");
  EXPECT_EQ(refused_with_kind([] { return TextEncoder::characters({"a"}).encode("\xC3"); }),
            "format: TextEncoder: the text is not UTF-8\n"
            "  got    0xC3 at byte 0, counted from 0\n"
            "  want   UTF-8\n"
            "hint: iconv -f LATIN1 -t UTF-8 converts files");
  EXPECT_EQ(refused_with_kind([] {
              return TextEncoder::characters({"", ""});
            }),
            "value: TextEncoder: texts without a character\n"
            "  want   at least one character");
  EXPECT_EQ(refused_with_kind([] { return TextEncoder::words({"   "}); }),
            "value: TextEncoder: texts without a word\n"
            "  want   at least one word");
  EXPECT_EQ(refused_with_kind([] { return TextEncoder::words({"a"}, {.size = 4}); }),
            "value: TextEncoder: size leaves no room for words\n"
            "  got    4\n"
            "  want   0 for all words, or at least 5");
  EXPECT_EQ(refused_with_kind([] { return TextEncoder::words({"a"}, {.min_count = 0}); }),
            "value: TextEncoder: min_count must be positive\n"
            "  got    0");
  EXPECT_THAT(TextEncoder::characters({"a"}).encode(""), IsEmpty());
}

TEST(TextEncoder, NumbersThatAreNoIdsAreRefused) {
  const TextEncoder encoder = TextEncoder::characters({"a"});
  const std::string wanted =
      "value: TextEncoder: a number that is no id\n  got    3\n  want   0 to 2";
  EXPECT_EQ(refused_with_kind([&] {
              return encoder.decode(std::vector<std::int32_t>{2, 3});
            }),
            wanted);
  EXPECT_EQ(refused_with_kind([&] { return encoder.piece(3); }), wanted);
  EXPECT_EQ(refused_with_kind([&] { return TextDecoder(encoder).add(3); }), wanted);
}

TEST(TextEncoder, DamagedConfigsAreRefused) {
  const auto words = [](std::vector<std::string> pieces) {
    return TextEncoder::from_config({.kind = TextEncoderKind::words, .pieces = std::move(pieces)});
  };
  EXPECT_EQ(refused_with_kind([&] {
              return words({" ", "<join>", "a", "a"});
            }),
            "value: TextEncoder: a piece is there twice\n  got    \"a\"");
  EXPECT_EQ(refused_with_kind([&] {
              return words({"a", ""});
            }),
            "value: TextEncoder: an empty piece\n  got    id 1");
  EXPECT_EQ(refused_with_kind([&] { return words({"\x80"}); }),
            "value: TextEncoder: a piece that is not UTF-8\n  got    id 0");
  EXPECT_EQ(refused_with_kind([&] { return words({"a"}); }),
            "value: TextEncoder: words need the pieces \" \" and \"<join>\"\n  got    none");
  EXPECT_EQ(
      refused_with_kind([] { return TextEncoder::from_config({.pieces = {"a"}, .padding = 1}); }),
      "value: TextEncoder: a special id out of range\n  got    1");
  EXPECT_EQ(refused_with_kind(
                [] { return TextEncoder::from_config({.kind = TextEncoderKind::subwords}); }),
            "value: TextEncoder: subwords are made of a .model, not of a list of pieces\n"
            "  got    subwords");
  EXPECT_EQ(refused_with_kind([] { return TextEncoder::characters({"a"}).sentence_piece(); }),
            "value: TextEncoder: only subwords have a SentencePiece model\n  got    characters");
}

}  // namespace
}  // namespace unroll
