// IDX files: what they hold, what is refused.
#include "unroll/idx.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/refused.h"

namespace unroll {
namespace {

std::string idx(const std::string& sizes, const std::string& numbers, char type = 8) {
  return std::string("\0\0", 2) + type + static_cast<char>(sizes.size()) + [&] {
    std::string header;
    for (const char size : sizes) header += std::string(3, '\0') + size;
    return header;
  }() + numbers;
}

TEST(Idx, HasItsNumbersInOrder) {
  const Tensor tensor = parse_idx(idx("\x02\x03", "abcdef"));
  EXPECT_EQ(tensor.shape(), (Shape{2, 3}));
  EXPECT_EQ(tensor.dtype(), DType::uint8);
  EXPECT_EQ(tensor.at({1, 0}), 'd');
  EXPECT_EQ(parse_idx(idx(std::string(1, '\0'), "")).shape(), (Shape{0}));
}

TEST(Idx, TheDigits) {
  const char* folder = std::getenv("UNROLL_DATA_DIR");
  if (folder == nullptr) GTEST_SKIP() << "UNROLL_DATA_DIR is not set";
  const std::string digits = std::string(folder) + "/mnist-t10k/t10k-";
  const Tensor images = read_idx(digits + "images-idx3-ubyte.gz");
  const Tensor labels = read_idx(digits + "labels-idx1-ubyte.gz");
  EXPECT_EQ(images.shape(), (Shape{10000, 28, 28}));
  EXPECT_EQ(labels.shape(), (Shape{10000}));
  EXPECT_EQ(labels.at({0}), 7);
  EXPECT_EQ(labels.at({1}), 2);
}

TEST(Idx, Refuses) {
  EXPECT_EQ(refused_with_kind([] { parse_idx(""); }),
            "format: IDX: no IDX file\n"
            "  got    0 bytes that begin otherwise\n"
            "  want   two zeros, a type, a number of axes");
  EXPECT_EQ(refused_with_kind([] { parse_idx(idx("\x02", "abc")); }),
            "format: IDX: no IDX file\n"
            "  got    3 numbers\n"
            "  want   2 for (2,)");
  EXPECT_EQ(refused_with_kind([] { parse_idx(idx("\x02", "ab", 13)); }),
            "unsupported: IDX: IDX numbers of another type\n"
            "  got    type 13\n"
            "  want   8: unsigned bytes");
  EXPECT_EQ(refused_with_kind([] { parse_idx(idx("\x01\x01\x01\x01\x01", "a")); }),
            "format: IDX: no IDX file\n"
            "  got    5 axes in 25 bytes\n"
            "  want   1 to 4 axes");
  const std::string huge = std::string("\0\0\x08\x02", 4) + std::string(8, '\xFF');
  EXPECT_EQ(refused_with_kind([&] { parse_idx(huge); }),
            "format: IDX: no IDX file\n"
            "  got    more numbers than fit\n"
            "  want   at most 2147483648");
  // What only begins as gzip does is not unpacked; what ends too early is refused.
  EXPECT_EQ(refused_with_kind([] { parse_idx(std::string("\x1F\x8B\x08\x00", 4), "a.gz"); }),
            "format: a.gz: no IDX file\n"
            "  got    4 bytes that begin otherwise\n"
            "  want   two zeros, a type, a number of axes");
  const std::string cut("\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\x63", 11);
  EXPECT_EQ(refused_with_kind([&] { parse_idx(cut, "a.gz"); }),
            "format: a.gz: a damaged archive\n"
            "  got    truncated gzip input");
}

}  // namespace
}  // namespace unroll
