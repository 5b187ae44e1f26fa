// CRC-32C: see src/base/crc32c.h.
#pragma once

#include "src/base/crc32c.h"

namespace unroll::io {

using base::crc32c;

}  // namespace unroll::io
