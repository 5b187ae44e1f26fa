#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/refused.h"
#include "unroll/text_encoder.h"

#ifdef UNROLL_HAVE_SENTENCEPIECE

namespace unroll {
namespace {

const std::vector<std::string>& texts() {
  static const std::vector<std::string> list{"the cat sat on the mat\nthe cat sat on the hat\n",
                                             "the rat and the cat ate the hat",
                                             "low lower lowest, new newer newest"};
  return list;
}

// --- a model by hand, in Protocol Buffers' wire format ---

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string run(unsigned field, const std::string& bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string number(unsigned field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}
std::string real(unsigned field, float value) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &value, 4);
  return varint(field << 3 | 5) + bytes;
}
std::string piece(const std::string& text, float score, std::uint64_t type = 1) {
  return run(1, run(1, text) + real(2, score) + number(3, type));
}
std::string by_hand(const std::string& more = {}) {
  return piece("<unk>", 0, 2) + piece("a", -1) + piece("\u2581a", -2) + piece("\u2581", -3) + more;
}
/// A double array of so many units that matches nothing, but for one unit.
std::string charsmap(std::uint32_t units, std::uint32_t first, const std::string& replacements) {
  std::string bytes(4 + 4 * std::size_t{units}, '\0');
  const std::uint32_t size = 4 * units;
  std::memcpy(bytes.data(), &size, 4);
  std::memcpy(bytes.data() + 4, &first, 4);
  return run(3, run(2, bytes + replacements));
}

std::string refusal_of(const std::string& bytes) {
  return refused_with_kind([&] { return TextEncoder::from_sentence_piece(bytes, "m.model"); });
}
std::string unusable(const std::string& why, const std::string& got) {
  return "format: m.model: no SentencePiece model that can be used: " + why + "\n  got    " + got;
}

TEST(SentencePiece, BpeMergesWhatIsFrequent) {
  const TextEncoder encoder = TextEncoder::subwords(texts(), {.size = 60, .byte_fallback = false});
  EXPECT_EQ(encoder.kind(), TextEncoderKind::subwords);
  EXPECT_LE(encoder.size(), 60);
  EXPECT_EQ(encoder.piece(0), "<pad>");
  EXPECT_EQ(encoder.padding(), 0);
  EXPECT_EQ(encoder.unknown(), 1);
  EXPECT_EQ(encoder.begin(), 2);
  EXPECT_EQ(encoder.end(), 3);
  ASSERT_TRUE(encoder.id("the"));
  EXPECT_EQ(encoder.piece(*encoder.id("the")), "the");
  EXPECT_EQ(encoder.id("zebra"), std::nullopt);
  const auto ids = encoder.encode("the mat");
  EXPECT_LT(ids.size(), 7u);
  EXPECT_EQ(encoder.decode(ids), "the mat");
  EXPECT_EQ(encoder.decode(encoder.encode("the zat")), "the \uFFFDat");
}

TEST(SentencePiece, BytesStandInForCharactersThatWereNeverSeen) {
  const TextEncoder encoder = TextEncoder::subwords(texts(), {.size = 320});
  const std::string text = "z\u00E9bra \U0001F98C";
  const auto ids = encoder.encode(text);
  EXPECT_EQ(encoder.decode(ids), text);
  TextDecoder decoder(encoder);
  std::vector<std::string> added;
  for (const std::int32_t id : encoder.encode("\u00E9t")) added.push_back(decoder.add(id));
  EXPECT_THAT(added, testing::ElementsAre("", "\u00E9", "t"));
  // Bytes that never become a character.
  EXPECT_EQ(decoder.add(*encoder.id("<0xC3>")), "");
  EXPECT_EQ(decoder.add(*encoder.id("t")), "\uFFFDt");
  EXPECT_EQ(decoder.add(*encoder.id("<0xF0>")), "");
  EXPECT_EQ(decoder.finish(), "\uFFFD");
  EXPECT_EQ(decoder.add(*encoder.id("<0x80>")), "\uFFFD");
}

TEST(SentencePiece, TheSameTextsGiveTheSameBytesAndNothingIsPrinted) {
  for (const SubwordsKind kind : {SubwordsKind::bpe, SubwordsKind::unigram}) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const auto train = [&] {
      return TextEncoder::subwords(texts(), {.size = 310, .kind = kind}).sentence_piece();
    };
    const bool same = train() == train();
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_TRUE(same);
  }
}

TEST(SentencePiece, ItsModelMakesTheSameEncoder) {
  const TextEncoder encoder = TextEncoder::subwords(texts(), {.size = 300});
  const TextEncoder again = TextEncoder::from_sentence_piece(encoder.sentence_piece());
  EXPECT_EQ(again.size(), encoder.size());
  EXPECT_EQ(again.encode(texts()[0]), encoder.encode(texts()[0]));
}

TEST(SentencePiece, TrainingTakesWhatItCan) {
  EXPECT_EQ(TextEncoder::subwords({"a"}, {.size = 300}).decode(std::vector<std::int32_t>{0}), "");
  for (const std::string& text : {std::string("a"), std::string(50'000, 'a'), std::string("\t\t x"),
                                  std::string("\n\n\n"), std::string("a\0b", 3)}) {
    for (const SubwordsKind kind : {SubwordsKind::bpe, SubwordsKind::unigram}) {
      const std::string what = refused_with_kind([&] {
        const TextEncoder encoder = TextEncoder::subwords({text}, {.size = 300, .kind = kind});
        EXPECT_EQ(encoder.decode(encoder.encode(text)), text);
      });
      EXPECT_TRUE(what == "not refused" ||
                  what.starts_with("value: TextEncoder: subwords cannot be learnt"))
          << what;
    }
  }
}

TEST(SentencePiece, ASizeThatCannotHoldTheCharactersIsRefused) {
  EXPECT_EQ(refused_with_kind([] { return TextEncoder::subwords({"abc"}, {.size = 262}); }),
            "value: TextEncoder: size is out of range for subwords of these texts\n"
            "  got    262\n"
            "  want   263 (special ids, bytes, characters of the texts) to 1000000");
  EXPECT_EQ(refused_with_kind([] { return TextEncoder::subwords({"\t"}); }),
            "value: TextEncoder: texts without a character\n  want   at least one character");
}

TEST(SentencePiece, AModelByHandIsTaken) {
  const TextEncoder encoder = TextEncoder::from_sentence_piece(by_hand());
  EXPECT_EQ(encoder.size(), 4);
  EXPECT_EQ(encoder.padding(), std::nullopt);
  EXPECT_EQ(encoder.unknown(), 0);
  // This one begins every text with a blank, which its decoder takes away.
  EXPECT_THAT(encoder.encode("a aa"), testing::ElementsAre(2, 2, 1));
  EXPECT_EQ(encoder.decode(encoder.encode("a aa")), "a aa");
  const TextEncoder mapped =
      TextEncoder::from_sentence_piece(by_hand(charsmap(256, 0, std::string("\0", 1))));
  EXPECT_EQ(mapped.decode(mapped.encode("a aa")), "a aa");
}

TEST(SentencePiece, HostileModelsAreRefused) {
  EXPECT_EQ(refusal_of(""), unusable("not one unknown piece", "0"));
  EXPECT_EQ(refusal_of("hello"), unusable("a damaged message", "bytes that are no fields"));
  EXPECT_EQ(refusal_of(by_hand().substr(0, 30)),
            unusable("a damaged message", "bytes that are no fields"));
  EXPECT_EQ(refusal_of(by_hand(piece("", 0))), unusable("an empty piece", "piece 4"));
  EXPECT_EQ(refusal_of(by_hand(piece("\xFF", 0))),
            unusable("a piece that is not UTF-8", "piece 4"));
  EXPECT_EQ(refusal_of(by_hand(piece(std::string("b\0c", 3), 0))),
            unusable("a piece that is not UTF-8", "piece 4"));
  EXPECT_EQ(refusal_of(by_hand(piece("b", NAN))), unusable("a score out of range", "piece 4"));
  EXPECT_EQ(refusal_of(by_hand(piece("b", 0, 9))), unusable("a piece of no known type", "piece 4"));
  EXPECT_EQ(refusal_of(by_hand(piece("a", 0))), unusable("a piece is there twice", "piece 4"));
  EXPECT_EQ(refusal_of(by_hand(number(1, 5))), unusable("a field of another type", "field 1"));
  EXPECT_EQ(refusal_of(by_hand(run(2, number(3, 7)))), unusable("no known kind of model", "7"));
  EXPECT_EQ(refusal_of(by_hand(run(2, number(24, 1)))),
            "unsupported: m.model: a model whose blanks are suffixes (treat_whitespace_as_suffix)");
  EXPECT_EQ(refusal_of(by_hand(run(5, run(2, "x")))),
            "unsupported: m.model: a model that rewrites what it decodes (denormalizer_spec)");
}

TEST(SentencePiece, ANormaliserThatPointsOutsideIsRefused) {
  const std::string zero("\0", 1);
  EXPECT_EQ(refusal_of(by_hand(run(3, run(2, "abc")))),
            unusable("a normaliser cut short", "3 bytes"));
  EXPECT_EQ(refusal_of(by_hand(charsmap(256, 0, ""))),
            unusable("a normaliser cut short", "1028 bytes"));
  EXPECT_EQ(refusal_of(by_hand(charsmap(16, 0, zero))),
            unusable("a normaliser that points outside", "unit 0"));
  EXPECT_EQ(refusal_of(by_hand(charsmap(256, 1024 << 10, zero))),
            unusable("a normaliser that points outside", "unit 0"));
  EXPECT_EQ(refusal_of(by_hand(charsmap(256, 0x80000005, zero))),
            unusable("a normaliser that points outside", "unit 0"));
  EXPECT_EQ(refusal_of(by_hand(charsmap(256, 0, "abc"))),
            unusable("a normaliser whose texts are not UTF-8", "3 bytes"));
}

TEST(SentencePiece, EveryDamagedByteIsTakenOrRefused) {
  const std::string model =
      TextEncoder::subwords(texts(), {.size = 40, .byte_fallback = false}).sentence_piece();
  for (std::size_t at = 0; at < model.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string damaged = model;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const std::string what = refused_with_kind([&] {
        const TextEncoder encoder = TextEncoder::from_sentence_piece(damaged, "m.model");
        static_cast<void>(encoder.decode(encoder.encode("the new hat")));
      });
      EXPECT_TRUE(what == "not refused" || what.find(": m.model: ") != std::string::npos) << what;
    }
  }
}

}  // namespace
}  // namespace unroll

#endif
