// Protocol Buffers' wire format: the fields of a message. Nothing is allocated or copied.
//
// Source: protobuf.dev, "Encoding".
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace unroll::text {

/// A field: its number and, by its wire type, a whole number, 4 or 8 bytes, or a run of bytes.
struct WireField {
  enum class Type { number = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  std::uint32_t number = 0;
  Type type = Type::number;
  std::uint64_t value = 0;
  std::string_view bytes = {};

  float real() const noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(value)); }
};

/// Reads the fields of a message one by one.
class Wire {
 public:
  explicit Wire(std::string_view message) : rest_(message) {}

  /// The next field; none at the end, and where the message is damaged.
  std::optional<WireField> next() {
    if (rest_.empty()) return std::nullopt;
    const auto key = varint();
    WireField field;
    damaged_ = !key || *key >> 3 == 0 || *key >> 32 != 0 || !read(*key & 7, field);
    if (damaged_) return std::nullopt;
    field.number = static_cast<std::uint32_t>(*key >> 3);
    return field;
  }
  bool damaged() const noexcept { return damaged_; }

 private:
  bool read(std::uint64_t type, WireField& field) {
    field.type = static_cast<WireField::Type>(type);
    if (type == 1) return fixed(8, field.value);
    if (type == 5) return fixed(4, field.value);
    const auto number = type == 0 || type == 2 ? varint() : std::nullopt;
    if (!number) return false;
    field.value = *number;
    if (type == 0) return true;
    if (*number > rest_.size()) return false;
    field.bytes = rest_.substr(0, *number);
    rest_.remove_prefix(*number);
    return true;
  }

  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  bool fixed(std::size_t size, std::uint64_t& value) {
    if (rest_.size() < size) return false;
    std::memcpy(&value, rest_.data(), size);  // little-endian, as the machines we run on
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  bool damaged_ = false;
};

}  // namespace unroll::text
