// Fuzzing of bundles: whatever the bytes are, they are read or refused; libFuzzer calls it.
//
// A bundle that is read is written again, and what was written must be read.
#include <cstdlib>
#include <string_view>

#include "unroll/bundle.h"
#include "unroll/error.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const unroll::Bundle bundle = unroll::parse_bundle(bytes);
    try {
      unroll::parse_bundle(unroll::write_bundle(bundle));
    } catch (const unroll::Error&) {
      std::abort();
    }
  } catch (const unroll::Error&) {
    // A refusal is what bad bytes are owed.
  }
  return 0;
}
