#include "src/io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/refused.h"
#include "unroll/error.h"

namespace unroll::io {
namespace {

/// A file of a header, as it is, and so many bytes of numbers.
std::string file(const std::string& header, std::size_t bytes = 0) {
  const std::uint64_t length = header.size();
  std::string result(8, '\0');
  std::memcpy(result.data(), &length, 8);
  return result + header + std::string(bytes, '\0');
}

std::string said(const std::string& bytes) {
  return refused([&] { parse_safetensors(bytes, "f"); });
}

TEST(Safetensors, RoundTrip) {
  TensorFile made;
  made.metadata = {{"note", "ä \" \\ \n"}};
  made.tensors.emplace_back("b", Tensor::of<float>({2, 2}, {1, 2, 3, 4}));
  made.tensors.emplace_back("a", Tensor::of<std::int32_t>({3}, {-1, 0, 7}));
  made.tensors.emplace_back("none", Tensor({0, 4}));
  made.tensors.emplace_back("d", Tensor::of<double>({}, {0.1}));
  made.tensors.emplace_back("u", Tensor::of<std::uint8_t>({1}, {255}));
  const std::string bytes = write_safetensors(made);
  const TensorFile read = parse_safetensors(bytes, "f");
  EXPECT_EQ(read.metadata, made.metadata);
  ASSERT_EQ(read.tensors.size(), 5U);
  for (const auto& [name, tensor] : made.tensors) {
    const auto found = std::find_if(read.tensors.begin(), read.tensors.end(),
                                    [&n = name](const auto& entry) { return entry.first == n; });
    ASSERT_NE(found, read.tensors.end()) << name;
    EXPECT_EQ(found->second.describe(), tensor.describe());
    EXPECT_EQ(
        std::memcmp(found->second.raw(), tensor.raw(), static_cast<std::size_t>(tensor.bytes())),
        0);
  }
}

TEST(Safetensors, BytesAreWhatTheFormatSays) {
  TensorFile made;
  made.tensors.emplace_back("w", Tensor::of<float>({1, 2}, {1, -2}));
  const std::string bytes = write_safetensors(made);
  const std::string header = R"({"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";

  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ((8 + length) % 64, 0U);
  EXPECT_EQ(bytes.substr(8, header.size()), header);
  const std::string numbers("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
  EXPECT_EQ(bytes.substr(8 + length), numbers);
}

TEST(Safetensors, RefusesEveryTruncation) {
  TensorFile made;
  made.metadata = {{"k", "v"}};
  made.tensors.emplace_back("w", Tensor::of<float>({2, 2}, {1, 2, 3, 4}));
  const std::string bytes = write_safetensors(made);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(parse_safetensors(bytes.substr(0, size), "f"), Error) << size;
  }
  EXPECT_THROW(parse_safetensors(bytes + "x", "f"), Error);
}

TEST(Safetensors, Refusals) {
  EXPECT_EQ(said("1234567"),
            "f: not a safetensors file\n"
            "  got    7 bytes\n"
            "  want   8 bytes for the header's length, then the header");
  EXPECT_EQ(said(std::string(8, '\xff') + "{}"),
            "f: not a safetensors file, or cut off\n"
            "  got    a header of 18446744073709551615 bytes in a file of 10\n"
            "  want   a header of 2 to 2 bytes");
  EXPECT_EQ(said(file("[]")),
            "f: not a safetensors file\n  got    a header that does not begin with {");
  EXPECT_EQ(said(file("{\"a\":")), "f: the header is not JSON\n  want   a JSON object in UTF-8");
  EXPECT_EQ(said(file("{\"a\xff\":1}")),
            "f: the header is not JSON\n  want   a JSON object in UTF-8");
  EXPECT_EQ(said(file(R"({"a":1})")),
            "f: tensor \"a\" is not described\n"
            R"(  want   {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]})");
  EXPECT_EQ(said(file(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4)),
            "f: tensor \"a\" holds numbers of another type\n"
            "  got    BF16\n"
            "  want   F32, F64, I32 or U8");
  EXPECT_EQ(said(file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}})", 8)),
            "f: tensor \"a\" lies outside the file\n"
            "  got    data_offsets [0,16]\n"
            "  want   [begin, end] within 8 bytes");
  EXPECT_EQ(said(file(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)),
            "f: tensor \"a\" has another size than its shape\n"
            "  got    8 bytes\n"
            "  want   F32 [3]");
  EXPECT_EQ(said(file(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}})", 8)),
            "f: tensor \"a\": not a list of sizes\n"
            "  got    -1\n"
            "  want   at most 8 whole numbers");
  EXPECT_EQ(said(file(R"({"__metadata__":{"a":1}})")),
            "f: __metadata__ holds something else than texts");
  EXPECT_EQ(said(file("{}", 3)), "f: bytes that belong to no tensor\n  got    3 bytes at the end");
}

TEST(Safetensors, RefusesOverlapsHolesAndDoubles) {
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_EQ(said(file("{" + a + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12)),
            "f: tensor \"b\" overlaps the one before\n"
            "  got    begins at byte 4\n"
            "  want   byte 8");
  EXPECT_EQ(said(file("{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16)),
            "f: tensor \"b\" leaves a hole before it\n"
            "  got    begins at byte 12\n"
            "  want   byte 8");
  EXPECT_EQ(said(file("{" + a + "," + a + "}", 8)), "f: two entries of one name\n  got    \"a\"");
}

TEST(Safetensors, HugeShapesDoNotOverflow) {
  // 2^32 x 2^32 x 4 bytes is 0 modulo 2^64.
  EXPECT_EQ(
      said(file(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})")),
      "f: tensor \"a\" has another size than its shape\n"
      "  got    0 bytes\n"
      "  want   F32 [4294967296,4294967296]");
}

TEST(Safetensors, DeepNestingIsRefusedWithoutRecursion) {
  const std::string deep =
      "{\"a\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}";
  EXPECT_EQ(said(file(deep)), "f: the header is nested too deeply");
}

}  // namespace
}  // namespace unroll::io
