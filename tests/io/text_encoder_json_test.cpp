#include <gtest/gtest.h>

#include <filesystem>

#include "src/io/base64.h"
#include "tests/refused.h"
#include "unroll/text_files.h"
#include "unroll/text_json.h"

namespace unroll {
namespace {

std::string refusal_of(const std::string& text) {
  return refused_with_kind([&] { return text_encoder_from_json(text); });
}

TEST(Base64, VectorsOfRfc4648) {
  const std::string text = "foobar";
  const std::string encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t n = 0; n <= text.size(); ++n) {
    EXPECT_EQ(io::to_base64(text.substr(0, n)), encoded[n]);
    EXPECT_EQ(io::from_base64(encoded[n]), text.substr(0, n));
  }
  EXPECT_EQ(io::from_base64("Zg="), std::nullopt);
  EXPECT_EQ(io::from_base64("Z=g="), std::nullopt);
  EXPECT_EQ(io::from_base64("Zm9\n"), std::nullopt);
}

TEST(TextEncoderJson, HoldsTheWholeEncoder) {
  const std::vector<std::string> texts{"Hello, World\n", "don't \u00FCber"};
  for (const TextEncoder& encoder :
       {TextEncoder::characters(texts, {.lower = true}), TextEncoder::words(texts),
        TextEncoder::words(texts, {.begin_and_end = true, .filters = ","})}) {
    const std::string json = to_json(encoder);
    const TextEncoder again = text_encoder_from_json(json);
    EXPECT_EQ(to_json(again), json);
    for (const std::string& text : texts) EXPECT_EQ(again.encode(text), encoder.encode(text));
  }
  EXPECT_EQ(
      to_json(TextEncoder::characters({"ba"})),
      R"({"class_name":"TextEncoder","config":{"kind":"characters","lower":false,)"
      R"("padding":0,"unknown":1,"begin":null,"end":null,"pieces":["<pad>","<unk>","a","b"]}})");
}

TEST(TextEncoderJson, DamagedTextIsRefused) {
  EXPECT_EQ(refusal_of("{"),
            "format: a text encoder that is no JSON\n  got    a mistake at byte 2");
  EXPECT_EQ(refusal_of("{}"), "format: \"config\" is missing\n  got    an object");
  EXPECT_EQ(refusal_of(R"({"config":{"kind":"sounds"}})"),
            "format: no known kind of text encoder, at /config/kind\n  got    \"sounds\"");
  EXPECT_EQ(refusal_of(R"({"config":{"kind":"characters","lower":false,"pieces":["a","a"],)"
                       R"("padding":null,"unknown":null,"begin":null,"end":null}})"),
            "format: TextEncoder: a piece is there twice, at /config\n  got    \"a\"");
  EXPECT_EQ(refusal_of(R"({"config":{"kind":"characters","lower":false,"pieces":["a"],)"
                       R"("padding":7,"unknown":null,"begin":null,"end":null}})"),
            "format: TextEncoder: a special id out of range, at /config\n  got    7");
  EXPECT_EQ(refusal_of(R"({"config":{"kind":"subwords","model":"?"}})"),
            "format: not base64, at /config/model\n  got    \"?\"");
}

#ifdef UNROLL_HAVE_SENTENCEPIECE

TEST(TextEncoderJson, HoldsSubwords) {
  const TextEncoder encoder = TextEncoder::subwords({"low lower lowest"}, {.size = 300});
  EXPECT_EQ(text_encoder_from_json(to_json(encoder)).sentence_piece(), encoder.sentence_piece());
  EXPECT_EQ(refusal_of(R"({"config":{"kind":"subwords","model":"aGVsbG8="}})"),
            "format: the text encoder: no SentencePiece model that can be used: a damaged message\n"
            "  got    bytes that are no fields");
}

TEST(TextFiles, ModelsAreWrittenAndRead) {
  const std::string path =
      (std::filesystem::path(testing::TempDir()) / "unroll_subwords.model").string();
  const TextEncoder encoder = TextEncoder::subwords({"low lower lowest"}, {.size = 300});
  save_sentence_piece(encoder, path);
  EXPECT_EQ(load_sentence_piece(path).encode("lower"), encoder.encode("lower"));
  std::filesystem::remove(path);
  EXPECT_EQ(refused_with_kind([&] { return load_sentence_piece(path); }),
            "file: " + path + ": no such file");
  EXPECT_EQ(refused_with_kind([&] { save_sentence_piece(TextEncoder::characters({"a"}), path); }),
            "value: TextEncoder: only subwords have a SentencePiece model\n  got    characters");
}

#endif

}  // namespace
}  // namespace unroll
