// Records as bytes: a safetensors file whose metadata holds the texts.
#pragma once

#include <string>
#include <string_view>

#include "unroll/record.h"

namespace unroll::io {

std::string write_record(const Record& record);
/// Throws: Error (format), which calls the bytes `name`.
Record parse_record(std::string_view bytes, const std::string& name);

}  // namespace unroll::io
