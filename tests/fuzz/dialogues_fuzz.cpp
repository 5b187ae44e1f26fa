// Any bytes as dialogues: refused or read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "unroll/dialogues.h"
#include "unroll/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"fuzz.yml", "fuzz.tsv"}) {
    try {
      unroll::parse_dialogues(bytes, name);
    } catch (const unroll::Error&) {
    }
  }
  return 0;
}
