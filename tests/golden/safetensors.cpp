// The format: 8 bytes little-endian length of the header, a JSON header {name: {dtype, shape,
// data_offsets}}, then the numbers, little-endian and row-major; offsets count from the header's
// end.
#include "tests/golden/safetensors.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace unroll::golden {

namespace {

Tensor tensor_of(const std::string& dtype, const Shape& shape, const char* bytes) {
  const auto same = [&](DType kind) {
    Tensor tensor(shape, kind);
    if (!tensor.empty()) {
      std::memcpy(tensor.raw(), bytes, static_cast<std::size_t>(tensor.bytes()));
    }
    return tensor;
  };
  if (dtype == "F32") return same(DType::float32);
  if (dtype == "F64") return same(DType::float64);
  if (dtype == "I32") return same(DType::int32);
  if (dtype == "BOOL") return same(DType::uint8);
  if (dtype != "I64") throw std::runtime_error("a tensor of dtype " + dtype);
  Tensor tensor(shape, DType::int32);
  for (std::int32_t& number : tensor.values<std::int32_t>()) {
    std::int64_t wide = 0;
    std::memcpy(&wide, bytes, sizeof wide);
    number = static_cast<std::int32_t>(wide);
    bytes += sizeof wide;
  }
  return tensor;
}

}  // namespace

TensorMap read_safetensors(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::uint64_t header_size = 0;
  if (!file || bytes.size() < sizeof header_size) {
    throw std::runtime_error("cannot read " + path.string());
  }
  std::memcpy(&header_size, bytes.data(), sizeof header_size);
  const std::size_t begin = sizeof header_size + header_size;
  const auto header = nlohmann::json::parse(bytes.substr(sizeof header_size, header_size));
  TensorMap tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    Shape shape;
    for (const auto& size : entry["shape"]) shape.push_back(size.get<Index>());
    const auto first = entry["data_offsets"][0].get<std::size_t>();
    const auto last = entry["data_offsets"][1].get<std::size_t>();
    if (first > last || begin + last > bytes.size()) {
      throw std::runtime_error(path.string() + ": " + name + " lies outside the file");
    }
    tensors.emplace(name, tensor_of(entry["dtype"], shape, bytes.data() + begin + first));
  }
  return tensors;
}

}  // namespace unroll::golden
