// safetensors: named tensors behind a JSON header.
//
//   bytes 0 .. 7            N, the length of the header: unsigned, 64 bits, least byte first
//   bytes 8 .. 8 + N - 1    the header: a JSON object in UTF-8 that begins with {, padded with
//   blanks the rest                the numbers of all tensors, row-major, least byte first
//
// The header has one entry a tensor, {"dtype": "F32", "shape": [50, 1], "data_offsets": [begin,
// end]}, in bytes from the end of the header; together they cover the rest without a hole or an
// overlap. The entry "__metadata__" holds texts. Source: the format's own description, by Hugging
// Face.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unroll/tensor.h"

namespace unroll::io {

struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::vector<std::pair<std::string, Tensor>> tensors;  ///< in the order of their numbers
};

/// Throws: Error (format), which calls the bytes `name`, for anything that the format forbids;
/// Error (unsupported) for numbers that unroll has no type for.
TensorFile parse_safetensors(std::string_view bytes, const std::string& name);

/// Requires: no two tensors of the same name. The numbers begin at a multiple of 64 bytes.
std::string write_safetensors(const TensorFile& file);

}  // namespace unroll::io
