// Whole files: read with bounds, written at once or not at all.
#pragma once

#include <string>
#include <string_view>

#include "unroll/index.h"

namespace unroll::base {

/// The bytes of a file. Throws: Error (file) where it cannot be read; Error (format) where it has
/// more than `most` bytes.
std::string read_file(const std::string& path, Index most);

/// Writes a file. A regular file is written beside the old one under another name, brought to the
/// disk and renamed, so that there is always either the old one or the new one, whole; what is not
/// a regular file (a pipe, a device) is written into. A link is followed. Throws: Error (file); the
/// old file is then as it was.
void write_file(const std::string& path, std::string_view bytes);

/// Writes all bytes to a descriptor. Returns 0, or the errno of why not all could be written.
int write_all(int descriptor, std::string_view bytes);

}  // namespace unroll::base
