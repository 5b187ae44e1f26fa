#include "src/plot/metadata.h"

#include <gtest/gtest.h>

namespace unroll::plot {
namespace {

using namespace std::string_literals;

const std::string signature = "\x89PNG\r\n\x1a\n";
const std::string header = "\0\0\0\rIHDR"s + std::string(13, '\1') + "\0\0\0\0"s;
// The chunk that ends every PNG: its checksum is known.
const std::string end = "\0\0\0\0IEND\xae\x42\x60\x82"s;

TEST(Metadata, AsciiInAPng) {
  // crc32 of "tEXtComment\0hello" is 0xE6FFAE24 (zlib).
  EXPECT_EQ(with_png_comment(signature + header + end, "hello"),
            signature + header + "\0\0\0\x0dtEXtComment\0hello"s + "\xe6\xff\xae\x24"s + end);
}

TEST(Metadata, OtherWordsInAPng) {
  const std::string png = with_png_comment(signature + header + end, "\xc3\xa4");
  EXPECT_EQ(png.substr(signature.size() + header.size(), 22),
            "\0\0\0\x0eiTXtComment\0\0\0\0\0\xc3\xa4"s);
}

TEST(Metadata, ANulWouldEndTheWords) {
  EXPECT_EQ(with_png_comment(signature + header + end, "he\0llo"s),
            with_png_comment(signature + header + end, "hello"));
}

TEST(Metadata, InAnSvg) {
  EXPECT_EQ(with_svg_description("<svg><desc>old</desc><g/></svg>", "a < b & c\x01"),
            "<svg><desc>a &lt; b &amp; c</desc><g/></svg>");
  EXPECT_EQ(with_svg_description("<svg a=\"b\"><g/></svg>", "new"),
            "<svg a=\"b\">\n<desc>new</desc><g/></svg>");
}

}  // namespace
}  // namespace unroll::plot
