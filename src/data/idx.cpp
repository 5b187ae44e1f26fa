// An IDX file: two zeros, the type of its numbers, how many axes; the axes' sizes, big-endian 32
// bits each; the numbers, the last axis fastest.
#include "unroll/idx.h"

#include <fmt/format.h>

#include <cstring>

#include "src/data/archive.h"
#include "src/data/source.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr Index most_bytes = Index{1} << 31;
constexpr unsigned char unsigned_bytes = 8;

Error damaged(const std::string& name, std::string got, std::string want) {
  return Error(ErrorKind::format, name + ": no IDX file",
               {.got = std::move(got), .want = std::move(want)});
}

Tensor parse_plain(std::string_view bytes, const std::string& name) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 4 || byte(0) != 0 || byte(1) != 0) {
    throw damaged(name, fmt::format("{} bytes that begin otherwise", bytes.size()),
                  "two zeros, a type, a number of axes");
  }
  if (byte(2) != unsigned_bytes) {
    throw Error(ErrorKind::unsupported, name + ": IDX numbers of another type",
                {.got = fmt::format("type {}", byte(2)), .want = "8: unsigned bytes"});
  }
  const std::size_t axes = byte(3), header = 4 + 4 * axes;
  if (axes < 1 || axes > 4 || bytes.size() < header) {
    throw damaged(name, fmt::format("{} axes in {} bytes", axes, bytes.size()), "1 to 4 axes");
  }
  Shape shape;
  Index elements = 1;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    Index size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size * 256 + byte(4 + 4 * axis + i);
    if (size > 0 && elements > most_bytes / size) {
      throw damaged(name, "more numbers than fit", fmt::format("at most {}", most_bytes));
    }
    elements *= size;
    shape = axis == 0 ? Shape{size} : shape.with(shape.rank(), size);
  }
  if (static_cast<Index>(bytes.size() - header) != elements) {
    throw damaged(name, fmt::format("{} numbers", bytes.size() - header),
                  fmt::format("{} for {}", elements, shape.to_string()));
  }
  Tensor tensor(shape, DType::uint8);
  if (elements > 0) std::memcpy(tensor.raw(), bytes.data() + header, bytes.size() - header);
  return tensor;
}

}  // namespace

Tensor parse_idx(std::string_view bytes, const std::string& name) {
  if (!bytes.starts_with("\x1F\x8B")) return parse_plain(bytes, name);
  return parse_plain(data::unpack_gzip(bytes, name, most_bytes), name);
}

Tensor read_idx(const std::string& path) {
  return parse_idx(data::read_source(path, {}).view(), path);
}

}  // namespace unroll
