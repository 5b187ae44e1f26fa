// Reads the .safetensors files of the reference data.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "unroll/tensor.h"

namespace unroll::golden {

using TensorMap = std::map<std::string, Tensor>;

/// All tensors of a file. I64 becomes int32 and BOOL uint8. Throws: std::runtime_error.
TensorMap read_safetensors(const std::filesystem::path& path);

}  // namespace unroll::golden
