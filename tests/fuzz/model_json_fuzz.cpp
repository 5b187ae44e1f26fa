// Fuzzing of models as JSON: whatever the text is, it is read or refused; libFuzzer calls it.
//
// A model that is read is written again, and what was written must be read, to the same text.
#include <cstdlib>
#include <string_view>

#include "unroll/error.h"
#include "unroll/model_json.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  constexpr unroll::ModelJsonOptions options{.most_weights = 1 << 20};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const unroll::Model model = unroll::model_from_json(text, options);
    try {
      const std::string written = unroll::to_json(model);
      if (unroll::to_json(unroll::model_from_json(written, options)) != written) std::abort();
    } catch (const unroll::Error&) {
      std::abort();
    }
  } catch (const unroll::Error&) {
    // A refusal is what bad text is owed.
  }
  return 0;
}
