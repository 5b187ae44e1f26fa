// Any bytes as an IDX file: a tensor or a refusal, never anything else.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "unroll/error.h"
#include "unroll/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    unroll::parse_idx({reinterpret_cast<const char*>(data), size});
  } catch (const unroll::Error&) {
  }
  return 0;
}
