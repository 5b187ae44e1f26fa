// Whole files: see src/base/file.h.
#pragma once

#include "src/base/file.h"

namespace unroll::io {

using base::read_file;
using base::write_file;

}  // namespace unroll::io
